//! The fuzz target of `tests/fuzz` that reads configs, as a test. It stands here because it takes this room without the rest.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a failed step fails the test"
)]

#[path = "../../../tests/fuzz/exercises/config.rs"]
mod exercise;
#[path = "../../../tests/fuzz/exercises/run.rs"]
mod run;

use super::{Config, ConfigError};

#[test]
fn config() {
    run::run("config", exercise::config);
}
