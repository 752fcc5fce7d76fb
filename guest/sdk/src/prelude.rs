//! What nearly every plugin needs: `use meterbox_plugin::prelude::*;`

pub use std::time::Duration;

#[cfg(feature = "http")]
pub use crate::http::{HttpHandler, Request, Response};
pub use crate::{
    Collector, Counter, CounterVec, Desc, Exemplar, Family, Gauge, GaugeVec, Histogram,
    HistogramOpts, HistogramVec, Lifecycle, Opts, Probe, ProbeRequest, Registry, Result, Samples,
    Schedule, Start, Summary, SummaryVec, TextCollector, Want, Wants,
};
pub use crate::{config, log};
