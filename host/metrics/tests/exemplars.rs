//! Exemplars: staged with their call, kept by bucket, moved and lost with their series, and written by the formats that
//! have a word for them.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod common;

use std::time::Instant;

use common::Bench;
use meterbox_metrics::{
    Desc, Exemplar, HistogramOptions, InstrumentError, Kind, Registry, ScopeLimits, ScopeOptions,
    Session, SummaryOptions, Verb, View,
    encode::{Escaping, Format},
};

fn exemplar(trace: &str, value: f64) -> Exemplar {
    Exemplar::new(&[("t", trace)], value, Some(1_250)).unwrap()
}

fn histogram() -> Kind {
    Kind::Histogram(HistogramOptions {
        bounds: vec![1.0, 2.0],
        native: None,
    })
}

/// What the lines of an OpenMetrics page say behind ` # `, with the name of the sample.
fn shown(registry: &Registry) -> Vec<String> {
    let page = registry.page(|_| View::All).with_created_lines(false);
    let text = page.to_bytes(Format::OpenMetrics100, Escaping::AllowUtf8);
    let text = String::from_utf8(text).unwrap();
    meterbox_metrics::parse::openmetrics(&text).unwrap();
    assert!(
        !common::text(&page).contains(" # {"),
        "0.0.4 has no exemplars"
    );
    text.lines()
        .filter_map(|line| {
            let (series, exemplar) = line.split_once(" # ")?;
            Some(format!("{} {exemplar}", series.rsplit_once(' ')?.0))
        })
        .collect()
}

#[test]
fn each_bucket_keeps_its_last() {
    let mut bench = Bench::new(vec![Desc::new("h", "", histogram())]);
    let series = bench.session.open(0, &[]).unwrap();
    for (trace, value) in [
        ("a", 0.5),
        ("b", 1.0),
        ("c", 1.5),
        ("d", f64::NAN),
        ("e", 9.0),
    ] {
        bench
            .session
            .attach(series, exemplar(trace, value))
            .unwrap();
    }
    assert_eq!(shown(&bench.registry), [""; 0], "staged");
    bench.commit();
    assert_eq!(
        shown(&bench.registry),
        [
            r#"h_bucket{le="1.0"} {t="b"} 1.0 1.25"#,
            r#"h_bucket{le="2.0"} {t="c"} 1.5 1.25"#,
            r#"h_bucket{le="+Inf"} {t="e"} 9.0 1.25"#
        ]
    );
    // Of a page that was taken before nothing changes.
    let before = bench.registry.page(|_| View::All);
    let text = before.to_bytes(Format::OpenMetrics100, Escaping::AllowUtf8);
    bench.session.attach(series, exemplar("f", 0.1)).unwrap();
    bench.commit();
    assert_eq!(
        before.to_bytes(Format::OpenMetrics100, Escaping::AllowUtf8),
        text
    );
    assert_eq!(
        shown(&bench.registry)[0],
        r#"h_bucket{le="1.0"} {t="f"} 0.1 1.25"#
    );
}

#[test]
fn only_counters_and_histograms_have_them() {
    let summary = Kind::Summary(SummaryOptions::default());
    let mut bench = Bench::new(vec![
        Desc::new("g", "", Kind::Gauge),
        Desc::new("s", "", summary),
        Desc::new("u", "", Kind::Untyped),
        Desc::new("i_info", "", Kind::Info),
    ]);
    for family in 0..4 {
        let series = bench.session.open(family, &[]).unwrap();
        let refused = bench.session.attach(series, exemplar("a", 1.0));
        assert_eq!(refused, Err(InstrumentError::WrongKind));
    }
    let refused = bench.session.attach(99, exemplar("a", 1.0));
    assert_eq!(refused, Err(InstrumentError::UnknownSeries));
}

#[test]
fn a_counter_that_is_no_counter_in_openmetrics_shows_none() {
    let mut bench = Bench::new(vec![Desc::new("n", "", Kind::Counter)]);
    let series = bench.session.open(0, &[]).unwrap();
    bench.session.attach(series, exemplar("a", 1.0)).unwrap();
    bench.commit();
    assert_eq!(shown(&bench.registry), [""; 0]);
    let page = bench.registry.page(|_| View::All);
    let text = page.to_bytes(Format::ProtobufCompactText, Escaping::AllowUtf8);
    let wanted =
        r#"exemplar:{label:{name:"t" value:"a"} value:1 timestamp:{seconds:1 nanos:250000000}}"#;
    assert!(String::from_utf8(text).unwrap().contains(wanted));
}

