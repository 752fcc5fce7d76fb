//! Families of several owners on one page, samples, and native registries.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Bench, page, values};
use meterbox_metrics::encode::{Escaping, Format};
use meterbox_metrics::{
    Desc, HistogramOptions, HistogramValue, Kind, RegisterError, Registry, Sample, SampleValue,
    ScopeOptions, Session, SummaryOptions, SummaryValue, Verb, View,
};

fn number(labels: &[&str], value: f64) -> Sample {
    Sample {
        label_values: values(labels),
        value: SampleValue::Number(value),
        timestamp_ms: None,
        created_ms: None,
    }
}

fn histogram() -> Kind {
    Kind::Histogram(HistogramOptions {
        bounds: vec![1.0],
        native: None,
    })
}

#[test]
fn families_and_series_come_in_order() {
    let mut bench = Bench::new(vec![
        Desc::new("b", "Second.", Kind::Gauge),
        Desc::new("a", "First\\\nof all.", Kind::Untyped).with_labels(["y", "x"]),
        Desc::new("empty", "Never seen.", Kind::Gauge).with_labels(["l"]),
    ]);
    for labels in [["1", "z"], ["2", "a b"], ["1", "a"], ["3", "a"]] {
        bench.session.open(1, &values(&labels)).unwrap();
    }
    bench.session.open(0, &[]).unwrap();
    bench.commit();
    assert_eq!(
        page(&bench.registry),
        "# HELP a First\\\\\\nof all.\n\
         # TYPE a untyped\n\
         a{x=\"a\",y=\"1\"} 0\n\
         a{x=\"a\",y=\"3\"} 0\n\
         a{x=\"a b\",y=\"2\"} 0\n\
         a{x=\"z\",y=\"1\"} 0\n\
         # HELP b Second.\n\
         # TYPE b gauge\n\
         b 0\n"
    );
}

#[test]
fn owners_cannot_take_each_others_families() {
    let registry = Registry::default();
    let first = |kind| Desc::new("pond", "A pond.", kind).with_labels(["l"]);
    registry
        .register(&ScopeOptions::new("one"), vec![first(histogram())])
        .unwrap();
    let refused = |options: ScopeOptions, desc: Desc| {
        registry
            .register(&options, vec![desc])
            .expect_err("must be refused")
            .to_string()
    };
    let two = || ScopeOptions::new("two");
    assert_eq!(
        refused(two(), first(Kind::Gauge)),
        "metric \"pond\" is already reported by plugin \"one\": as a histogram with other options \
         or of another type; give one of them a prefix"
    );
    assert_eq!(
        refused(two(), first(histogram())),
        "metric \"pond\" is already reported by plugin \"one\": give one of them a prefix, or \
         constant labels whose values differ"
    );
    let labelled = ScopeOptions {
        const_labels: vec![("z".into(), "1".into())],
        ..two()
    };
    assert!(refused(labelled, first(histogram())).contains("with other label names"));
    assert_eq!(
        refused(two(), Desc::new("pond_count", "", Kind::Gauge)),
        "metric \"pond_count\" collides with the samples of histogram \"pond\", which plugin \
         \"one\" reports"
    );
    assert_eq!(
        refused(two(), Desc::new("pond_created", "", Kind::Gauge)),
        "metric \"pond_created\" collides with the samples of histogram \"pond\", which plugin \
         \"one\" reports"
    );
    let prefixed = ScopeOptions {
        prefix: "two_".into(),
        ..two()
    };
    registry
        .register(&prefixed, vec![first(Kind::Gauge)])
        .unwrap();
}

