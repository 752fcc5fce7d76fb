//! An owner takes the place of another, and goes on with the series of families that stayed the same.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod common;

use std::{sync::Arc, time::Instant};

use common::{page, text, values};
use meterbox_metrics::{
    Desc, Heir, Kind, Owner, RegisterError, Registry, Sample, SampleValue, Scope, ScopeOptions,
    Session, Verb, View,
};

fn counter(name: &str) -> Desc {
    Desc::new(name, "", Kind::Counter)
}

fn count(session: &mut Session, family: u32, by: f64) {
    let handle = session.open(family, &[]).unwrap();
    session.update(Verb::Add, vec![handle], vec![by]).unwrap();
    session.commit(Instant::now());
}

fn comes(
    options: &ScopeOptions,
    descs: Vec<Desc>,
    of: &Arc<Scope>,
    rehearsal: Arc<Scope>,
) -> Owner {
    let heir = Some(Heir {
        of: Arc::clone(of),
        rehearsal,
    });
    Owner::Comes {
        options: options.clone(),
        descs,
        heir,
    }
}

/// Takes the place of a scope after a rehearsal in which nothing was done.
fn replace(
    registry: &Registry,
    of: &Arc<Scope>,
    options: &ScopeOptions,
    descs: Vec<Desc>,
) -> Arc<Scope> {
    let rehearsal = Scope::rehearsal(options, descs.clone());
    let owners = vec![comes(options, descs, of, rehearsal)];
    let scopes = registry.plan(owners).unwrap();
    registry.install(scopes.clone());
    Arc::clone(&scopes[0])
}

fn start(descs: Vec<Desc>) -> (Registry, ScopeOptions, Arc<Scope>) {
    let (registry, options) = (Registry::default(), ScopeOptions::new("a"));
    let scope = registry.register(&options, descs).unwrap();
    (registry, options, scope)
}

#[test]
fn what_stayed_goes_on_and_the_rest_begins_or_vanishes() {
    let (registry, options, old) = start(vec![
        counter("stays_total"),
        counter("goes_total"),
        Desc::new("changes", "", Kind::Gauge),
    ]);
    let mut before = Session::new(Arc::clone(&old));
    for family in 0..3 {
        count(&mut before, family, 3.0);
    }
    // What pages keep of a family must not outlive its help text.
    assert!(page(&registry).contains("stays_total 3\n"));
    let new = vec![
        Desc::new("changes", "", Kind::Untyped),
        counter("comes_total"),
        Desc::new("stays_total", "Now with help.", Kind::Counter),
    ];
    let new = replace(&registry, &old, &options, new);
    assert!(page(&registry).contains("# HELP stays_total Now with help.\n"));
    let mut after = Session::new(Arc::clone(&new));
    count(&mut after, 1, 1.0);
    count(&mut after, 2, 1.0);
    // A call into the old one that was under way.
    count(&mut before, 0, 10.0);
    count(&mut before, 1, 10.0);
    assert_eq!(
        page(&registry),
        "# TYPE comes_total counter\n\
         comes_total 1\n\
         # HELP stays_total Now with help.\n\
         # TYPE stays_total counter\n\
         stays_total 14\n"
    );
    let late = registry.page_of(&[Arc::clone(&old)], |_| View::All);
    let late = text(&late);
    assert!(
        late.contains("changes 3\n") && late.contains("goes_total 13\n"),
        "{late}"
    );
}

#[test]
fn a_plan_that_is_dropped_changes_nothing() {
    let (registry, options, old) = start(vec![counter("stays_total")]);
    let mut session = Session::new(Arc::clone(&old));
    count(&mut session, 0, 1.0);
    let other = registry
        .register(&ScopeOptions::new("b"), vec![counter("b_total")])
        .unwrap();
    let before = page(&registry);
    let descs = vec![
        Desc::new("stays_total", "Other.", Kind::Counter),
        counter("b_total"),
    ];
    let rehearsal = Scope::rehearsal(&options, descs.clone());
    let plan = registry.plan(vec![
        comes(&options, descs.clone(), &old, Arc::clone(&rehearsal)),
        Owner::Stays(Arc::clone(&other)),
    ]);
    let (place, error) = plan.unwrap_err();
    assert!(matches!(error, RegisterError::Taken { name, .. } if name == "b_total"));
    assert_eq!(place, 0, "the one that comes is to blame");
    drop(
        registry
            .plan(vec![comes(&options, descs, &old, rehearsal)])
            .unwrap(),
    );
    assert_eq!(page(&registry), before);
    count(&mut session, 0, 1.0);
    assert!(page(&registry).contains("stays_total 2\n"));
}

#[test]
fn samples_and_other_labels_begin_anew() {
    let (registry, options, old) = start(vec![counter("a_total"), counter("b_total")]);
    let mut session = Session::new(Arc::clone(&old));
    count(&mut session, 0, 5.0);
    count(&mut session, 1, 5.0);
    let descs = old.descs().to_vec();
    let rehearsal = Scope::rehearsal(&options, descs.clone());
    let sample = Sample {
        label_values: Vec::new(),
        value: SampleValue::Number(1.0),
        timestamp_ms: None,
        created_ms: None,
    };
    let samples = vec![(1, sample)];
    assert!(
        rehearsal
            .replace_samples(samples.clone(), Instant::now())
            .is_empty()
    );
    let scopes = registry
        .plan(vec![comes(&options, descs, &old, rehearsal)])
        .unwrap();
    registry.install(scopes.clone());
    assert!(
        scopes[0]
            .replace_samples(samples, Instant::now())
            .is_empty()
    );
    let shown = page(&registry);
    assert!(
        shown.contains("a_total 5\n") && shown.contains("b_total 1\n"),
        "{shown}"
    );

    let labelled = ScopeOptions {
        const_labels: vec![("zone".to_owned(), "a".to_owned())],
        ..options
    };
    let next = replace(&registry, &scopes[0], &labelled, scopes[0].descs().to_vec());
    let mut session = Session::new(next);
    count(&mut session, 0, 1.0);
    assert_eq!(
        page(&registry),
        "# TYPE a_total counter\na_total{zone=\"a\"} 1\n"
    );
}

#[test]
fn heirs_of_heirs_keep_what_was_counted() {
    let labelled = |name: &str| counter(name).with_labels(["l"]);
    let (registry, options, mut scope) = start(vec![labelled("a_total")]);
    for round in 0..1000 {
        let mut session = Session::new(Arc::clone(&scope));
        let handle = session.open(0, &values(&["x"])).unwrap();
        session.update(Verb::Add, vec![handle], vec![1.0]).unwrap();
        session.commit(Instant::now());
        let name = format!("other_{round}_total");
        scope = replace(
            &registry,
            &scope,
            &options,
            vec![labelled("a_total"), labelled(&name)],
        );
    }
    let shown = page(&registry);
    assert_eq!(shown, "# TYPE a_total counter\na_total{l=\"x\"} 1000\n");
}
