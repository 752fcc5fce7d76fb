//! `meterbox inspect`: what a plugin's file is, what it wants, and whether it fits this host.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use meterbox::{
    Error, PluginError,
    config::{Limits, PluginConfig},
    inspect::{Inspection, Interface},
    trial,
};
use meterbox_metrics::Desc;
use serde_json::{Value, json};

use crate::{
    args::LogArgs,
    logging,
    report::{Form, rows},
    subject,
};

/// Show what a plugin's file is and whether it fits this host
///
/// It is asked for its families in a sandbox that is granted nothing, with the default limits. Ends with code 78 if it does
/// not fit.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plugin: a core module or a component
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    /// Form of the output
    #[arg(
        long = "format",
        value_name = "FORM",
        value_enum,
        default_value = "text"
    )]
    form: Form,
    #[command(flatten)]
    log: LogArgs,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    logging::start(&args.log)?;
    let name = subject::name(&args.file);
    let inspection = Inspection::read(&args.file).map_err(|error| Error::Plugin {
        name: name.clone(),
        error: PluginError::from(error),
    })?;
    let plugin = PluginConfig::file(&args.file);
    let runtime = tokio::runtime::Runtime::new()?;
    let limits = Limits::default();
    let compiler = Some(subject::compiler());
    let described = trial::describe(&name, &plugin, limits, compiler);
    let described = runtime.block_on(described);
    let mut out = io::stdout().lock();
    match args.form {
        Form::Text => text(&mut out, args, &inspection, &described)?,
        Form::Json => {
            serde_json::to_writer_pretty(&mut out, &json(args, &inspection, &described))?;
            writeln!(out)?;
        }
    }
    described?;
    Ok(())
}

type Described = Result<Vec<Desc>, Error>;

fn text(
    out: &mut impl Write,
    args: &Args,
    found: &Inspection,
    described: &Described,
) -> io::Result<()> {
    writeln!(out, "{}", args.file.display())?;
    let or_none = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    let made: Vec<_> = found
        .producers
        .iter()
        .map(|(_, name, version)| format!("{name} {version}").trim_end().to_owned())
        .collect();
    rows(
        out,
        &[
            ("digest", format!("sha256:{}", found.digest)),
            ("form", found.form.label().to_owned()),
            (
                "size",
                format!(
                    "{} bytes, {} of them code in {} functions",
                    found.bytes, found.code_bytes, found.functions
                ),
            ),
            ("contract", or_none(found.contracts().join(", "))),
            ("sdk", or_none(found.sdk.clone().unwrap_or_default())),
            ("made with", or_none(made.join(", "))),
        ],
    )?;
    interfaces(out, "imports", &found.imports)?;
    interfaces(out, "exports", &found.exports)?;
    writeln!(out, "families")?;
    for desc in described.iter().flatten() {
        let labels = match desc.label_names.as_slice() {
            [] => String::new(),
            names => format!("{{{}}}", names.join(",")),
        };
        let (name, kind, help) = (&desc.name, desc.kind.text_name(), desc.help.escape_debug());
        writeln!(out, "  {}{labels} ({kind}) {help}", name.escape_debug())?;
    }
    writeln!(out, "custom sections")?;
    for (name, bytes) in &found.sections {
        writeln!(out, "  {name} ({bytes} bytes)")?;
    }
    match described {
        Ok(_) => writeln!(out, "fits this host: yes"),
        Err(error) => writeln!(out, "fits this host: no: {error}"),
    }
}

fn interfaces(out: &mut impl Write, title: &str, all: &[Interface]) -> io::Result<()> {
    writeln!(out, "{title}")?;
    for Interface { name, origin } in all {
        writeln!(out, "  {name} ({})", origin.label())?;
    }
    Ok(())
}

fn json(args: &Args, found: &Inspection, described: &Described) -> Value {
    let interfaces = |all: &[Interface]| -> Vec<Value> {
        all.iter()
            .map(|Interface { name, origin }| json!({ "name": name, "origin": origin.label() }))
            .collect()
    };
    let families: Vec<_> = described.iter().flatten().map(family).collect();
    let sections: Vec<_> = found
        .sections
        .iter()
        .map(|(name, bytes)| json!({ "name": name, "bytes": bytes }))
        .collect();
    let producers: Vec<_> = found
        .producers
        .iter()
        .map(|(field, name, version)| json!({ "field": field, "name": name, "version": version }))
        .collect();
    json!({
        "file": args.file.display().to_string(),
        "sha256": found.digest,
        "form": found.form.label(),
        "bytes": found.bytes,
        "code_bytes": found.code_bytes,
        "functions": found.functions,
        "contracts": found.contracts(),
        "sdk": found.sdk,
        "producers": producers,
        "imports": interfaces(&found.imports),
        "exports": interfaces(&found.exports),
        "families": families,
        "sections": sections,
        "fits": described.is_ok(),
        "problem": described.as_ref().err().map(ToString::to_string),
    })
}

fn family(desc: &Desc) -> Value {
    json!({
        "name": desc.name,
        "kind": desc.kind.text_name(),
        "help": desc.help,
        "unit": desc.unit,
        "labels": desc.label_names,
    })
}
