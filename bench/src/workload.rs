//! What is served: the same families, series and values for every peer, made from numbers alone.

use anyhow::{Result, bail};

use crate::meminfo::Figure;

/// A set of families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Workload {
    /// What a small exporter has: 28 series of every kind, three of them read from `/proc/meminfo` at each scrape.
    Demo,
    /// What `deploy/demo.toml` serves: the demo set, two more families, and all of `/proc/meminfo`.
    Plugins,
    /// 10,000 counters in 100 families.
    TenThousand,
    /// 1,000,000 counters in 100 families.
    Million,
    /// 10,000 histograms of 11 buckets in 10 families: 140,000 lines.
    Histograms,
}

/// One family, whose series are made one by one: a million of them at once would be in every peer's memory.
pub struct Family {
    pub name: String,
    pub help: String,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub len: usize,
    pub(crate) series: Box<dyn Fn(usize) -> Series>,
}

/// What a family measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Counter,
    Gauge,
    /// Upper bounds, without +Inf.
    Histogram(&'static [f64]),
    /// Quantiles.
    Summary(&'static [f64]),
}

/// Label values, in the order of the family's label names, and what was measured.
pub struct Series {
    pub labels: Vec<String>,
    pub value: Value,
}

/// What was measured.
#[derive(Clone, Debug)]
pub enum Value {
    Number(f64),
    /// Whole 1024ths, so that their sum is exact in whatever order it is taken.
    Observations(Vec<f64>),
    /// Read at each scrape.
    Memory(Figure),
}

/// The buckets that client libraries have by default.
pub const DEFAULT_BOUNDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

impl Workload {
    pub const ALL: [Self; 5] = [
        Self::Demo,
        Self::Plugins,
        Self::TenThousand,
        Self::Million,
        Self::Histograms,
    ];

    /// As it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Plugins => "plugins",
            Self::TenThousand => "10k",
            Self::Million => "1m",
            Self::Histograms => "histograms",
        }
    }

    pub fn named(name: &str) -> Result<Self> {
        match Self::ALL
            .into_iter()
            .find(|workload| workload.name() == name)
        {
            Some(workload) => Ok(workload),
            None => bail!("no workload {name:?}: demo, plugins, 10k, 1m, histograms"),
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Demo => "Demo set, 28 series",
            Self::Plugins => "Demo page through the sandbox",
            Self::TenThousand => "10,000 series",
            Self::Million => "1,000,000 series",
            Self::Histograms => "10,000 histograms of 11 buckets (140,000 lines)",
        }
    }

    pub fn families(self) -> Result<Vec<Family>> {
        Ok(match self {
            Self::Demo => crate::demo::families(),
            Self::Plugins => crate::demo::plugin_families()?,
            Self::TenThousand => (0..100).map(|n| operations(n, 100)).collect(),
            Self::Million => (0..100).map(|n| operations(n, 10_000)).collect(),
            Self::Histograms => (0..10).map(|n| latencies(n, 1_000)).collect(),
        })
    }

    /// Lines of the page that are samples.
    pub fn lines(self) -> Result<usize> {
        let families = self.families()?;
        Ok(families
            .iter()
            .map(|family| family.len * family.kind.lines())
            .sum())
    }
}

impl Family {
    pub fn iter(&self) -> impl Iterator<Item = Series> {
        (0..self.len).map(|place| (self.series)(place))
    }
}

impl Kind {
    /// As it stands behind `# TYPE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
            Self::Summary(_) => "summary",
        }
    }

    /// Lines of one series.
    fn lines(self) -> usize {
        match self {
            Self::Counter | Self::Gauge => 1,
            Self::Histogram(bounds) => bounds.len() + 3,
            Self::Summary(quantiles) => quantiles.len() + 2,
        }
    }
}

/// `bench_operations_042_total{namespace="namespace-07",pod="pod-00001234",handler="GET /item/id"} 123456`
fn operations(family: usize, len: usize) -> Family {
    const HANDLERS: [&str; 4] = [
        "GET /item/id",
        "PUT /item/id",
        "GET /item/of",
        "GET /item/by",
    ];
    Family {
        name: format!("bench_operations_{family:03}_total"),
        help: format!("Operations of kind {family:03} that were done."),
        kind: Kind::Counter,
        labels: &["namespace", "pod", "handler"],
        len,
        series: Box::new(move |place| {
            let number = family * len + place;
            let dice = mix(number as u64);
            Series {
                labels: vec![
                    format!("namespace-{:02}", number % 20),
                    format!("pod-{number:08}"),
                    HANDLERS[(dice >> 32) as usize % HANDLERS.len()].to_owned(),
                ],
                value: Value::Number((dice % 1_000_000) as f64),
            }
        }),
    }
}

/// `bench_latency_4_seconds_bucket{namespace="namespace-07",pod="pod-00001234",le="0.25"} 12`
fn latencies(family: usize, len: usize) -> Family {
    Family {
        name: format!("bench_latency_{family}_seconds"),
        help: format!("How long operations of kind {family} took."),
        kind: Kind::Histogram(DEFAULT_BOUNDS),
        labels: &["namespace", "pod"],
        len,
        series: Box::new(move |place| {
            let number = family * len + place;
            // 1024ths of a second, as often below 10 ms as above 1 s.
            let observe = |n: u64| {
                let dice = mix(number as u64 * 64 + n);
                let below = 1 << (dice % 15);
                ((dice >> 8) % below) as f64 / 1024.0
            };
            let observations = (0..20 + number as u64 % 40).map(observe);
            Series {
                labels: vec![
                    format!("namespace-{:02}", number % 20),
                    format!("pod-{number:08}"),
                ],
                value: Value::Observations(observations.collect()),
            }
        }),
    }
}

/// splitmix64: numbers without a pattern that a compressor could use, the same in every run.
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
