//! OpenMetrics pages of any names, labels and numbers, read by Python's strict parser. Skipped where it is missing;
//! `make judges` fetches it.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod common;

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use common::kinds::{counted, sampled};
use meterbox_metrics::{
    Desc, HistogramOptions, Kind, Registry, ScopeOptions, Session, SummaryOptions, Verb, View,
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
        }
        session.commit(Instant::now());
    }
    registry
}

#[test]
fn python_reads_every_sample() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = directory.join("../../target/judges/venv/bin/python");
    if !python.is_file() {
        let required =
            std::env::var_os("METERBOX_REQUIRE_JUDGES").is_some_and(|value| value == "1");
        assert!(
            !required,
            "prometheus_client is missing; `make judges` fetches it"
        );
        return;
    }
    let mut runner = TestRunner::deterministic();
    let mut registries = vec![sampled().registry, counted().registry];
    registries.extend((0..100).map(|_| strange(&mut runner)));
    let mut pages = Vec::new();
    for registry in &registries {
        let page = registry.page(|_| View::All);
        for scheme in Escaping::ALL {
            pages.push(String::from_utf8(page.to_bytes(Format::OpenMetrics100, scheme)).unwrap());
        }
    }
    let lines = pages.iter().flat_map(|page| page.split_terminator('\n'));
    let samples = lines.filter(|line| !line.starts_with('#')).count();

    let mut judge = Command::new(python)
        .arg(directory.join("tests/judge.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It reads all before it says anything.
    judge
        .stdin
        .take()
        .unwrap()
        .write_all(pages.concat().as_bytes())
        .unwrap();
    let said = judge.wait_with_output().unwrap();
    assert!(said.status.success());
    assert_eq!(
        String::from_utf8(said.stdout).unwrap().trim(),
        samples.to_string()
    );
}
