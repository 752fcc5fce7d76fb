//! A registry is compared with a map, through any order of opening, counting, deleting, committing and reading.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod common;

use std::collections::BTreeMap;

use common::{Bench, text, values};
use meterbox_metrics::{Desc, Kind, Page, Verb, View};
use proptest::{collection::vec, prelude::*};

#[derive(Clone, Debug)]
enum Step {
    Add(u16, u8),
    Remove(u16),
    RemoveTens(u8),
    Clear,
    Commit,
    Read,
}

fn step(range: u16) -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..range, 1..9u8).prop_map(|(series, by)| Step::Add(series, by)),
        4 => (0..range).prop_map(Step::Remove),
        1 => (0..10u8).prop_map(Step::RemoveTens),
        1 => Just(Step::Clear),
        4 => Just(Step::Commit),
        2 => Just(Step::Read),
    ]
}

fn labels(series: u16) -> [String; 2] {
    [(series / 10).to_string(), (series % 10).to_string()]
}

fn rendered(model: &BTreeMap<[String; 2], u64>) -> String {
    let lines = model
        .iter()
        .map(|([a, b], value)| format!("x_total{{a=\"{a}\",b=\"{b}\"}} {value}\n"));
    let head = if model.is_empty() {
        ""
    } else {
        "# TYPE x_total counter\n"
    };
    head.to_owned() + &lines.collect::<String>()
}

/// Adds to `bulk` series out of `range` at once, then does the steps, in which series are out of the same range.
fn check(range: u16, bulk: u16, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let desc = Desc::new("x_total", "", Kind::Counter).with_labels(["a", "b"]);
    let mut bench = Bench::new(vec![desc]);
    let (mut staged, mut committed) = (BTreeMap::new(), BTreeMap::new());
    // A page stays as it was taken, whatever comes after it.
    let mut old: Option<(Page, String)> = None;
    // Many at once, so that there are several blocks.
    let bulk = (0..bulk).map(|series| Step::Add(series.wrapping_mul(7919) % range, 1));
    for step in bulk
        .chain([Step::Commit])
        .chain(steps)
        .chain([Step::Commit, Step::Read])
    {
        match step {
            Step::Add(series, by) => {
                let labels = labels(series);
                let handle = bench.session.open(0, &labels).unwrap();
                bench
                    .session
                    .update(Verb::Add, vec![handle], vec![by.into()])
                    .unwrap();
                *staged.entry(labels).or_insert(0u64) += u64::from(by);
            }
            Step::Remove(series) => {
                let labels = labels(series);
                let there = staged.remove(&labels).is_some();
                prop_assert_eq!(bench.session.remove(0, &labels), Ok(there));
            }
            Step::RemoveTens(digit) => {
                let digit = digit.to_string();
                let before = staged.len();
                staged.retain(|labels, _| labels[1] != digit);
                let gone = (before - staged.len()) as u32;
                let matched = bench.session.remove_matching(0, &[("b".to_owned(), digit)]);
                prop_assert_eq!(matched, Ok(gone));
            }
            Step::Clear => {
                staged.clear();
                bench.session.clear(0).unwrap();
            }
            Step::Commit => {
                bench.commit();
                committed.clone_from(&staged);
            }
            Step::Read => {
                // Text is kept from the second time on, as long as nothing changes.
                for _ in 0..3 {
                    let page = bench.registry.page(|_| View::All);
                    prop_assert_eq!(text(&page), rendered(&committed));
                }
                let page = bench.registry.page(|_| View::All);
                prop_assert_eq!(bench.scope.series(), committed.len());
                if let Some((page, shown)) = old.replace((page, rendered(&committed))) {
                    prop_assert_eq!(text(&page), shown);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_page_is_the_model(bulk in 0..3000u16, steps in vec(step(4000), 0..600)) {
        check(4000, bulk, steps)?;
    }

    #[test]
    fn a_small_page_is_the_model(steps in vec(step(40), 0..300)) {
        check(40, 0, steps)?;
    }
}

#[test]
fn many_blocks_are_no_confusion() {
    let desc = Desc::new("x", "", Kind::Gauge).with_labels(["a"]);
    let mut bench = Bench::new(vec![desc]);
    let mut handles = Vec::new();
    for series in 0..100_000u32 {
        handles.push(
            bench
                .session
                .open(0, &values(&[&series.to_string()]))
                .unwrap(),
        );
    }
    let numbers = (0..100_000).map(f64::from).collect();
    bench.session.update(Verb::Set, handles, numbers).unwrap();
    bench.commit();
    for line in bench.samples().lines() {
        let (label, value) = line
            .strip_prefix("x{a=\"")
            .unwrap()
            .split_once("\"} ")
            .unwrap();
        let (label, value): (f64, f64) = (label.parse().unwrap(), value.parse().unwrap());
        assert_eq!(label, value);
    }
}
