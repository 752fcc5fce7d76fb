//! `meterbox check`: collects a few times without a server, prints the page, and says what an operator would stumble over.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::Context;
use clap::ValueEnum;
use meterbox::{
    config,
    trial::{Check, StartTimes, Trial, check},
};
use meterbox_metrics::{
    Page,
    encode::{Escaping, Format as Wire},
};
use serde_json::{Value, json};

use super::lint::Advice;
use crate::{
    args::LogArgs,
    logging, proto_text,
    report::{mib, rows, spread, spread_json},
    subject::Subject,
};

/// Collect from a plugin some times without serving it, and lint what comes
///
/// The page goes to standard output, what was found to standard error, so that the page can be piped on. Between two collects
/// the plugin gets a tick, if it has a schedule. Ends with code 0 if all is well, 1 if a call failed or samples were refused, 3 if
/// there is advice, 78 if the plugin or its config is refused.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    subject: Subject,
    /// How often to collect
    #[arg(short = 'n', long = "collects", value_name = "N", default_value = "10",
          value_parser = clap::value_parser!(u32).range(1..))]
    collects: u32,
    /// Then have it probe this target, as `/probe` does, and print the page of that instead
    #[arg(long, value_name = "TARGET")]
    probe: Option<String>,
    /// A parameter of the probe; repeatable
    #[arg(
        long = "probe.parameter",
        value_name = "NAME=VALUE",
        requires = "probe"
    )]
    parameters: Vec<String>,
    /// How long the scraper of the probe would wait
    #[arg(long = "probe.timeout", value_name = "DURATION", default_value = "10s", requires = "probe",
          value_parser = config::parse_duration)]
    patience: Duration,
    /// Form of the page; `proto-text` is what Go's proto.MarshalTextString prints; `json` has the findings in it
    #[arg(
        long = "format",
        value_name = "FORMAT",
        value_enum,
        default_value = "text"
    )]
    form: Format,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Openmetrics,
    ProtoText,
    Json,
}

/// A call failed, or samples were refused.
#[derive(Debug, thiserror::Error)]
#[error("plugin {name:?} is not sound: {faults} faults, {refused} refused families")]
struct Unsound {
    name: String,
    faults: usize,
    refused: usize,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    logging::start(&args.log)?;
    let mut configured = args.subject.configured()?;
    configured.plugin.probe |= args.probe.is_some();
    let parameters = args.parameters.iter().map(|parameter| {
        let (name, value) = parameter.split_once('=').with_context(|| {
            format!("--probe.parameter {parameter:?} has no \"=\"; write NAME=VALUE")
        })?;
        Ok((name.to_owned(), value.to_owned()))
    });
    let parameters = parameters.collect::<anyhow::Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let (trial, mut found, probed) = runtime.block_on(async {
        let mut trial = configured.start().await?;
        let found = check(&mut trial, args.collects as usize).await;
        let probed = match &args.probe {
            Some(target) => trial.probe(target, parameters, args.patience).await,
            None => None,
        };
        Ok::<_, meterbox::Error>((trial, found, probed))
    })?;
    if let Some(probed) = probed {
        found.faults.extend(probed.fault);
        found.refused.extend(probed.refused);
        found.page = probed.page;
    }
    let mut out = io::stdout().lock();
    if args.form == Format::Json {
        serde_json::to_writer_pretty(&mut out, &json(&configured.name, &trial, &found))?;
        writeln!(out)?;
    } else {
        out.write_all(&page(&found.page, args.form))?;
        out.flush()?;
        text(&mut io::stderr().lock(), args, &trial, &found)?;
    }
    if !found.is_sound() {
        return Err(Unsound {
            name: configured.name,
            faults: found.faults.len(),
            refused: found.refused.len(),
        }
        .into());
    }
    match found.advice.len() {
        0 => Ok(()),
        count => Err(Advice(count).into()),
    }
}

