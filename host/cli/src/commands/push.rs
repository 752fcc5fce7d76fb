//! `meterbox push`: gives a plugin to a registry.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, bail};
use meterbox::{
    Error, PluginError,
    config::{Config, Limits, PluginConfig, Source},
    distribution::{Signer, Sources},
    inspect::Inspection,
    trial,
};

use super::pull::allow_insecure;
use crate::{args::LogArgs, logging, subject};

/// Push a plugin to a registry, in the form that wkg writes
///
/// A file that does not fit this host is refused. Prints the source to write into configs, with its digest.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plugin: a core module or a component
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    /// Where to: oci://registry/name:tag
    #[arg(value_name = "REFERENCE")]
    reference: String,
    /// Sign it with this private key (PEM: Ed25519 or ECDSA on P-256), in cosign's form
    #[arg(long, value_name = "KEY.pem")]
    sign: Option<PathBuf>,
    /// Take what is known about the registry from this config file (TOML)
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
    /// Let the registry speak plain HTTP
    #[arg(long)]
    insecure: bool,
    #[command(flatten)]
    log: LogArgs,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    logging::start(&args.log)?;
    let source: Source = args.reference.parse().map_err(anyhow::Error::msg)?;
    let Source::Oci(reference) = &source else {
        bail!("{source} is no place in a registry; write oci://registry/name:tag");
    };
    if reference.digest.is_some() {
        bail!("a digest is what comes of it; write oci://registry/name:tag");
    }
    let mut config = match &args.config_file {
        Some(path) => Config::load(path)?,
        None => Config::default(),
    };
    allow_insecure(&mut config, &source, args.insecure);
    let signer = args.sign.as_deref().map(Signer::read).transpose()?;
    let name = subject::name(&args.file);
    let about = Inspection::read(&args.file).map_err(|error| Error::Plugin {
        name: name.clone(),
        error: PluginError::from(error),
    })?;
    let shown = args.file.display();
    let bytes = fs::read(&args.file).with_context(|| format!("cannot read {shown}"))?;
    let runtime = tokio::runtime::Runtime::new()?;
    let digest = runtime.block_on(async {
        let plugin = PluginConfig::file(&args.file);
        let compiler = Some(subject::compiler());
        // What it is granted is decided by whoever runs it.
        let files = Sources::default();
        let survey = trial::survey(&files, &name, &plugin, Limits::default(), compiler).await?;
        survey.families?;
        let sources = Sources::new(&config);
        let pushed = sources.push(bytes, &about, reference, signer.as_ref());
        Ok::<_, anyhow::Error>(pushed.await?)
    })?;
    writeln!(io::stdout().lock(), "oci://{}@{digest}", reference.name())?;
    Ok(())
}
