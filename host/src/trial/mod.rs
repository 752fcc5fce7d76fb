//! One plugin by itself, without a server: what `meterbox check` and `meterbox bench` run, and what tests of plugins use.
//!
//! - [`Trial`]: start it, collect, tick, probe, look at the page
//! - [`survey`](fn@survey): what it says about itself before it serves
//! - [`check`]: collect some times and say what an operator would stumble over
//! - [`bench`](fn@bench): measure it

mod bench;
mod check;

pub use self::{
    bench::{Bench, bench},
    check::{Check, Spread, check},
};
pub use crate::plugin::trial::{
    Collected, Families, LimitUse, Probed, Spare, StartTimes, Survey, Trial, survey,
};
