//! Pages of any names, labels, numbers and exemplars, read by Python's parsers and by promtool. Skipped where they are
//! missing; `make judges` fetches them.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod common;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Instant,
};

use common::kinds::{counted, sampled};
use meterbox_metrics::{
    Desc, Exemplar, HistogramOptions, Kind, Registry, ScopeOptions, Session, SummaryOptions, Verb,
    View,
    encode::{Escaping, Format},
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

fn kinds() -> Vec<(Kind, Option<Verb>)> {
    let histogram = |bounds: &[f64]| {
        Kind::Histogram(HistogramOptions {
            bounds: bounds.to_vec(),
            native: None,
        })
    };
    let summary = SummaryOptions {
        objectives: vec![(0.5, 0.1)],
        ..SummaryOptions::default()
    };
    vec![
        (Kind::Counter, Some(Verb::Add)),
        (Kind::Counter, Some(Verb::Add)),
        (Kind::Gauge, Some(Verb::Set)),
        (Kind::Untyped, Some(Verb::Set)),
        (Kind::Info, None),
        (Kind::Summary(summary), Some(Verb::Observe)),
        (histogram(&[-1.0, 0.001, 1e6]), Some(Verb::Observe)),
        (histogram(&[]), Some(Verb::Observe)),
    ]
}

/// A registry with strange families of every kind, as far as they can be registered beside each other.
fn strange(runner: &mut TestRunner) -> Registry {
    // A name that begins with two strange characters is escaped to what this parser takes for a reserved one.
    let name = prop_oneof![
        "[a-z]\\PC{1,8}",
        "[a-z][a-z.:\"\\\\ \n{}é]{1,8}",
        "[a-z]{1,5}(_total|_info|_created|_seconds)?",
    ];
    let text = prop_oneof!["\\PC{0,12}", "[a\"\\\\\n{},= #\u{0}\r\u{85}é]{0,10}"];
    let registry = Registry::default();
    for (place, (kind, verb)) in kinds().into_iter().enumerate() {
        let strategy = (
            (name.clone(), text.clone(), [name.clone(), name.clone()]),
            prop::collection::vec(([text.clone(), text.clone()], any::<f64>()), 3),
        );
        let ((name, help, labels), series) = strategy.new_tree(runner).unwrap().current();
        let is_counter = kind == Kind::Counter;
        let desc = Desc::new(name, help, kind).with_labels(labels);
        let options = ScopeOptions::new(place.to_string());
        let Ok(scope) = registry.register(&options, vec![desc]) else {
            continue;
        };
        let mut session = Session::new(scope);
        for (values, number) in series {
            let handle = session.open(0, &values).unwrap();
            let number = if is_counter { number.abs() } else { number };
            if let Some(verb) = verb {
                session.update(verb, vec![handle], vec![number]).unwrap();
            }
            // Python's parser counts quotes that stand escaped in an exemplar, too, and looks for braces.
            let trace: String = values[0]
                .chars()
                .filter(|char| !"\"{}".contains(*char))
                .collect();
            let exemplar = Exemplar::new(&[("trace_id", trace)], number, None).unwrap();
            // Of a kind that has none it is refused.
            session.attach(handle, exemplar).ok();
        }
        session.commit(Instant::now());
    }
    registry
}

/// A judge that `make judges` put there; `None` skips the test.
fn judge(path: &str) -> Option<PathBuf> {
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/judges");
    let judge = judge.join(path);
    if judge.is_file() {
        return Some(judge);
    }
    let required = std::env::var_os("METERBOX_REQUIRE_JUDGES").is_some_and(|value| value == "1");
    assert!(!required, "{path} is missing; `make judges` fetches it");
    None
}

fn registries() -> Vec<Registry> {
    let mut runner = TestRunner::deterministic();
    let mut registries = vec![sampled().registry, counted().registry];
    registries.extend((0..100).map(|_| strange(&mut runner)));
    registries
}

fn write(registry: &Registry, format: Format, scheme: Escaping) -> String {
    let page = registry.page(|_| View::All);
    String::from_utf8(page.to_bytes(format, scheme)).unwrap()
}

fn ask(judge: &mut Command, text: &str) -> Output {
    let mut judge = judge
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It reads all before it says anything.
    judge
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    judge.wait_with_output().unwrap()
}

fn python_reads(format: Format, mode: &str, end: &str) {
    let Some(python) = judge("venv/bin/python") else {
        return;
    };
    let mut pages = String::new();
    let mut samples = 0;
    for registry in registries() {
        for scheme in Escaping::ALL {
            let page = write(&registry, format, scheme);
            let lines = page.split_terminator('\n');
            samples += lines.filter(|line| !line.starts_with('#')).count();
            pages = pages + &page + end;
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judge.py");
    let said = ask(Command::new(python).arg(script).arg(mode), &pages);
    let why = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{why}");
    let read = String::from_utf8_lossy(&said.stdout);
    assert_eq!(read.trim(), samples.to_string());
}

#[test]
fn python_reads_every_sample_of_openmetrics() {
    python_reads(Format::OpenMetrics100, "openmetrics", "");
}

#[test]
fn python_reads_every_sample_of_text() {
    // To this format it is a comment, and tells the pages apart.
    python_reads(Format::Text, "text", "# EOF\n");
}

/// prometheus/common's parser. It is older than names in quotes.
#[test]
fn promtool_reads_every_page_of_text() {
    let Some(promtool) = judge("bin/promtool") else {
        return;
    };
    for registry in registries() {
        let page = write(&registry, Format::Text, Escaping::Underscores);
        let said = ask(Command::new(&promtool).args(["check", "metrics"]), &page);
        // 3: it was read, and its names are found fault with.
        let read = matches!(said.status.code(), Some(0 | 3));
        assert!(
            read,
            "{}\nin:\n{page}",
            String::from_utf8_lossy(&said.stderr)
        );
    }
}
