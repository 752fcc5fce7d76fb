//! `meterbox pull`: has plugins before they are needed.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, bail};
use meterbox::{
    Error, PluginError,
    config::{Config, PluginConfig, RegistryConfig, Source},
    distribution::Sources,
};

use super::serve::set_state;
use crate::{args::LogArgs, logging};

/// Pull what a config names into the state directory, or one plugin into a file
///
/// What is pulled is held against its digest, and against the keys of the config. A `serve` that finds it there asks nobody.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Pull this: oci://registry/name:tag, oci://registry/name@sha256:... or https://...
    #[arg(value_name = "SOURCE", requires = "output")]
    source: Option<String>,
    /// Write the plugin into this file
    #[arg(short = 'o', long, value_name = "FILE.wasm", requires = "source")]
    output: Option<PathBuf>,
    /// Read this config file (TOML); with SOURCE, for its registries and keys
    #[arg(
        long = "config.file",
        value_name = "FILE",
        required_unless_present = "source"
    )]
    config_file: Option<PathBuf>,
    /// Keep plugins in this folder [default: as for serve]
    #[arg(long = "state.directory", value_name = "DIR")]
    state_directory: Option<OsString>,
    /// Let the registry of SOURCE speak plain HTTP
    #[arg(long, requires = "source")]
    insecure: bool,
    #[command(flatten)]
    log: LogArgs,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    logging::start(&args.log)?;
    let mut config = match &args.config_file {
        Some(path) => Config::load(path)?,
        None => Config::default(),
    };
    let runtime = tokio::runtime::Runtime::new()?;
    if let (Some(source), Some(output)) = (&args.source, &args.output) {
        let source: Source = source.parse().map_err(anyhow::Error::msg)?;
        allow_insecure(&mut config, &source, args.insecure);
        return runtime.block_on(one(&config, source, output));
    }
    set_state(&mut config, args.state_directory.clone());
    if config.state.directory.is_none() {
        bail!("there is no state directory to keep plugins in; name one with --state.directory");
    }
    runtime.block_on(all(&config))
}

/// As the `[registries]` table of its host would.
pub(super) fn allow_insecure(config: &mut Config, source: &Source, insecure: bool) {
    if let (Source::Oci(reference), true) = (source, insecure) {
        let registry: &mut RegistryConfig = config
            .registries
            .entry(reference.registry.clone())
            .or_default();
        registry.insecure = true;
    }
}

async fn one(config: &Config, source: Source, output: &PathBuf) -> anyhow::Result<()> {
    let sources = Sources::new(config);
    let mut plugin = PluginConfig::of(source);
    let limits = config.limits_of(&plugin);
    if plugin.pinned().is_none() {
        // Whoever asks by a tag gets what it stands for, and is told what that is.
        plugin.digest = sources.resolve(&plugin.source, &limits).await?;
    }
    let bytes = sources.pull(&plugin, &limits).await?;
    fs::write(output, &bytes).with_context(|| format!("cannot write {}", output.display()))?;
    let (source, size) = (&plugin.source, bytes.len());
    let mut out = io::stdout().lock();
    match plugin.digest {
        // It was not in the source.
        Some(digest) => writeln!(out, "{source} ({digest}): {size} bytes")?,
        None => writeln!(out, "{source}: {size} bytes")?,
    }
    Ok(())
}

async fn all(config: &Config) -> anyhow::Result<()> {
    let sources = Sources::new(config);
    let mut out = io::stdout().lock();
    for (name, plugin) in &config.plugins {
        let pulled = sources.pull(plugin, &config.limits_of(plugin)).await;
        let bytes = pulled.map_err(|error| Error::Plugin {
            name: name.clone(),
            error: PluginError::from(error),
        });
        let (source, size) = (&plugin.source, bytes?.len());
        writeln!(out, "plugin {name}: {source}: {size} bytes")?;
    }
    Ok(())
}
