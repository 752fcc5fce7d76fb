//! What an update costs: nanoseconds of an increment and of an observation.

use std::{hint::black_box, sync::Barrier, thread, time::Instant};

use anyhow::Result;
use metrics::{Key, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use prometheus::{Counter, Histogram, HistogramOpts};

use crate::{
    golang::Golang,
    meterbox::Instruments,
    report::median,
    workload::{DEFAULT_BOUNDS, Workload},
};

const TIMES: usize = 1_000_000;
const ROUNDS: usize = 5;

/// Nanoseconds: of `inc` and `observe` with one thread, then with two on the same metric where that is possible.
pub struct Cost {
    pub who: String,
    pub nanos: Vec<f64>,
}

/// All peers in turn, round by round; client_golang behind them.
pub fn measure(golang: Option<&Golang>) -> Result<Vec<Cost>> {
    let counter = Counter::new("bench_total", "Counts.")?;
    let opts = HistogramOpts::new("bench_seconds", "Observes.").buckets(DEFAULT_BOUNDS.to_vec());
    let histogram = Histogram::with_opts(opts)?;
    let client_counter = prometheus_client::metrics::counter::Counter::<u64>::default();
    let client_histogram =
        prometheus_client::metrics::histogram::Histogram::new(DEFAULT_BOUNDS.iter().copied());
    let matcher = Matcher::Full("bench_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(matcher, DEFAULT_BOUNDS)?;
    let recorder = builder.build_recorder();
    let metadata = Metadata::new("bench", Level::INFO, None);
    let recorded = recorder.register_counter(&Key::from_static_name("bench_total"), &metadata);
    let observed = recorder.register_histogram(&Key::from_static_name("bench_seconds"), &metadata);
    let atomic = std::sync::atomic::AtomicU64::new(0);

    let mut costs: Vec<(&str, Vec<Vec<f64>>)> = Vec::new();
    for _ in 0..ROUNDS {
        let mut row = |who, nanos: Vec<f64>| match costs.iter_mut().find(|cost| cost.0 == who) {
            Some((_, rows)) => rows.push(nanos),
            None => costs.push((who, vec![nanos])),
        };
        row("**Meterbox**, one change in a call", meterbox(1)?);
        row("**Meterbox**, 1,000 changes in a call", meterbox(1_000)?);
        row(
            "*bound*: an atomic add",
            vec![
                alone(|_| {
                    atomic.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }),
                f64::NAN,
                together(|_| {
                    atomic.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }),
                f64::NAN,
            ],
        );
        row(
            "`prometheus-client`",
            both(
                |_| {
                    client_counter.inc();
                },
                |value| client_histogram.observe(value),
            ),
        );
        row(
            "`prometheus`",
            both(|_| counter.inc(), |value| histogram.observe(value)),
        );
        row(
            "`metrics-exporter-prometheus`",
            both(|_| recorded.increment(1), |value| observed.record(value)),
        );
        // What was recorded is kept until somebody looks.
        recorder.handle().run_upkeep();
    }
    if let Some(golang) = golang {
        let mut server = golang.start(Workload::Demo)?;
        let rounds: Result<_> = (0..ROUNDS).map(|_| server.ask("update")).collect();
        costs.push(("client_golang", rounds?));
    }
    let medians = costs.into_iter().map(|(who, rows)| {
        let columns = (0..rows[0].len())
            .map(|column| median(&mut rows.iter().map(|row| row[column]).collect::<Vec<_>>()));
        Cost {
            who: who.to_owned(),
            nanos: columns.collect(),
        }
    });
    Ok(medians.collect())
}

/// The values that are observed, over and over: through all buckets.
pub fn value(n: usize) -> f64 {
    const VALUES: [f64; 8] = [0.004, 0.3, 0.02, 7.0, 0.07, 1.5, 0.15, 20.0];
    VALUES[n % VALUES.len()]
}

fn both(inc: impl Fn(f64) + Sync, observe: impl Fn(f64) + Sync) -> Vec<f64> {
    vec![
        alone(&inc),
        alone(&observe),
        together(&inc),
        together(&observe),
    ]
}

/// A plugin is called by one task at a time, so two threads on one metric do not happen.
fn meterbox(changes: usize) -> Result<Vec<f64>> {
    let mut instruments = Instruments::new(DEFAULT_BOUNDS)?;
    let values: Vec<f64> = (0..changes).map(value).collect();
    let calls = TIMES / changes;
    let start = Instant::now();
    (0..calls).for_each(|_| instruments.add(changes));
    let added = start.elapsed();
    let start = Instant::now();
    (0..calls).for_each(|_| instruments.observe(&values));
    let observed = start.elapsed();
    let nanos = [added, observed].map(|time| time.as_nanos() as f64 / TIMES as f64);
    Ok(vec![nanos[0], nanos[1], f64::NAN, f64::NAN])
}

fn alone(change: impl Fn(f64)) -> f64 {
    let start = Instant::now();
    for n in 0..TIMES {
        change(black_box(value(n)));
    }
    start.elapsed().as_nanos() as f64 / TIMES as f64
}

/// Nanoseconds of each thread's change while the other one changes the same metric.
fn together(change: impl Fn(f64) + Sync) -> f64 {
    let start = Barrier::new(2);
    let one = || {
        start.wait();
        alone(&change)
    };
    thread::scope(|scope| {
        let other = scope.spawn(one);
        let mine = one();
        other
            .join()
            .map_or(f64::NAN, |theirs| f64::midpoint(mine, theirs))
    })
}
