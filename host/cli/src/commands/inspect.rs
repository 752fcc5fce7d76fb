//! `meterbox inspect`: what a plugin's file is, what it wants, and whether it fits this host.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use meterbox::{
    Error, PluginError, Wanted,
    config::{Limits, PluginConfig},
    distribution::Sources,
    inspect::{Inspection, Interface},
    trial::{self, Families, Survey},
};
use meterbox_metrics::Desc;
use serde_json::{Value, json};

use crate::{
    args::LogArgs,
    logging,
    report::{Form, rows},
    subject::{self, Configured},
};

/// Show what a plugin's file is and whether it fits this host
///
/// It is asked for its families, and for what it wants to be granted, in a sandbox that is granted nothing, with the default
/// limits; with --config.file in the one that the file gives it. Ends with code 78 if it does not fit, or is not granted there
/// what it needs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The plugin's file, a core module or a component; with --config.file, its name there
    #[arg(value_name = "PLUGIN")]
    plugin: PathBuf,
    /// Take the plugin as this config file has it, and hold what it wants against what it is granted
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
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
    let Configured {
        name,
        mut plugin,
        limits,
        sources,
    } = match &args.config_file {
        Some(file) => Configured::load(file, &args.plugin)?,
        None => Configured {
            name: subject::name(&args.plugin),
            plugin: PluginConfig::file(&args.plugin),
            limits: Limits::default(),
            sources: Sources::default(),
        },
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let shown = plugin.source.to_string();
    let bytes = runtime.block_on(sources.pull(&plugin, &limits));
    let inspection = bytes.and_then(|bytes| Inspection::of(bytes, &shown));
    let inspection = inspection.map_err(|error| Error::Plugin {
        name: name.clone(),
        error: PluginError::from(error),
    })?;
    plugin.probe |= inspection.has_probe();
    let compiler = Some(subject::compiler());
    let surveyed = trial::survey(&sources, &name, &plugin, limits, compiler);
    let surveyed = runtime.block_on(surveyed);
    let seen = Seen {
        source: shown,
        inspection,
        survey: surveyed.unwrap_or_else(|error| Survey {
            wants: Vec::new(),
            missing: None,
            families: Err(error),
        }),
    };
    let mut out = io::stdout().lock();
    match args.form {
        Form::Text => text(&mut out, args, &seen)?,
        Form::Json => {
            serde_json::to_writer_pretty(&mut out, &json(&seen))?;
            writeln!(out)?;
        }
    }
    let lacks = args.config_file.is_some() && !seen.survey.has_what_it_needs();
    seen.survey.families?;
    match seen.survey.missing {
        Some(lines) if lacks => Err(Error::Plugin {
            name,
            error: PluginError::Wants { lines },
        }
        .into()),
        _ => Ok(()),
    }
}

/// All that is known.
struct Seen {
    source: String,
    inspection: Inspection,
    survey: Survey,
}

fn text(out: &mut impl Write, args: &Args, seen: &Seen) -> io::Result<()> {
    let Seen {
        source,
        inspection: found,
        survey,
    } = seen;
    writeln!(out, "{source}")?;
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
    let nothing = Families::default();
    let described = survey.families.as_ref().unwrap_or(&nothing);
    families(out, "families", &described.page)?;
    if !described.probes.is_empty() {
        families(out, "families of probes", &described.probes)?;
    }
    writeln!(out, "custom sections")?;
    for (name, bytes) in &found.sections {
        writeln!(out, "  {name} ({bytes} bytes)")?;
    }
    wants(out, survey)?;
    match &survey.families {
        Ok(_) => writeln!(out, "fits this host: yes")?,
        Err(error) => writeln!(out, "fits this host: no: {error}")?,
    }
    match (&args.config_file, survey.has_what_it_needs()) {
        (None, _) => Ok(()),
        (Some(_), true) => writeln!(out, "granted what it needs: yes"),
        (Some(_), false) => writeln!(out, "granted what it needs: no"),
    }
}

fn families(out: &mut impl Write, title: &str, all: &[Desc]) -> io::Result<()> {
    writeln!(out, "{title}")?;
    for desc in all {
        let labels = match desc.label_names.as_slice() {
            [] => String::new(),
            names => format!("{{{}}}", names.join(",")),
        };
        let (name, kind, help) = (&desc.name, desc.kind.text_name(), desc.help.escape_debug());
        writeln!(out, "  {}{labels} ({kind}) {help}", name.escape_debug())?;
    }
    Ok(())
}

/// What it wants to be granted beside what it is, and what to write for the rest.
fn wants(out: &mut impl Write, survey: &Survey) -> io::Result<()> {
    if survey.wants.is_empty() {
        return Ok(());
    }
    writeln!(out, "wants")?;
    for Wanted {
        grant,
        what,
        why,
        is_needed,
        is_granted,
    } in &survey.wants
    {
        let needed = if *is_needed { "needed" } else { "optional" };
        let granted = if *is_granted {
            "granted"
        } else {
            "not granted"
        };
        let wanted = format!("{} {what}", grant.key());
        writeln!(out, "  {} ({needed}, {granted}) {why}", wanted.trim_end())?;
    }
    if let Some(lines) = &survey.missing {
        writeln!(out, "to grant the rest, if you trust it with that")?;
        for line in lines.lines() {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

fn interfaces(out: &mut impl Write, title: &str, all: &[Interface]) -> io::Result<()> {
    writeln!(out, "{title}")?;
    for Interface { name, origin } in all {
        writeln!(out, "  {name} ({})", origin.label())?;
    }
    Ok(())
}

fn json(seen: &Seen) -> Value {
    let Seen {
        source,
        inspection: found,
        survey,
    } = seen;
    let nothing = Families::default();
    let described = survey.families.as_ref().unwrap_or(&nothing);
    let wants: Vec<_> = survey.wants.iter().map(want).collect();
    let interfaces = |all: &[Interface]| -> Vec<Value> {
        all.iter()
            .map(|Interface { name, origin }| json!({ "name": name, "origin": origin.label() }))
            .collect()
    };
    let families = |all: &[Desc]| -> Vec<Value> { all.iter().map(family).collect() };
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
        "file": source,
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
        "families": families(&described.page),
        "probe_families": families(&described.probes),
        "wants": wants,
        "missing": survey.missing,
        "sections": sections,
        "fits": survey.families.is_ok(),
        "problem": survey.families.as_ref().err().map(ToString::to_string),
    })
}

fn want(want: &Wanted) -> Value {
    json!({
        "grant": want.grant.key(),
        "what": want.what,
        "why": want.why,
        "needed": want.is_needed,
        "granted": want.is_granted,
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
