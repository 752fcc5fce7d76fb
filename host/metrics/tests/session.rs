//! Instruments: staging, committing, deleting.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod common;

use std::{sync::Arc, time::Instant};

use common::{Bench, values};
use meterbox_metrics::{
    Desc, HistogramOptions, InstrumentError, Kind, Registry, ScopeLimits, ScopeOptions, Session,
    SummaryOptions, Verb,
};

const REQUESTS: u32 = 0;
const DEPTH: u32 = 1;
const DURATION: u32 = 2;
const LATENCY: u32 = 3;

fn bench() -> Bench {
    let histogram = HistogramOptions {
        bounds: vec![0.1, 1.0],
        native: None,
    };
    let summary = SummaryOptions {
        objectives: vec![(0.5, 0.05)],
        ..Default::default()
    };
    Bench::new(vec![
        Desc::new("requests_total", "", Kind::Counter).with_labels(["code", "method"]),
        Desc::new("depth", "", Kind::Gauge),
        Desc::new("duration", "", Kind::Histogram(histogram)),
        Desc::new("latency", "", Kind::Summary(summary)),
    ])
}

#[test]
fn a_call_shows_when_it_commits() {
    let mut bench = bench();
    let series = bench
        .session
        .open(REQUESTS, &values(&["404", "POST"]))
        .unwrap();
    bench
        .session
        .update(Verb::Add, vec![series, series], vec![40.0, 2.0])
        .unwrap();
    assert_eq!(bench.samples(), "");
    bench.commit();
    assert_eq!(
        bench.samples(),
        "requests_total{code=\"404\",method=\"POST\"} 42\n"
    );
}

#[test]
fn a_session_that_is_dropped_has_sent_nothing() {
    let mut bench = bench();
    let depth = bench.session.open(DEPTH, &[]).unwrap();
    bench
        .session
        .update(Verb::Set, vec![depth], vec![7.0])
        .unwrap();
    bench.commit();
    bench
        .session
        .update(Verb::Set, vec![depth], vec![8.0])
        .unwrap();
    bench.session = Session::new(Arc::clone(&bench.scope));
    bench.commit();
    assert_eq!(bench.samples(), "depth 7\n");
}

#[test]
fn every_kind_counts() {
    let mut bench = bench();
    let depth = bench.session.open(DEPTH, &[]).unwrap();
    let duration = bench.session.open(DURATION, &[]).unwrap();
    let latency = bench.session.open(LATENCY, &[]).unwrap();
    bench
        .session
        .update(Verb::Set, vec![depth], vec![5.0])
        .unwrap();
    bench
        .session
        .update(Verb::Add, vec![depth], vec![-1.5])
        .unwrap();
    let both = vec![duration, duration, duration, latency];
    bench
        .session
        .update(Verb::Observe, both, vec![0.1, 0.2, 9.0, 3.0])
        .unwrap();
    bench.commit();
    assert_eq!(
        bench.samples(),
        "depth 3.5\n\
         duration_bucket{le=\"0.1\"} 1\n\
         duration_bucket{le=\"1\"} 2\n\
         duration_bucket{le=\"+Inf\"} 3\n\
         duration_sum 9.3\n\
         duration_count 3\n\
         latency{quantile=\"0.5\"} 3\n\
         latency_sum 3\n\
         latency_count 1\n"
    );
}

#[test]
fn another_instance_finds_the_series_again() {
    let mut bench = bench();
    let mut second = Session::new(Arc::clone(&bench.scope));
    for session in [&mut bench.session, &mut second] {
        let series = session.open(REQUESTS, &values(&["200", "GET"])).unwrap();
        session.update(Verb::Add, vec![series], vec![1.0]).unwrap();
        session.commit(Instant::now());
    }
    assert_eq!(
        bench.samples(),
        "requests_total{code=\"200\",method=\"GET\"} 2\n"
    );
}

#[test]
fn opening_twice_gives_one_number() {
    let mut bench = bench();
    let get = values(&["200", "GET"]);
    let first = bench.session.open(REQUESTS, &get).unwrap();
    assert_eq!(bench.session.open(REQUESTS, &get), Ok(first));
    bench.commit();
    assert_eq!(bench.session.open(REQUESTS, &get), Ok(first));
}

#[test]
fn a_removed_series_stays_dead_for_its_holder() {
    let mut bench = bench();
    let get = values(&["200", "GET"]);
    for commits_between in [false, true] {
        let old = bench.session.open(REQUESTS, &get).unwrap();
        bench
            .session
            .update(Verb::Add, vec![old], vec![1.0])
            .unwrap();
        if commits_between {
            bench.commit();
        }
        assert_eq!(bench.session.remove(REQUESTS, &get), Ok(true));
        assert_eq!(bench.session.remove(REQUESTS, &get), Ok(false));
        if commits_between {
            bench.commit();
            assert_eq!(bench.samples(), "");
        }
        let new = bench.session.open(REQUESTS, &get).unwrap();
        assert_ne!(old, new);
        bench
            .session
            .update(Verb::Add, vec![old, new], vec![100.0, 10.0])
            .unwrap();
        bench.commit();
        bench
            .session
            .update(Verb::Add, vec![old], vec![100.0])
            .unwrap();
        bench.commit();
        assert_eq!(
            bench.samples(),
            "requests_total{code=\"200\",method=\"GET\"} 10\n"
        );
        bench.session.remove(REQUESTS, &get).unwrap();
        bench.commit();
    }
}