#[test]
fn nobody_is_called_as_the_time_that_a_family_began() {
    let register = |first: (&str, Kind), second: (&str, Kind)| {
        let descs = [first, second].map(|(name, kind)| Desc::new(name, "", kind));
        let registry = Registry::default();
        registry.register(&ScopeOptions::new("one"), descs.into())
    };
    let summary = || Kind::Summary(Default::default());
    for (name, kind) in [
        ("a_total", Kind::Counter),
        ("a", Kind::Counter),
        ("a", summary()),
        ("a", histogram()),
    ] {
        let created = || ("a_created", Kind::Gauge);
        let error = register((name, kind.clone()), created()).expect_err("must be refused");
        assert_eq!(
            error.to_string(),
            format!(
                "metric \"a_created\" collides with the samples of {} {name:?}, which this plugin \
                 reports",
                kind.text_name()
            )
        );
        assert!(register(created(), (name, kind)).is_err());
    }
    register(("a", Kind::Gauge), ("a_created", Kind::Gauge)).unwrap();
    register(("a_total", Kind::Gauge), ("a_created", Kind::Gauge)).unwrap();
    register(("a_total", Kind::Counter), ("a_total_created", Kind::Gauge)).unwrap();
}

#[test]
fn native_code_may_come_later_and_take_the_name_of_a_time() {
    let native = prometheus::Registry::new();
    let registry = Registry::new(vec![native.clone()]);
    let counter = Desc::new("a_total", "", Kind::Counter);
    let scope = registry.register(&ScopeOptions::new("one"), vec![counter]);
    let mut session = Session::new(scope.unwrap());
    session.open(0, &[]).unwrap();
    session.commit(Instant::now());
    let gauge = prometheus::Gauge::new("a_created", "A gauge.").unwrap();
    native.register(Box::new(gauge)).unwrap();
    let page = registry.page(|_| View::All);
    let text = page.to_bytes(Format::OpenMetrics100, Escaping::default());
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "# TYPE a_created gauge\n# HELP a_created A gauge.\na_created 0.0\n\
         # TYPE a_total unknown\na_total 0.0\n# EOF\n"
    );
}

#[test]
fn one_family_from_two_owners_with_constant_labels() {
    let registry = Registry::default();
    for (owner, zone) in [("one", "b"), ("two", "a")] {
        let const_labels = vec![("zone".to_owned(), zone.to_owned())];
        let options = ScopeOptions {
            const_labels,
            ..ScopeOptions::new(owner)
        };
        let desc = Desc::new("depth", "", Kind::Gauge).with_labels(["at"]);
        let mut session = Session::new(registry.register(&options, vec![desc]).unwrap());
        for at in ["x", "y"] {
            session.open(0, &values(&[at])).unwrap();
        }
        session.commit(Instant::now());
    }
    assert_eq!(
        page(&registry),
        "# TYPE depth gauge\n\
         depth{at=\"x\",zone=\"a\"} 0\n\
         depth{at=\"x\",zone=\"b\"} 0\n\
         depth{at=\"y\",zone=\"a\"} 0\n\
         depth{at=\"y\",zone=\"b\"} 0\n"
    );
}

#[test]
fn an_owner_that_leaves_frees_its_names() {
    let registry = Registry::default();
    let desc = || vec![Desc::new("a", "", Kind::Gauge)];
    let scope = registry
        .register(&ScopeOptions::new("one"), desc())
        .unwrap();
    assert!(
        registry
            .register(&ScopeOptions::new("two"), desc())
            .is_err()
    );
    registry.unregister(&scope);
    registry
        .register(&ScopeOptions::new("two"), desc())
        .unwrap();
}

#[test]
fn the_same_family_twice_is_refused() {
    let registry = Registry::default();
    let desc = Desc::new("a", "", Kind::Gauge);
    let twice = registry.register(&ScopeOptions::new("one"), vec![desc.clone(), desc]);
    assert_eq!(twice.err(), Some(RegisterError::Twice("a".into())));
}

#[test]
fn samples_replace_what_was_there() {
    let bench = Bench::new(vec![
        Desc::new("a", "", Kind::Gauge).with_labels(["l"]),
        Desc::new("b", "", Kind::Counter),
    ]);
    let now = Instant::now();
    let apply = |samples| bench.scope.replace_samples(samples, now);
    assert_eq!(
        apply(vec![(0, number(&["x"], 1.0)), (0, number(&["y"], 2.0))]),
        []
    );
    assert_eq!(bench.samples(), "a{l=\"x\"} 1\na{l=\"y\"} 2\n");
    let timed = Sample {
        timestamp_ms: Some(1_520_879_607_789),
        ..number(&["y"], 3.0)
    };
    assert_eq!(apply(vec![(0, timed), (1, number(&[], 5.0))]), []);
    assert_eq!(bench.samples(), "a{l=\"y\"} 3 1520879607789\nb 5\n");
    assert_eq!(apply(vec![(0, number(&["y"], 4.0))]), []);
    assert_eq!(bench.samples(), "a{l=\"y\"} 4\n");
}

