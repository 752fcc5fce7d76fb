//! The fuzz targets of `tests/fuzz`, as tests: their corpora, then random inputs for a moment each. `make fuzz` runs them for
//! longer, and looks where it has not been.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that panics has failed; each target uses its part"
)]

#[path = "../../../tests/fuzz/exercises/encode.rs"]
mod encode;
#[path = "../../../tests/fuzz/exercises/pages.rs"]
mod pages;
#[path = "../../../tests/fuzz/exercises/run.rs"]
mod run;
#[path = "../../../tests/fuzz/exercises/session.rs"]
mod session;

use run::run;

fn text(data: &[u8], read: fn(&str)) {
    read(&String::from_utf8_lossy(data));
}

#[test]
fn parse_text() {
    run("parse_text", |data| text(data, pages::text));
}

#[test]
fn parse_openmetrics() {
    run("parse_openmetrics", |data| text(data, pages::openmetrics));
}

#[test]
fn encode() {
    run("encode", encode::encode);
}

#[test]
fn session() {
    run("session", session::session);
}