#[test]
fn they_move_and_go_with_their_series() {
    let mut bench = Bench::new(vec![
        Desc::new("n_total", "", Kind::Counter).with_labels(["l"]),
    ]);
    let traced = |bench: &mut Bench, name: &str| {
        let series = bench.session.open(0, &[name.to_owned()]).unwrap();
        bench.session.attach(series, exemplar(name, 1.0)).unwrap();
        series
    };
    let m = traced(&mut bench, "m");
    bench.session.open(0, &["p".to_owned()]).unwrap();
    bench.commit();
    let line = |name: &str| format!(r#"n_total{{l="{name}"}} {{t="{name}"}} 1.0 1.25"#);
    assert_eq!(shown(&bench.registry), [line("m")]);
    // Others come before and behind it, and some go.
    for name in ["a", "z"] {
        traced(&mut bench, name);
    }
    bench.commit();
    assert_eq!(shown(&bench.registry), ["a", "m", "z"].map(line));
    bench.session.remove(0, &["m".to_owned()]).unwrap();
    bench.session.attach(m, exemplar("late", 1.0)).unwrap();
    bench.commit();
    assert_eq!(shown(&bench.registry), ["a", "z"].map(line));
    // One with the same labels begins without.
    bench.session.open(0, &["m".to_owned()]).unwrap();
    bench.session.attach(m, exemplar("late", 1.0)).unwrap();
    bench.commit();
    assert_eq!(shown(&bench.registry), ["a", "z"].map(line));
}

#[test]
fn as_many_as_series_and_no_more() {
    let registry = Registry::default();
    let options = ScopeOptions {
        limits: ScopeLimits {
            max_series: 2,
            ..ScopeLimits::default()
        },
        ..ScopeOptions::new("few")
    };
    let scope = registry
        .register(&options, vec![Desc::new("h", "", histogram())])
        .unwrap();
    let mut session = Session::new(scope);
    let series = session.open(0, &[]).unwrap();
    session
        .update(Verb::Observe, vec![series], vec![1.0])
        .unwrap();
    for (trace, value) in [("a", 0.5), ("b", 1.5), ("c", 2.5), ("d", 0.7)] {
        session.attach(series, exemplar(trace, value)).unwrap();
    }
    session.commit(Instant::now());
    let line = |le: &str, shown: &str| format!(r#"h_bucket{{le="{le}"}} {shown} 1.25"#);
    let wanted = [line("1.0", r#"{t="d"} 0.7"#), line("2.0", r#"{t="b"} 1.5"#)];
    assert_eq!(shown(&registry), wanted);
    // What is gone makes room.
    session.remove(0, &[]).unwrap();
    session.commit(Instant::now());
    let series = session.open(0, &[]).unwrap();
    session.attach(series, exemplar("e", 9.0)).unwrap();
    session.commit(Instant::now());
    assert_eq!(shown(&registry), [line("+Inf", r#"{t="e"} 9.0"#)]);
}

#[test]
fn one_call_attaches_no_end_of_them() {
    let mut bench = Bench::new(vec![Desc::new("n_total", "", Kind::Counter)]);
    let series = bench.session.open(0, &[]).unwrap();
    let some = exemplar("a", 1.0);
    let attached = std::iter::repeat_with(|| bench.session.attach(series, some.clone()));
    let refused = attached.take(1_000_001).find_map(Result::err);
    assert!(matches!(refused, Some(InstrumentError::Limit(_))));
}

#[test]
fn without_a_time_it_has_that_of_the_commit() {
    let mut bench = Bench::new(vec![Desc::new("n_total", "", Kind::Counter)]);
    let series = bench.session.open(0, &[]).unwrap();
    let exemplar = Exemplar::new(&[("t", "a")], 1.0, None).unwrap();
    bench.session.attach(series, exemplar).unwrap();
    let seconds = || std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let before = seconds();
    bench.commit();
    let shown = shown(&bench.registry);
    let time: f64 = shown[0].rsplit_once(' ').unwrap().1.parse().unwrap();
    assert!((before - 1.0..seconds() + 1.0).contains(&time), "{time}");
}
