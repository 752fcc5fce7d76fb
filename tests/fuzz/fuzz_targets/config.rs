#![no_main]

#[allow(dead_code, unused_imports, reason = "the host uses more of its files")]
#[path = "../../../host/src/config/mod.rs"]
mod config;
#[path = "../exercises/config.rs"]
mod exercise;
#[allow(dead_code, reason = "the host uses more of its files")]
#[path = "../../../host/src/limits.rs"]
mod limits;

use config::{Config, ConfigError};

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::config(data));
