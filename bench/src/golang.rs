//! The client_golang peer: a Go program that is built where that is possible, and handed its content.

use std::{
    fmt::{Display, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{
    meminfo::Figure,
    process::Server,
    workload::{Kind, Value, Workload},
};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/go");

/// A built server.
#[derive(Clone, Debug)]
pub struct Golang {
    program: PathBuf,
    /// client_golang's and Go's.
    pub versions: String,
}

impl Golang {
    /// Builds the server under the repository's target folder; says why where it cannot.
    pub fn build() -> Result<Self> {
        let folder = PathBuf::from(SOURCES).join("../../target/bench/go");
        let mut script = Command::new(format!("{SOURCES}/build.sh"));
        let output = script
            .arg(&folder)
            .stdin(Stdio::null())
            .output()
            .context("go/build.sh")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{}",
            said.lines().last().unwrap_or("go/build.sh")
        );
        let versions = std::fs::read_to_string(folder.join("versions"))?;
        Ok(Self {
            program: folder.join("server"),
            versions: versions.trim().to_owned(),
        })
    }

    pub fn start(&self, workload: Workload) -> Result<Server> {
        Server::start(
            &mut Command::new(&self.program),
            content(workload)?.as_bytes(),
        )
    }
}

/// The workload as lines; `go/main.go` says which.
fn content(workload: Workload) -> Result<String> {
    let mut text = String::new();
    for family in workload.families()? {
        let (name, help) = (&family.name, &family.help);
        let labels = family.labels.join(",");
        let bounds = match family.kind {
            Kind::Counter | Kind::Gauge => String::new(),
            Kind::Histogram(numbers) | Kind::Summary(numbers) => list(numbers),
        };
        let kind = family.kind.name();
        writeln!(text, "F\t{kind}\t{name}\t{help}\t{labels}\t{bounds}")?;
        for series in family.iter() {
            match series.value {
                Value::Number(number) => write!(text, "S\t{number}")?,
                Value::Observations(values) => write!(text, "S\t{}", list(&values))?,
                Value::Memory(Figure::Used) => write!(text, "S\t@used")?,
                Value::Memory(Figure::Line(line)) => write!(text, "S\t@{line}")?,
            }
            for label in series.labels {
                write!(text, "\t{label}")?;
            }
            text.push('\n');
        }
    }
    text.push_str(".\n");
    Ok(text)
}

fn list(items: &[impl Display]) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}
