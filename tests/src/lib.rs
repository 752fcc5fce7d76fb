//! The harness of the black-box tests.
//!
//! A test starts the real binary on a free port, speaks HTTP to it and reads what comes back with a parser of its own:
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let host = meterbox_tests::Meterbox::with("counter", "counter", "routes = [\"/hello\"]").start()?;
//! let page = host.scrape()?;
//! assert_eq!(page.value("ep1_counter", &[]), Some(0.0));
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here waits for a fixed time: [`until`] asks again until a condition holds, up to a limit. Whatever is started
//! is killed when its owner is dropped.

pub mod files;
pub mod judges;

mod builder;
mod http;
mod page;
mod parse;
mod process;
mod prometheus;
mod testhost;
mod wait;

pub use builder::{Meterbox, Refusal};
pub use http::{Client, Response, raw};
pub use page::{Family, Page, Sample, Series};
pub use process::{Process, Signal};
pub use prometheus::Prometheus;
pub use testhost::TestHost;
pub use wait::{PATIENCE, until};
