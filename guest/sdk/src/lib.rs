//! Write plugins for Meterbox: Prometheus collectors as WebAssembly modules.
//!
//! ```no_run
//! # #[cfg(feature = "http")] mod plugin {
//! use meterbox_plugin::prelude::*;
//!
//! struct Hello {
//!     hellos: Counter,
//! }
//!
//! impl Collector for Hello {
//!     fn register(registry: &mut Registry) -> Result<Self> {
//!         Ok(Self { hellos: registry.counter("hellos_total", "How often we said hello.") })
//!     }
//! }
//!
//! impl HttpHandler for Hello {
//!     fn handle(&mut self, _: Request) -> Result<Response> {
//!         self.hellos.inc();
//!         Ok(Response::text("Hello!"))
//!     }
//! }
//!
//! meterbox_plugin::export!(Hello: Collector, HttpHandler);
//! # }
//! ```
//!
//! A plugin is a type and its hooks, each a trait: [`Collector`], which every plugin has, [`Lifecycle`], [`Schedule`],
//! [`TextCollector`], [`Probe`], [`Wants`] and [`HttpHandler`](http::HttpHandler). It has two ways to report, those of client libraries:
//!
//! - **Instruments** ([`Counter`], [`GaugeVec`], …) are counted up as things happen. The host keeps the values, so
//!   they survive a panic, a timeout and a reload of the plugin, and all its instances feed the same ones. Counting
//!   costs about a nanosecond: it stays inside the plugin, and the host hears of it when the call returns.
//! - **Samples** are what [`Collector::collect`] reads afresh for each scrape: see [`Samples`].
//!
//! What another library has as exposition text already goes to the host as it is: see [`TextCollector`].
//!
//! The host calls one function of an instance at a time: [`Collector::register`] first, then [`Lifecycle::init`],
//! then the others as they come due. A panic or an overrun timeout ends the instance and discards what that call
//! counted; a fresh instance starts over. Each request of an HTTP route and each probe has an instance of its own, so fields
//! of the plugin are not shared with it, while instruments are.
//!
//! A plugin imports what it calls and nothing else. See [`config`], [`log`], [`meminfo`] and, behind the features of
//! the same names, [`http`] and [`random`], and [`client`], [`files`] and [`tcp`] for what is granted.

#![deny(missing_docs)]

#[doc(hidden)]
#[allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
pub mod bindings;
#[cfg(feature = "client")]
pub mod client;
pub mod config;
#[cfg(feature = "files")]
pub mod files;
#[cfg(feature = "http")]
pub mod http;
pub mod log;
pub mod meminfo;
#[doc(hidden)]
#[allow(
    missing_docs,
    missing_debug_implementations,
    reason = "for `export!` alone"
)]
pub mod plugin;
pub mod prelude;
#[cfg(feature = "random")]
pub mod random;
#[cfg(feature = "tcp")]
pub mod tcp;

mod buckets;
mod child;
mod collector;
mod columns;
mod desc;
mod error;
mod exemplar;
mod export;
mod host;
mod instruments;
mod labels;
mod ledger;
mod lifecycle;
mod opts;
#[cfg(any(feature = "client", feature = "files", feature = "tcp"))]
mod peer;
mod probe;
mod registry;
mod samples;
mod schedule;
mod text;
mod wants;

pub use buckets::{
    DEFAULT_BUCKETS, exponential_buckets, exponential_buckets_range, linear_buckets,
};
pub use collector::Collector;
pub use desc::{Desc, Family};
pub use error::{Error, Result};
pub use exemplar::Exemplar;
pub use instruments::{
    Counter, CounterVec, Gauge, GaugeVec, Histogram, HistogramVec, Instrument, LabelError,
    MetricVec, Summary, SummaryVec,
};
pub use lifecycle::{Lifecycle, Start};
pub use opts::{HistogramOpts, NativeOpts, Opts, SummaryOpts};
pub use probe::{Probe, ProbeRequest};
pub use registry::Registry;
pub use samples::{
    BucketSpan, HistogramValue, NativeHistogramValue, Sample, Samples, SummaryValue,
};
pub use schedule::Schedule;
pub use text::TextCollector;
pub use wants::{Want, Wants};
