//! Meterbox: a Prometheus exporter whose collectors are sandboxed WebAssembly plugins.
//!
//! A plugin is a `.wasm` file that anybody may have written, in any language, against the contract in `wit/`. The host
//! keeps the metrics, so a plugin that traps or hangs costs its own samples of one scrape, never the page, the process
//! or a count.
//!
//! Embed it as deep as you like:
//!
//! ```no_run
//! use meterbox::{Host, config::PluginConfig};
//!
//! # async fn embed() -> Result<(), Box<dyn std::error::Error>> {
//! let native = prometheus::Registry::new();
//! let host = Host::builder()
//!     .registry(native)
//!     .plugin("counter", PluginConfig::file("target/plugins/counter.wasm").route("/hello"))
//!     .start()
//!     .await?;
//!
//! let everything = host.service(); // a tower service: pages, health, the plugins' routes
//! let metrics = host.metrics_service(); // the metrics page alone, for a router of your own
//! let text = host.scrape(std::time::Instant::now() + std::time::Duration::from_secs(1)).await;
//! # Ok(())
//! # }
//! ```
//!
//! The way of a scrape: [`serve`] (socket) → [`http`] (route) → `gather` (all plugins at once, under a deadline) →
//! `plugin` (whoever holds the lock of the instance) → `engine` (wasmtime) → the guest; and back by return values into the
//! registry of [`meterbox_metrics`], whose encoder writes the page. `host` is the one file that joins the rooms.

pub mod config;
pub mod distribution;
pub mod front;
pub mod http;
pub mod inspect;
pub mod serve;
pub mod trial;

mod assembly;
mod batch;
mod builder;
mod engine;
mod fleet;
mod folder;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a failed step fails the test"
)]
#[path = "../../tests/fuzz/exercises/run.rs"]
mod fuzz;
mod gather;
mod grants;
mod host;
mod imports;
mod limits;
mod own;
mod pages;
mod plugin;
mod push;
mod reload;
mod source;
mod status;
mod textfile;
mod threads;
mod trust;
mod watch;

/// Compiling plugins in processes of their own.
pub mod compile {
    pub use crate::engine::compile::{Compiler, worker};
}

/// What plugins say, in the log.
pub mod log {
    pub use crate::imports::{log::CHOSEN, recent::LogLine};
}

pub use builder::HostBuilder;
pub use engine::{Fault, FaultKind, bounds::TooLarge};
pub use grants::{GrantStatus, Wanted};
pub use host::{Body, Error, Host, Route};
pub use plugin::{PluginError, PluginState};
pub use reload::Reloaded;
pub use source::SourceError;
pub use status::{Collected, LimitStatus, PluginStatus};
