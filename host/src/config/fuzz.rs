//! The fuzz target of `tests/fuzz` that reads configs, as a test. It stands here because it takes this room without the rest.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a failed step fails the test"
)]

#[path = "../../../tests/fuzz/exercises/config.rs"]
mod exercise;

use super::{Config, ConfigError};

#[test]
fn config() {
    crate::fuzz::run("config", exercise::config);
}
