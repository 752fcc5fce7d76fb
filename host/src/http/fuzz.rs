//! The fuzz target of `tests/fuzz` that asks for pages, as a test. It stands here because it asks without a socket.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a failed step fails the test"
)]

#[path = "../../../tests/fuzz/exercises/negotiation.rs"]
mod negotiation;

use super::{deadline, negotiate, query};

#[test]
fn negotiation() {
    crate::fuzz::run("negotiation", negotiation::negotiation);
}