#[test]
fn a_bad_family_costs_itself() {
    let mut bench = Bench::new(vec![
        Desc::new("a", "", Kind::Gauge).with_labels(["l"]),
        Desc::new("b", "", Kind::Gauge),
        Desc::new("c", "", Kind::Gauge),
    ]);
    bench.session.open(2, &[]).unwrap();
    bench.commit();
    let good = number(&[], 1.0);
    let bad = [
        (
            vec![(0, number(&["x"], 1.0)), (0, number(&["x"], 2.0))],
            "duplicate",
        ),
        (vec![(0, number(&[], 1.0))], "label_count"),
        (
            vec![(
                0,
                Sample {
                    value: SampleValue::Summary(SummaryValue::default()),
                    ..number(&["x"], 0.0)
                },
            )],
            "value",
        ),
        (vec![(2, number(&[], 1.0))], "mixed"),
        (
            vec![(7, number(&[], 1.0)), (8, number(&[], 1.0))],
            "unknown_family",
        ),
    ];
    for (mut samples, reason) in bad {
        samples.push((1, good.clone()));
        let errors = bench.scope.replace_samples(samples, Instant::now());
        let reasons: Vec<_> = errors.iter().map(|(_, error)| error.reason()).collect();
        assert_eq!(reasons, [reason]);
        assert_eq!(bench.samples(), "b 1\nc 0\n", "{reason}");
    }
}

#[test]
fn stale_samples_stay_off_the_page() {
    let mut bench = Bench::new(vec![
        Desc::new("a", "", Kind::Gauge),
        Desc::new("b_total", "", Kind::Counter),
    ]);
    let total = bench.session.open(1, &[]).unwrap();
    bench
        .session
        .update(Verb::Add, vec![total], vec![1.0])
        .unwrap();
    bench.commit();
    bench
        .scope
        .replace_samples(vec![(0, number(&[], 1.0))], Instant::now());
    assert_eq!(
        common::text(&bench.registry.page(|_| View::Instruments)),
        "# TYPE b_total counter\nb_total 1\n"
    );
}

#[test]
fn histograms_and_summaries_made_elsewhere() {
    let bench = Bench::new(vec![
        Desc::new("h", "", histogram()),
        Desc::new("s", "", Kind::Summary(Default::default())),
    ]);
    let histogram = HistogramValue {
        count: 3.0,
        sum: 4.5,
        buckets: vec![2.0],
    };
    let summary = SummaryValue {
        count: 2.0,
        sum: 1.0,
        quantiles: vec![(0.5, f64::NAN)],
    };
    let sample = |value| Sample {
        value,
        ..number(&[], 0.0)
    };
    let samples = vec![
        (0, sample(SampleValue::Histogram(histogram))),
        (1, sample(SampleValue::Summary(summary))),
    ];
    assert_eq!(bench.scope.replace_samples(samples, Instant::now()), []);
    assert_eq!(
        bench.samples(),
        "h_bucket{le=\"1\"} 2\n\
         h_bucket{le=\"+Inf\"} 3\n\
         h_sum 4.5\n\
         h_count 3\n\
         s{quantile=\"0.5\"} NaN\n\
         s_sum 1\n\
         s_count 2\n"
    );
}

