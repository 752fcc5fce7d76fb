//! `meterbox bench`: what a plugin costs.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::anyhow;
use meterbox::trial::{Bench, bench};
use serde_json::{Value, json};

use super::check::start_json;
use crate::{
    args::LogArgs,
    logging,
    report::{Form, mib, nanos_each, rows, spread, spread_json},
    subject::Subject,
};

/// Measure what a plugin costs: to compile, to start, to collect
///
/// Nothing is served, and no page is rendered. Ends with code 1 if a call fails.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    subject: Subject,
    /// Collect for this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "3",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
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
    let configured = args.subject.configured()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let time = Duration::from_secs(args.seconds);
    let measured = runtime.block_on(async {
        let mut trial = configured.start().await?;
        let failed = |fault| anyhow!("plugin {:?}: {fault}", configured.name);
        bench(&mut trial, time).await.map_err(failed)
    })?;
    let mut out = io::stdout().lock();
    match args.form {
        Form::Text => text(&mut out, &measured)?,
        Form::Json => {
            serde_json::to_writer_pretty(&mut out, &json(&configured.name, &measured))?;
            writeln!(out)?;
        }
    }
    Ok(())
}

fn text(out: &mut impl Write, measured: &Bench) -> io::Result<()> {
    let Bench {
        start,
        instantiate,
        collect,
        ..
    } = measured;
    let (median, series) = (collect.median, measured.series);
    let each = match series {
        0 => "no series".to_owned(),
        _ => format!(
            "{:.0} ns for each of {series} series",
            nanos_each(median, series)
        ),
    };
    let resident = match measured.resident {
        Some(bytes) => format!(", {} KiB of them touched", bytes >> 10),
        None => String::new(),
    };
    rows(
        out,
        &[
            ("load and compile", format!("{:.1?}", start.load)),
            (
                "start",
                format!("{:.1?} describe, {:.1?} init", start.describe, start.init),
            ),
            ("instantiate", spread(instantiate)),
            ("collect", spread(collect)),
            (
                "",
                format!(
                    "{} ns a collect, {each}, of {} collects",
                    median.as_nanos(),
                    measured.collects
                ),
            ),
            (
                "memory",
                format!("{} an instance{resident}", mib(measured.memory)),
            ),
        ],
    )
}

fn json(name: &str, measured: &Bench) -> Value {
    let median = measured.collect.median;
    let series = measured.series;
    json!({
        "plugin": name,
        "start": start_json(&measured.start),
        "instantiate": spread_json(&measured.instantiate),
        "collect": spread_json(&measured.collect),
        "collects": measured.collects,
        "series": series,
        "ns_per_collect": median.as_nanos() as u64,
        "ns_per_series": (series > 0).then(|| nanos_each(median, series)),
        "memory_bytes": measured.memory,
        "resident_bytes": measured.resident,
        "cpu_seconds": measured.cpu.as_secs_f64(),
    })
}
