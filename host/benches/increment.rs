//! What an increment costs in a plugin, beside the `prometheus` crate in the same run; and how long a plugin that traps is
//! away.
//!
//! `cargo bench --workspace --bench increment`, after `make guests`.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for people"
)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use meterbox::{
    Host,
    config::{LimitsConfig, PluginConfig},
};

const PLUGINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugins");
const INCREMENTS: u32 = 1_000_000;
const ROUNDS: usize = 31;

#[tokio::main]
async fn main() {
    let guest = |n: u32| {
        PluginConfig::file(format!("{PLUGINS}/test/increments.wasm")).config("n", n.to_string())
    };
    let host = Host::builder()
        .plugin("busy", guest(INCREMENTS))
        .plugin("idle", guest(0).prefix("idle_"))
        .plugin(
            "traps",
            PluginConfig::file(format!("{PLUGINS}/test/traps_in_collect.wasm"))
                .config("trap", "always")
                .limits(LimitsConfig {
                    restart_pause: Some(Duration::from_millis(1)),
                    restart_pause_max: Some(Duration::from_millis(1)),
                    quarantine_after: Some(usize::MAX),
                    ..LimitsConfig::default()
                }),
        )
        .plugin(
            "counter_vec",
            PluginConfig::file(format!("{PLUGINS}/counter_vec.wasm")),
        )
        .start()
        .await
        .unwrap();
    let native = prometheus::Counter::new("native_total", "Counts.").unwrap();

    // Both sides in turn, so that a slow moment of the machine meets both.
    let (mut calls, mut empty, mut natives) = (Vec::new(), Vec::new(), Vec::new());
    let mut away = Vec::new();
    let mut page = String::new();
    for _ in 0..ROUNDS {
        let deadline = Instant::now() + Duration::from_secs(10);
        page = String::from_utf8(host.scrape(deadline).await.to_vec()).unwrap();
        calls.push(value(
            &page,
            "meterbox_plugin_collect_duration_seconds{plugin=\"busy\"}",
        ));
        empty.push(value(
            &page,
            "meterbox_plugin_collect_duration_seconds{plugin=\"idle\"}",
        ));
        away.push(value(
            &page,
            "meterbox_plugin_start_duration_seconds{plugin=\"traps\"}",
        ));
        let start = Instant::now();
        for _ in 0..INCREMENTS {
            black_box(&native).inc();
        }
        natives.push(start.elapsed().as_secs_f64());
    }
    let start = value(
        &page,
        "meterbox_plugin_start_duration_seconds{plugin=\"counter_vec\"}",
    );
    let (call, empty, native) = (median(calls), median(empty), median(natives));
    let per = |seconds: f64| seconds / f64::from(INCREMENTS) * 1e9;
    println!(
        "a collect of a million increments       {:>9.3} ms",
        call * 1e3
    );
    println!(
        "a collect of none                       {:>9.3} ms",
        empty * 1e3
    );
    println!(
        "an increment in a plugin                {:>9.2} ns",
        per(call - empty)
    );
    println!(
        "an increment of prometheus::Counter     {:>9.2} ns",
        per(native)
    );
    println!(
        "ratio plugin / native                   {:>9.2}",
        (call - empty) / native
    );
    // The first one is no restart.
    println!(
        "from a trap to the next instance        {:>9.3} ms",
        median(away.split_off(1)) * 1e3
    );
    println!(
        "counter_vec starts, a million included  {:>9.3} ms",
        start * 1e3
    );
}

fn value(page: &str, series: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(series));
    line.unwrap_or_else(|| panic!("no {series}"))
        .trim()
        .parse()
        .unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