#[test]
fn native_registries_are_on_the_page_as_they_render_themselves() {
    let native = prometheus::Registry::new();
    let counter = prometheus::CounterVec::new(
        prometheus::Opts::new("native_total", "With \\ and\nbreak."),
        &["code", "at"],
    )
    .unwrap();
    counter.with_label_values(&["500", "a\"b"]).inc_by(2.5);
    counter.with_label_values(&["200", "x\\y\nz"]).inc();
    let seconds = prometheus::Histogram::with_opts(
        prometheus::HistogramOpts::new("native_seconds", "H.").buckets(vec![0.5, 2.5]),
    )
    .unwrap();
    seconds.observe(1.0);
    let depth = prometheus::Gauge::new("native_depth", "G.").unwrap();
    depth.set(-3.25);
    native.register(Box::new(counter)).unwrap();
    native.register(Box::new(seconds)).unwrap();
    native.register(Box::new(depth)).unwrap();
    let theirs = prometheus::TextEncoder::new()
        .encode_to_string(&native.gather())
        .unwrap();
    assert_eq!(page(&Registry::new(vec![native])), theirs);
}

#[test]
fn native_names_are_taken() {
    let native = prometheus::Registry::new();
    let gauge = prometheus::Gauge::new("mine", "G.").unwrap();
    native.register(Box::new(gauge)).unwrap();
    let registry = Registry::new(vec![native]);
    let refused = registry
        .register(
            &ScopeOptions::new("one"),
            vec![Desc::new("mine", "G.", Kind::Gauge)],
        )
        .expect_err("must be refused");
    assert!(refused.to_string().contains("the host itself"), "{refused}");
}

#[test]
fn own_metrics_are_read_when_a_page_is_taken() {
    let registry = Registry::default();
    let calls = registry
        .own_counter("calls_total", "Calls.", ["plugin", "kind"])
        .unwrap();
    let up = registry.own_gauge("up", "Up.", []).unwrap().with([]);
    assert_eq!(page(&registry), "# HELP up Up.\n# TYPE up gauge\nup 0\n");
    let trap = calls.with(["b", "trap"]);
    trap.add(2.5);
    trap.add(-1.0);
    trap.add(f64::NAN);
    // Described again alike it is the same family, and with the same values the same series.
    let again = registry
        .own_counter("calls_total", "Calls.", ["plugin", "kind"])
        .unwrap();
    again.with(["b", "trap"]).inc();
    again.with(["a", "trap"]).advance(7.0);
    again.with(["a", "trap"]).advance(6.0);
    up.set(-1.0);
    up.add(0.5);
    let wanted = "# HELP calls_total Calls.\n# TYPE calls_total counter\n\
                  calls_total{kind=\"trap\",plugin=\"a\"} 7\ncalls_total{kind=\"trap\",plugin=\"b\"} 3.5\n\
                  # HELP up Up.\n# TYPE up gauge\nup -0.5\n";
    assert_eq!(page(&registry), wanted);

    registry.remove_own("plugin", "b");
    trap.inc();
    let wanted = wanted.replace("calls_total{kind=\"trap\",plugin=\"b\"} 3.5\n", "");
    assert_eq!(page(&registry), wanted);
    // It begins anew, and who held the old one does not reach it.
    calls.with(["b", "trap"]).inc();
    trap.inc();
    assert!(page(&registry).contains("plugin=\"b\"} 1\n"));
}

#[test]
fn own_names_are_taken() {
    let native = prometheus::Registry::new();
    let theirs = prometheus::Gauge::new("theirs", "G.").unwrap();
    native.register(Box::new(theirs)).unwrap();
    let registry = Registry::new(vec![native]);
    // A native registry wins.
    let hidden = registry.own_gauge("theirs", "Own.", []).unwrap();
    hidden.with([]).set(1.0);
    assert_eq!(
        page(&registry),
        "# HELP theirs G.\n# TYPE theirs gauge\ntheirs 0\n"
    );
    registry.own_gauge("mine", "G.", []).unwrap();
    let twice = registry.own_gauge("mine", "Another.", []);
    assert_eq!(twice.unwrap_err(), RegisterError::Twice("mine".to_owned()));
    let plugin = |name: &str| {
        let descs = vec![Desc::new(name, "G.", Kind::Gauge)];
        registry.register(&ScopeOptions::new("one"), descs)
    };
    let refused = plugin("mine").unwrap_err().to_string();
    assert!(refused.contains("the host itself"), "{refused}");
    plugin("other").unwrap();
    let refused = registry.own_gauge("other", "G.", []).unwrap_err();
    assert!(refused.to_string().contains("plugin \"one\""), "{refused}");
}

