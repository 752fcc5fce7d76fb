//! `meterbox lock`: asks what tags and URLs stand for, and writes it down.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;
use meterbox::{
    Error, PluginError,
    config::{Config, ContentDigest, Lock, Locked},
    distribution::Sources,
};

use crate::{args::LogArgs, logging};

/// Write down which bytes the tags and URLs of a config stand for now
///
/// The result is in `meterbox.lock` beside the config; `serve` loads these bytes, whatever a tag stands for by then. Every change
/// is printed. Ends with code 1 if something cannot be asked for; the file then stays as it was.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Read this config file (TOML)
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: PathBuf,
    /// Write nothing, and end with code 1 if there is something to write
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    log: LogArgs,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    logging::start(&args.log)?;
    let config = Config::load(&args.config_file)?;
    let path = config.lock_file().context("the config has no file")?;
    let before = Lock::read(&path)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let lock = runtime.block_on(ask(&config))?;
    let changes = print(&before, &lock).context("cannot write the result")?;
    if changes == 0 {
        return Ok(());
    }
    let shown = path.display();
    anyhow::ensure!(
        !args.check,
        "{shown} is not up to date; run meterbox lock, and look at what has changed"
    );
    lock.write(&path)
        .with_context(|| format!("cannot write {shown}"))
}

async fn ask(config: &Config) -> anyhow::Result<Lock> {
    let sources = Sources::new(config);
    let mut lock = Lock::default();
    for (name, plugin, _) in config.to_lock() {
        let limits = config.limits_of(plugin);
        let found = sources.resolve(&plugin.source, &limits).await;
        let found = found.map_err(|error| Error::Plugin {
            name: name.clone(),
            error: PluginError::from(error),
        });
        if let Some(digest) = found? {
            let source = plugin.source.as_written();
            lock.plugins.insert(name.clone(), Locked { source, digest });
        }
    }
    Ok(lock)
}

/// Says what is other than before; how much is.
fn print(before: &Lock, now: &Lock) -> io::Result<usize> {
    let mut out = io::stdout().lock();
    let mut changes = 0;
    for (name, Locked { source, digest }) in &now.plugins {
        let old = before.plugins.get(name);
        if old.is_some_and(|old| (&old.source, old.digest) == (source, *digest)) {
            writeln!(out, "plugin {name}: {} as before", short(*digest))?;
            continue;
        }
        changes += 1;
        match old {
            Some(old) => {
                let (old, new) = (short(old.digest), short(*digest));
                writeln!(out, "plugin {name}: {old} becomes {new}")?;
            }
            None => writeln!(out, "plugin {name}: {} is new", short(*digest))?,
        }
    }
    for (name, gone) in &before.plugins {
        if !now.plugins.contains_key(name) {
            changes += 1;
            writeln!(out, "plugin {name}: {} goes", short(gone.digest))?;
        }
    }
    if now.plugins.is_empty() && changes == 0 {
        writeln!(out, "there is nothing to lock")?;
    }
    Ok(changes)
}

/// Enough of it to tell one from another.
fn short(digest: ContentDigest) -> String {
    digest
        .to_string()
        .chars()
        .take("sha256:".len() + 12)
        .collect()
}
