//! `meterbox config check`: what `serve` would read and load, without loading it.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use meterbox::{
    config::{Config, PluginConfig},
    front::Front,
};

/// Read and check a config
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read the config and all that it includes, and say what is wrong (exit code 78), or what would be loaded
    Check {
        /// Read this config file (TOML)
        #[arg(long = "config.file", value_name = "FILE")]
        config_file: PathBuf,
    },
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let Command::Check { config_file } = &args.command;
    let config = Config::load(config_file)?;
    for (name, plugin) in &config.plugins {
        match plugin.source.file() {
            Some(path) if !path.is_file() => {
                return Err(Missing(format!(
                    "plugins.{name}.source: there is no file {}; build it, or correct the path",
                    path.display()
                ))
                .into());
            }
            None if plugin.pinned().is_none() => {
                return Err(Missing(format!(
                    "plugins.{name}.source: {} is not locked; run meterbox lock, or write a digest",
                    plugin.source
                ))
                .into());
            }
            _ => {}
        }
    }
    if let Some(file) = &config.web.config_file {
        Front::check(file)?;
    }
    print(config_file, &config).context("cannot write the result")
}

/// A file of a plugin that is not there.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Missing(String);

fn print(main: &Path, config: &Config) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}: OK", main.display())?;
    for file in config.files().iter().skip(1) {
        writeln!(out, "{}: OK", file.display())?;
    }
    if let Some(file) = &config.web.config_file {
        writeln!(out, "{}: OK", file.display())?;
    }
    for (name, plugin) in &config.plugins {
        writeln!(out, "plugin {name}: {}", describe(plugin))?;
    }
    if let Some(textfile) = &config.textfile {
        for folder in &textfile.directory {
            writeln!(out, "text files: {}", folder.display())?;
        }
    }
    Ok(())
}

fn describe(plugin: &PluginConfig) -> String {
    let when = match plugin.interval {
        Some(every) => format!("every {every:?}"),
        None => "at each scrape".to_owned(),
    };
    let mut text = plugin.source.to_string();
    match plugin.pinned() {
        // The reference says it itself.
        Some(digest) if !text.ends_with(&digest.to_string()) => {
            text.push_str(&format!(" ({digest})"));
        }
        _ => {}
    }
    text.push_str(&format!(", collected {when}"));
    for route in &plugin.routes {
        text.push_str(", serves ");
        text.push_str(route);
    }
    text
}