/// What is kept of a family that did not change is not what the rest of the page says about it.
#[test]
fn openmetrics_names_follow_the_page() {
    let registry = Registry::default();
    let total = registry.own_counter("a_total", "", []).unwrap();
    total.with_created([], 1_500).inc();
    let openmetrics = || {
        // Often enough that it is kept.
        let pages = (0..3).map(|_| {
            let page = registry.page(|_| View::All);
            let bytes = page.to_bytes(Format::OpenMetrics100, Escaping::default());
            String::from_utf8(bytes).unwrap()
        });
        let pages: Vec<_> = pages.collect();
        assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
        pages[0].clone()
    };
    let alone = "# TYPE a counter\na_total 1.0\na_created 1.5\n# EOF\n";
    assert_eq!(openmetrics(), alone);
    let without = registry.page(|_| View::All).with_created_lines(false);
    let without = without.to_bytes(Format::OpenMetrics100, Escaping::default());
    assert_eq!(without, b"# TYPE a counter\na_total 1.0\n# EOF\n");
    let other = vec![Desc::new("a", "", Kind::Gauge)];
    let scope = registry.register(&ScopeOptions::new("x"), other).unwrap();
    let mut session = Session::new(std::sync::Arc::clone(&scope));
    session.open(0, &[]).unwrap();
    session.commit(Instant::now());
    assert_eq!(
        openmetrics(),
        "# TYPE a gauge\na 0.0\n# TYPE a_total unknown\na_total 1.0\n# EOF\n"
    );
    registry.unregister(&scope);
    assert_eq!(openmetrics(), alone);
}

/// Samples that say the same again change nothing; a time of their own is a change.
#[test]
fn samples_that_say_the_same_are_the_same() {
    let bench = Bench::new(vec![Desc::new("a", "", Kind::Gauge)]);
    let timed = |value, timestamp_ms| Sample {
        timestamp_ms,
        ..number(&[], value)
    };
    for (sample, line) in [
        (timed(1.0, None), "a 1"),
        (timed(1.0, None), "a 1"),
        (timed(f64::NAN, None), "a NaN"),
        (timed(f64::NAN, None), "a NaN"),
        (timed(2.0, Some(5)), "a 2 5"),
        (timed(2.0, Some(6)), "a 2 6"),
        (timed(2.0, None), "a 2"),
    ] {
        let errors = bench
            .scope
            .replace_samples(vec![(0, sample)], Instant::now());
        assert!(errors.is_empty(), "{errors:?}");
        for _ in 0..3 {
            assert_eq!(page(&bench.registry), format!("# TYPE a gauge\n{line}\n"));
        }
    }
}

/// Pages keep the text of small families that do not change, and share what did not change of large ones.
#[test]
fn summaries_forget_though_nobody_observes() {
    for series in [1, 100] {
        let options = SummaryOptions {
            objectives: vec![(0.5, 0.05)],
            max_age: Duration::from_secs(10),
            age_buckets: 5,
        };
        let desc = Desc::new("s", "", Kind::Summary(options)).with_labels(["l"]);
        let mut bench = Bench::new(vec![desc]);
        for number in 0..series {
            let handle = bench.session.open(0, &[format!("{number}")]).unwrap();
            let update = bench.session.update(Verb::Observe, vec![handle], vec![7.0]);
            update.unwrap();
        }
        // It falls out of the window in half a second.
        let begun = Instant::now();
        let then = begun.checked_sub(Duration::from_millis(9_500)).unwrap();
        bench.session.commit(then);
        loop {
            let samples = bench.samples();
            let (first, _) = samples.split_once('\n').unwrap();
            if first.ends_with(" NaN") {
                break;
            }
            assert_eq!(first, "s{l=\"0\",quantile=\"0.5\"} 7");
            assert!(begun.elapsed() < Duration::from_secs(10), "it stays");
        }
        assert!(begun.elapsed() >= Duration::from_millis(500));
    }
}
