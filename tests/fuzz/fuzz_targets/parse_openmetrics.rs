#![no_main]

#[path = "exercise.rs"]
mod exercise;

use libfuzzer_sys::fuzz_target;
use meterbox_metrics::parse;

fuzz_target!(|page: &str| exercise::exercise(page, parse::openmetrics(page)));
