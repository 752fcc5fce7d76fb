//! Pages that have to be read, and pages that have to be refused; see `parse/*/*.txt`.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its table fails"
)]

use std::{env, fmt::Write as _, fs, path::Path};

use meterbox_metrics::parse::{self, Label, ParseError, ParsedFamily, Timestamp};

type Parser = for<'a> fn(&'a str) -> Result<Vec<ParsedFamily<'a>>, ParseError>;

#[test]
fn text_good() {
    check("text/good.txt", parse::text, true);
}

#[test]
fn text_bad() {
    check("text/bad.txt", parse::text, false);
}

#[test]
fn openmetrics_good() {
    check("openmetrics/good.txt", parse::openmetrics, true);
}

#[test]
fn openmetrics_bad() {
    check("openmetrics/bad.txt", parse::openmetrics, false);
}

/// Reads every page of a table and compares what comes out, which with BLESS=1 is written into the table.
fn check(table: &str, parser: Parser, is_good: bool) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/parse")
        .join(table);
    let text = fs::read_to_string(&path).unwrap();
    let (intro, cases) = text.split_once("\n=== ").unwrap();
    let mut blessed = intro.to_owned();
    let mut complaints = String::new();
    for case in cases.split("\n=== ") {
        let (name, rest) = case.split_once('\n').unwrap();
        let (shown, wanted) = rest.split_once("---\n").unwrap();
        let page = page(shown);
        let read = parser(&page);
        if read.is_ok() != is_good {
            writeln!(complaints, "{name}: {}", outcome(&read)).unwrap();
        }
        let found = outcome(&read);
        if found.trim_end() != wanted.trim_end() {
            writeln!(complaints, "{name}: read\n{found}wanted\n{wanted}").unwrap();
        }
        write!(blessed, "\n=== {name}\n{shown}---\n{found}").unwrap();
    }
    if env::var_os("BLESS").is_some() {
        fs::write(&path, blessed).unwrap();
    }
    assert!(complaints.is_empty(), "{table}\n{complaints}");
}

/// The page that a case shows.
fn page(shown: &str) -> String {
    shown
        .replace("∎\n", "")
        .replace('␠', " ")
        .replace('␉', "\t")
        .replace('␍', "\r")
        .replace('␀', "\0")
}

fn outcome(read: &Result<Vec<ParsedFamily<'_>>, ParseError>) -> String {
    match read {
        Ok(families) => families.iter().map(describe).collect(),
        Err(error) => format!("{error}\n"),
    }
}

fn describe(family: &ParsedFamily<'_>) -> String {
    let mut out = format!("{} {:?}", family.kind.name(), family.name);
    if let Some(unit) = &family.unit {
        write!(out, " unit {unit:?}").unwrap();
    }
    if let Some(help) = &family.help {
        write!(out, " help {help:?}").unwrap();
    }
    out.push('\n');
    for sample in family.samples() {
        let labels = labels(sample.labels);
        write!(out, "  {:?} {labels} {:?}", sample.name(), sample.value).unwrap();
        out.push_str(&at(sample.timestamp));
        if let Some(exemplar) = sample.exemplar {
            let labels = self::labels(&exemplar.labels);
            write!(out, " exemplar {labels} {:?}", exemplar.value).unwrap();
            out.push_str(&at(exemplar.timestamp));
        }
        out.push('\n');
    }
    out
}

fn labels(labels: &[Label<'_>]) -> String {
    let labels: Vec<_> = labels
        .iter()
        .map(|label| format!("{:?}={:?}", label.name(), label.value()))
        .collect();
    format!("{{{}}}", labels.join(","))
}

fn at(timestamp: Option<Timestamp>) -> String {
    timestamp.map_or_else(String::new, |timestamp| {
        format!(
            " at {}s+{}ns",
            timestamp.seconds(),
            timestamp.subsec_nanos()
        )
    })
}
