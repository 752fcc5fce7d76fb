//! What the peer asked for: pure functions from request headers to what is offered.
//!
//! Both rules are those of promhttp. A peer that asks for nothing we have is never refused with a 406: it gets text 0.0.4
//! as it is, which is what every reader of metrics could read for ten years.

mod accept;
mod coding;
mod format;
#[cfg(test)]
mod tests;

pub(super) use self::{
    coding::{Coding, coding},
    format::format,
};
