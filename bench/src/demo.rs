//! The demo set, and the page of `deploy/demo.toml`.

use anyhow::{Context, Result};

use crate::{
    meminfo::{self, Figure},
    workload::{DEFAULT_BOUNDS, Family, Kind, Series, Value, mix},
};

const QUANTILES: &[f64] = &[0.5, 0.9, 0.99];

/// 28 series.
pub fn families() -> Vec<Family> {
    vec![
        one(
            "ep1_counter",
            "ep1 hello counter metric.",
            Kind::Counter,
            Value::Number(36.0),
        ),
        Family {
            name: "http_requests_total".to_owned(),
            help: "How many HTTP requests processed, partitioned by status code and HTTP method."
                .to_owned(),
            kind: Kind::Counter,
            labels: &["code", "method"],
            len: 4,
            series: Box::new(|place| {
                let (code, method, count) = [
                    ("200", "GET", 1_000_000.0),
                    ("404", "POST", 42.0),
                    ("404", "GET", 7.0),
                    ("200", "POST", 65_536.0),
                ][place];
                Series {
                    labels: vec![code.to_owned(), method.to_owned()],
                    value: Value::Number(count),
                }
            }),
        },
        one(
            "temperature_celsius",
            "Current temperature in Celsius",
            Kind::Gauge,
            Value::Number(23.6875),
        ),
        one(
            "request_duration_seconds",
            "Duration of requests in seconds",
            Kind::Histogram(DEFAULT_BOUNDS),
            Value::Observations(durations()),
        ),
        one(
            "request_latency_seconds",
            "Latency of requests in seconds",
            Kind::Summary(QUANTILES),
            Value::Observations(durations()),
        ),
        memory(
            "memory_total_bytes",
            "Total memory in bytes",
            Figure::Line(0),
        ),
        memory("memory_used_bytes", "Used memory in bytes", Figure::Used),
        memory("memory_free_bytes", "Free memory in bytes", Figure::Line(1)),
    ]
}

/// Everything that the nine demo plugins report.
pub fn plugin_families() -> Result<Vec<Family>> {
    let mut families = families();
    let requests = families.iter_mut().find(|family| family.labels.len() == 2);
    requests.context("http_requests_total")?.len = 2; // as many as the plugin has
    let help = "The temperature of the frog pond.";
    families.push(one(
        "pond_temperature_celsius",
        help,
        Kind::Histogram(&[20.0, 25.0, 30.0, 35.0, 40.0]),
        Value::Observations(pond()),
    ));
    families.push(one(
        "summary_pond_temperature_celsius",
        help,
        Kind::Summary(QUANTILES),
        Value::Observations(pond()),
    ));
    for (line, name) in meminfo::names()?.into_iter().enumerate() {
        let help = format!("Memory information field {name}.");
        families.push(memory(
            &format!("node_memory_{name}"),
            &help,
            Figure::Line(line),
        ));
    }
    Ok(families)
}

/// The quantile of sorted observations: the smallest that at least this part does not exceed.
pub fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

fn one(name: &str, help: &str, kind: Kind, value: Value) -> Family {
    Family {
        name: name.to_owned(),
        help: help.to_owned(),
        kind,
        labels: &[],
        len: 1,
        series: Box::new(move |_| Series {
            labels: Vec::new(),
            value: value.clone(),
        }),
    }
}

fn memory(name: &str, help: &str, figure: Figure) -> Family {
    one(name, help, Kind::Gauge, Value::Memory(figure))
}

/// Up to 99 ms, in 1024ths.
fn durations() -> Vec<f64> {
    (0..300).map(|n| (mix(n) % 100) as f64 / 1024.0).collect()
}

/// A thousand temperatures between 18 and 42 degrees, in halves.
fn pond() -> Vec<f64> {
    (0..1000)
        .map(|n| 30.0 + (24.0 * (f64::from(n) * 0.1).sin()).floor() / 2.0)
        .collect()
}