#[test]
fn deletes_by_part_of_the_labels() {
    let mut bench = bench();
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for code in ["200", "404"] {
        for method in ["GET", "POST"] {
            bench
                .session
                .open(REQUESTS, &values(&[code, method]))
                .unwrap();
        }
    }
    bench.commit();
    // One more, and one less, that have not been committed when the match is made.
    bench
        .session
        .open(REQUESTS, &values(&["500", "GET"]))
        .unwrap();
    bench
        .session
        .remove(REQUESTS, &values(&["404", "GET"]))
        .unwrap();
    assert_eq!(
        bench
            .session
            .remove_matching(REQUESTS, &[label("method", "GET")]),
        Ok(2)
    );
    assert_eq!(
        bench
            .session
            .remove_matching(REQUESTS, &[label("method", "GET")]),
        Ok(0)
    );
    bench.commit();
    assert_eq!(
        bench.samples(),
        "requests_total{code=\"200\",method=\"POST\"} 0\n\
         requests_total{code=\"404\",method=\"POST\"} 0\n"
    );
    let unknown = bench
        .session
        .remove_matching(REQUESTS, &[label("zone", "a")]);
    assert!(matches!(unknown, Err(InstrumentError::InvalidValue(text)) if text.contains("zone")));
}

#[test]
fn clearing_spares_what_is_opened_after() {
    let mut bench = bench();
    bench
        .session
        .open(REQUESTS, &values(&["200", "GET"]))
        .unwrap();
    bench.commit();
    bench
        .session
        .open(REQUESTS, &values(&["404", "GET"]))
        .unwrap();
    bench.session.clear(REQUESTS).unwrap();
    assert_eq!(
        bench.session.remove(REQUESTS, &values(&["200", "GET"])),
        Ok(false)
    );
    let again = bench
        .session
        .open(REQUESTS, &values(&["200", "GET"]))
        .unwrap();
    bench
        .session
        .update(Verb::Add, vec![again], vec![3.0])
        .unwrap();
    bench.commit();
    assert_eq!(
        bench.samples(),
        "requests_total{code=\"200\",method=\"GET\"} 3\n"
    );
}

#[test]
fn refuses_what_cannot_be() {
    let mut bench = bench();
    let session = &mut bench.session;
    let requests = session.open(REQUESTS, &values(&["200", "GET"])).unwrap();
    let duration = session.open(DURATION, &[]).unwrap();
    assert_eq!(session.open(9, &[]), Err(InstrumentError::UnknownFamily));
    assert_eq!(
        session.open(REQUESTS, &values(&["200"])),
        Err(InstrumentError::LabelCount)
    );
    let mut update = |verb, handles: &[u32], numbers: &[f64]| {
        session.update(verb, handles.to_vec(), numbers.to_vec())
    };
    assert_eq!(
        update(Verb::Add, &[99], &[1.0]),
        Err(InstrumentError::UnknownSeries)
    );
    assert_eq!(
        update(Verb::Add, &[requests], &[]),
        Err(InstrumentError::LabelCount)
    );
    assert_eq!(
        update(Verb::Set, &[requests], &[1.0]),
        Err(InstrumentError::WrongKind)
    );
    assert_eq!(
        update(Verb::Add, &[duration], &[1.0]),
        Err(InstrumentError::WrongKind)
    );
    for bad in [-1.0, f64::NAN] {
        let refused = update(Verb::Add, &[requests, requests], &[5.0, bad]);
        assert!(
            matches!(refused, Err(InstrumentError::InvalidValue(_))),
            "{bad}"
        );
    }
    bench.commit();
    assert!(bench.samples().starts_with("duration_bucket"));
    assert!(
        bench
            .samples()
            .ends_with("requests_total{code=\"200\",method=\"GET\"} 0\n")
    );
}

#[test]
fn a_scope_has_room_for_so_many_series() {
    let registry = Registry::default();
    let options = ScopeOptions {
        limits: ScopeLimits {
            max_series: 2,
            ..ScopeLimits::default()
        },
        ..ScopeOptions::new("small")
    };
    let desc = Desc::new("a", "", Kind::Gauge).with_labels(["l"]);
    let mut session = Session::new(registry.register(&options, vec![desc]).unwrap());
    session.open(0, &values(&["1"])).unwrap();
    session.commit(Instant::now());
    session.open(0, &values(&["2"])).unwrap();
    assert!(matches!(
        session.open(0, &values(&["3"])),
        Err(InstrumentError::Limit(_))
    ));
    session.open(0, &values(&["1"])).unwrap();
}

#[test]
fn slots_are_used_again_without_confusion() {
    let mut bench = bench();
    for round in 0..5_000 {
        let name = format!("{round:05}");
        let series = bench
            .session
            .open(REQUESTS, &values(&[&name, "GET"]))
            .unwrap();
        bench
            .session
            .update(Verb::Add, vec![series], vec![f64::from(round)])
            .unwrap();
        if round >= 2 {
            let old = format!("{:05}", round - 2);
            bench
                .session
                .remove(REQUESTS, &values(&[&old, "GET"]))
                .unwrap();
        }
        bench.commit();
    }
    assert_eq!(
        bench.samples(),
        "requests_total{code=\"04998\",method=\"GET\"} 4998\n\
         requests_total{code=\"04999\",method=\"GET\"} 4999\n"
    );
}
