//! Strict readers of exposition text.
//!
//! [`text`] reads format 0.0.4, [`openmetrics`] reads OpenMetrics 1.0.0. Both take one pass over the page and never panic.
//! Their time is linear in its length, apart from sorting one word for each series to find those that come twice. What
//! they return borrows from the page and has two faces:
//!
//! - [`ParsedFamily::samples`]: the lines of the family in the order of the page.
//! - [`ParsedFamily::metrics`]: the lines of one histogram or summary put together;
//!   [`ParsedFamily::assemble`] makes them a [`Desc`](crate::Desc) and [`Sample`](crate::Sample)s for the registry.
//!
//! A page is read whole or refused whole, because half a page would show series as gone that are not.
//!
//! ```
//! use meterbox_metrics::parse;
//!
//! let page = "# TYPE hellos_total counter\nhellos_total{lang=\"en\"} 42\n";
//! let families = parse::text(page)?;
//! let sample = families[0].samples().next().expect("one sample");
//! assert_eq!((sample.labels[0].value().as_ref(), sample.value), ("en", 42.0));
//!
//! let error = parse::text("hellos_total{lang=en} 42\n").expect_err("a missing quote");
//! assert_eq!(error.to_string(), "line 1, column 19: expected '\"' before the label value, found 'e'");
//! # Ok::<(), parse::ParseError>(())
//! ```
//!
//! # Where "strict" is a decision
//!
//! Format 0.0.4 has no grammar, so prometheus/common's parser, which node_exporter and the Pushgateway use, stands in for
//! one. Beyond it, these are refused: what Prometheus itself cannot scrape (`# TYPE x COUNTER`), a family in two places,
//! the same series twice, a `# HELP` line after samples, histograms and summaries that contradict themselves, and labels
//! that start with `__`. Blanks at the end of a line are accepted, as the format's description says.
//!
//! [`tidy()`] helps with what scripts write and prometheus/common takes: it brings the lines of each family together.
//!
//! OpenMetrics is read as its grammar says, with two concessions that all its other readers make: `"` may stand
//! unescaped in a `# HELP` line, and names may be quoted as in format 0.0.4.

mod assemble;
mod cursor;
mod descriptors;
mod error;
mod identity;
mod kind;
mod labels;
mod lint;
mod metric;
mod model;
mod number;
mod openmetrics;
mod order;
mod page;
mod point;
mod rules;
mod strings;
mod text;
mod tidy;

pub use assemble::AssembleError;
pub use error::ParseError;
pub use kind::ParsedKind;
pub use lint::{Problem, lint};
pub use metric::ParsedMetric;
pub use model::{Exemplar, Label, ParsedFamily, ParsedSample};
pub use number::Timestamp;
pub use tidy::{Tidy, tidy};

/// Reads a page of text format 0.0.4. Families come in the order of the page, those without samples too.
///
/// # Errors
///
/// The first thing that is not as the format wants it, with its place. A series that comes twice is noticed where its family
/// ends.
pub fn text(input: &str) -> Result<Vec<ParsedFamily<'_>>, ParseError> {
    text::read(input).map_err(|fault| fault.locate(input))
}

/// Reads a page of OpenMetrics 1.0.0. Families come in the order of the page, those without samples too.
///
/// # Errors
///
/// As [`text()`]; also a page that does not end in `# EOF`.
pub fn openmetrics(input: &str) -> Result<Vec<ParsedFamily<'_>>, ParseError> {
    openmetrics::read(input).map_err(|fault| fault.locate(input))
}
