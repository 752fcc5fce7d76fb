//! The metric model of Meterbox: families owned per plugin, a registry that keeps them, and the encoders.
//!
//! This crate is pure: no async, no WebAssembly, no sockets. The host keeps the books here, so that a counter survives
//! the plugin that counts.
//!
//! - [`Desc`] says what a family is, [`Kind`] what it measures.
//! - [`Registry`] checks families against each other when an owner registers them, and holds one [`Scope`] per owner.
//! - [`Session`] is how an instance of a plugin changes durable series: staged during a call, committed as a whole.
//! - [`Counter`]s and [`Gauge`]s are the program's own, in atomics.
//! - [`Sample`]s are the other way to report: a snapshot that replaces what its families held.
//! - [`parse`] reads exposition text; what it finds comes into the registry by [`Registry::replace_dynamic`].
//! - [`encode`] writes a [`Page`] in a wire format.
//!
//! ```
//! use std::time::Instant;
//! use meterbox_metrics::{Desc, Kind, Registry, ScopeOptions, Session, Verb, View};
//! use meterbox_metrics::encode::{Escaping, Format};
//!
//! let registry = Registry::default();
//! let requests = Desc::new("http_requests_total", "Requests by code.", Kind::Counter).with_labels(["code"]);
//! let scope = registry.register(&ScopeOptions::new("demo"), vec![requests])?;
//!
//! let mut session = Session::new(scope);
//! let not_found = session.open(0, &["404".to_owned()])?;
//! session.update(Verb::Add, vec![not_found], vec![42.0])?;
//! session.commit(Instant::now());
//!
//! let page = registry.page(|_| View::All).to_bytes(Format::Text, Escaping::default());
//! assert_eq!(
//!     String::from_utf8(page)?,
//!     "# HELP http_requests_total Requests by code.\n\
//!      ## TYPE http_requests_total counter\n\
//!      http_requests_total{code=\"404\"} 42\n",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod encode;
pub mod gzip;
pub mod parse;

mod block;
mod catalog;
mod column;
mod created;
mod desc;
mod dynamic;
mod exemplar;
mod families;
mod family;
mod foreign;
mod labels;
mod name;
mod native_histogram;
mod number;
mod order;
mod own;
mod page;
mod plan;
mod quantile;
mod registry;
mod sample;
mod scope;
mod session;
mod summary;
mod taken;

pub use catalog::Listed;
pub use desc::{Desc, DescError, HistogramOptions, Kind, NativeOptions, SummaryOptions};
pub use dynamic::DynamicError;
pub use exemplar::{Exemplar, ExemplarError, MAX_EXEMPLAR_CHARS};
pub use name::{is_label_name, is_legacy_label_name, is_legacy_metric_name, is_metric_name};
pub use own::{Counter, CounterVec, Gauge, GaugeVec};
pub use page::Page;
pub use plan::{Heir, Owner};
pub use registry::{RegisterError, Registry, View};
pub use sample::{
    HistogramValue, NativeHistogramValue, Sample, SampleError, SampleValue, SummaryValue,
};
pub use scope::{Scope, ScopeLimits, ScopeOptions};
pub use session::{InstrumentError, Quota, Session, Verb};
