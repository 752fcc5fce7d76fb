//! How the tools print what they found.

use std::{
    io::{self, Write},
    time::Duration,
};

use clap::ValueEnum;
use meterbox::trial::Spread;
use serde_json::{Value, json};

/// Form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Text,
    Json,
}

/// Names and values, in two columns.
pub(crate) fn rows(out: &mut impl Write, rows: &[(&str, String)]) -> io::Result<()> {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in rows {
        writeln!(out, "  {name:width$}  {value}")?;
    }
    Ok(())
}

pub(crate) fn spread(spread: &Spread) -> String {
    let Spread {
        least,
        median,
        most,
    } = spread;
    format!("{least:.1?} least, {median:.1?} median, {most:.1?} most")
}

pub(crate) fn spread_json(spread: &Spread) -> Value {
    json!({
        "min_seconds": spread.least.as_secs_f64(),
        "median_seconds": spread.median.as_secs_f64(),
        "max_seconds": spread.most.as_secs_f64(),
    })
}

/// Nanoseconds per piece.
pub(crate) fn nanos_each(time: Duration, pieces: usize) -> f64 {
    time.as_nanos() as f64 / pieces.max(1) as f64
}

pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
