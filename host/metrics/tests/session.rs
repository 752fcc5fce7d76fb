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
    Desc, Exemplar, HistogramOptions, InstrumentError, Kind, Quota, Registry, ScopeLimits,
    ScopeOptions, Session, SummaryOptions, Verb,
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

/// A bench whose session may hold so many series, and opens and removes one in a call of its own.
fn churn(max_handles: usize) -> (Bench, impl FnMut(&mut Bench, usize) -> u32) {
    let mut bench = bench();
    let limits = ScopeLimits {
        max_handles,
        ..ScopeLimits::default()
    };
    let options = ScopeOptions {
        limits,
        ..ScopeOptions::new("churns")
    };
    let desc = Desc::new("jobs_total", "", Kind::Counter).with_labels(["job"]);
    bench.scope = bench.registry.register(&options, vec![desc]).unwrap();
    bench.session = Session::new(Arc::clone(&bench.scope));
    let pass = |bench: &mut Bench, job: usize| {
        let job = [format!("{job}")];
        let number = bench.session.open(0, &job).unwrap();
        bench
            .session
            .update(Verb::Add, vec![number], vec![1.0])
            .unwrap();
        bench.commit();
        assert!(bench.session.remove(0, &job).unwrap());
        bench.commit();
        number
    };
    (bench, pass)
}

/// Only what lives is held: a plugin whose series come and go never meets the limit.
#[test]
fn series_may_come_and_go_for_ever() {
    let (mut bench, mut pass) = churn(10);
    let numbers: Vec<u32> = (0..20_000).map(|job| pass(&mut bench, job)).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "a number is reused");
    let rest: Vec<_> = (0..10)
        .map(|job| bench.session.open(0, &[format!("{job}")]))
        .collect();
    assert!(rest.iter().all(Result::is_ok), "{rest:?}");
    let refused = bench.session.open(0, &values(&["one more"]));
    assert_eq!(refused, Err(InstrumentError::Limit(Quota::Handles)));
}

/// Long after it was forgotten, and while its label values and its id are somebody else's.
#[test]
fn a_number_stays_dead() {
    let (mut bench, mut pass) = churn(usize::MAX);
    let lasting = bench.session.open(0, &values(&["lasting"])).unwrap();
    let dead: Vec<u32> = (0..10_000).map(|_| pass(&mut bench, 7)).collect();
    let again = bench.session.open(0, &values(&["7"])).unwrap();
    let verb = Verb::Add;
    let ones = vec![1.0; dead.len()];
    bench.session.update(verb, dead.clone(), ones).unwrap();
    let both = vec![lasting, again];
    bench.session.update(verb, both, vec![2.0, 3.0]).unwrap();
    for number in dead {
        let exemplar = Exemplar::new(&[("a", "b")], 1.0, None).unwrap();
        bench.session.attach(number, exemplar).unwrap();
    }
    bench.commit();
    assert_eq!(
        bench.samples(),
        "jobs_total{job=\"7\"} 3\njobs_total{job=\"lasting\"} 2\n"
    );
    let never = bench.session.update(verb, vec![again + 1], vec![1.0]);
    assert_eq!(never, Err(InstrumentError::UnknownSeries));
}

/// Those that last stand between those that do not.
#[test]
fn what_lasts_is_found_among_the_dead() {
    let (mut bench, mut pass) = churn(1_000);
    let mut lasting = Vec::new();
    for job in 0..30_000 {
        if job % 50 == 0 {
            let label = format!("lasting {job:05}");
            lasting.push(bench.session.open(0, &[label]).unwrap());
        }
        pass(&mut bench, job);
    }
    let numbers: Vec<f64> = (0..lasting.len()).map(|at| at as f64).collect();
    bench.session.update(Verb::Add, lasting, numbers).unwrap();
    bench.commit();
    let samples = bench.samples();
    assert_eq!(samples.lines().count(), 600);
    for (at, line) in samples.lines().enumerate() {
        assert!(line.ends_with(&format!("}} {at}")), "{line}");
    }
}

/// What the call under way has opened is no series yet, and not dead either.
#[test]
fn what_is_new_is_not_forgotten() {
    let (mut bench, _) = churn(5_000);
    for round in 0..3 {
        let open = |at| bench.session.open(0, &[format!("{at:04}")]).unwrap();
        let numbers: Vec<u32> = (0..5_000).map(open).collect();
        let ones = vec![1.0; numbers.len()];
        bench.session.update(Verb::Add, numbers, ones).unwrap();
        bench.commit();
        let samples = bench.samples();
        let counted = samples.lines().filter(|line| line.ends_with("} 1")).count();
        assert_eq!(counted, 5_000, "round {round}");
        bench.session.clear(0).unwrap();
        bench.commit();
    }
}