fn page(page: &Page, format: Format) -> Vec<u8> {
    let wire = |format| page.to_bytes(format, Escaping::AllowUtf8);
    match format {
        Format::Openmetrics => wire(Wire::OpenMetrics100),
        Format::ProtoText => {
            let text = wire(Wire::ProtobufText);
            proto_text::as_go_prints_it(&String::from_utf8_lossy(&text)).into_bytes()
        }
        Format::Text | Format::Json => wire(Wire::Text),
    }
}

fn text(out: &mut impl Write, args: &Args, trial: &Trial, found: &Check) -> io::Result<()> {
    for fault in &found.faults {
        writeln!(out, "fault: {fault}")?;
        if !fault.backtrace.is_empty() {
            writeln!(out, "  in {}", fault.backtrace.join(" < "))?;
        }
    }
    for reason in &found.refused {
        writeln!(out, "refused: {reason}")?;
    }
    for problem in &found.advice {
        writeln!(out, "advice: {problem}")?;
    }
    for (limit, times) in &found.met {
        writeln!(out, "limit: met limits.{limit} {times} times")?;
    }
    let StartTimes {
        load,
        instantiate,
        describe,
        init,
    } = trial.start_times();
    let used: Vec<_> = found
        .used
        .iter()
        .map(|used| format!("{} {:.1}%", used.limit, 100.0 * used.used / used.most))
        .collect();
    rows(
        out,
        &[
            (
                "calls",
                format!(
                    "{} collects, {} ticks, {} faults, {} restarts",
                    args.collects,
                    found.ticks,
                    found.faults.len(),
                    found.restarts
                ),
            ),
            ("collect", spread(&found.collects)),
            (
                "start",
                format!(
                    "{load:.1?} load and compile, {instantiate:.1?} instantiate, {describe:.1?} describe, {init:.1?} init"
                ),
            ),
            ("memory", mib(found.memory)),
            ("series", found.series.to_string()),
            ("of limits", used.join(", ")),
        ],
    )?;
    match found.log_lines_dropped {
        0 => Ok(()),
        dropped => writeln!(out, "  {dropped} log lines were dropped"),
    }
}

fn json(name: &str, trial: &Trial, found: &Check) -> Value {
    let faults: Vec<_> = found
        .faults
        .iter()
        .map(|fault| {
            json!({
                "kind": fault.kind.label(),
                "export": fault.export,
                "message": fault.message,
                "backtrace": fault.backtrace,
                "limit": fault.limit.map(|limit| limit.key()),
            })
        })
        .collect();
    let advice: Vec<_> = found
        .advice
        .iter()
        .map(|problem| json!({ "metric": problem.metric, "text": problem.text }))
        .collect();
    let limits: Vec<_> = found
        .used
        .iter()
        .map(|used| json!({ "limit": used.limit.key(), "used": used.used, "most": used.most }))
        .collect();
    let met: serde_json::Map<_, _> = found
        .met
        .iter()
        .map(|(limit, times)| (limit.key(), Value::from(*times)))
        .collect();
    json!({
        "plugin": name,
        "collect": spread_json(&found.collects),
        "start": start_json(&trial.start_times()),
        "ticks": found.ticks,
        "faults": faults,
        "restarts": found.restarts,
        "refused": found.refused,
        "advice": advice,
        "series": found.series,
        "memory_bytes": found.memory,
        "limits": limits,
        "limits_met": met,
        "log_lines_dropped": found.log_lines_dropped,
        "page": String::from_utf8_lossy(&page(&found.page, Format::Text)),
    })
}

/// The steps of a start, in seconds.
pub(crate) fn start_json(times: &StartTimes) -> Value {
    json!({
        "load_seconds": times.load.as_secs_f64(),
        "instantiate_seconds": times.instantiate.as_secs_f64(),
        "describe_seconds": times.describe.as_secs_f64(),
        "init_seconds": times.init.as_secs_f64(),
    })
}
