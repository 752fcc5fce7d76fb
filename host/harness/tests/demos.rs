//! The harness with plugins of this repository; `make guests` builds them.

use std::path::PathBuf;

use meterbox_harness::{Error, Harness, Page};

fn demo(name: &str) -> Harness {
    let plugins = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/plugins"));
    Harness::file(plugins.join(name).with_extension("wasm"))
}

#[test]
fn ticks_come_when_they_are_asked_for() -> Result<(), Error> {
    let mut plugin = demo("counter").start()?;
    assert_eq!(plugin.collect()?.value("ep1_counter", &[]), Some(0.0));
    plugin.tick()?;
    plugin.tick()?;
    assert_eq!(plugin.collect()?.value("ep1_counter", &[]), Some(10.0));
    assert!(
        plugin.page().contains("\nep1_counter 10\n"),
        "{}",
        plugin.page()
    );
    Ok(())
}

#[test]
fn memory_figures_are_those_of_the_test() -> Result<(), Error> {
    let figures = "MemTotal: 3 kB\nMemFree: 1 kB\nMemAvailable: 2 kB\n";
    let memory = || demo("memory").meminfo(figures);
    let mut granted = memory().config("grants = { meminfo = true }").start()?;
    let page = granted.collect()?;
    assert_eq!(page.value("memory_total_bytes", &[]), Some(3072.0));
    assert_eq!(page.value("memory_free_bytes", &[]), Some(1024.0));
    let error = memory().start()?.collect().expect_err("nothing is granted");
    assert!(
        error.to_string().contains("grants.meminfo = true"),
        "{error}"
    );
    Ok(())
}

#[test]
fn errors_say_what_to_do() {
    let error = demo("counter").config("timeout = 5").start();
    let error = error.expect_err("no unit").to_string();
    assert!(error.contains("write \"5s\""), "{error}");
    let error = demo("no_such_plugin").start().expect_err("no file");
    assert!(error.to_string().contains("no_such_plugin.wasm"), "{error}");
    let trapped = demo("test/traps_in_collect")
        .config("config = { trap = \"always\" }")
        .start()
        .and_then(|mut plugin| plugin.collect());
    let trapped = trapped.expect_err("it traps").to_string();
    assert!(trapped.contains("collect trapped"), "{trapped}");
    let idle = demo("counter_vec")
        .start()
        .and_then(|mut plugin| plugin.tick());
    assert!(
        idle.expect_err("no schedule")
            .to_string()
            .contains("schedule")
    );
}

#[test]
fn an_instance_that_is_lost_is_replaced_and_counters_go_on() -> Result<(), Error> {
    // Every third collect of an instance traps.
    let mut plugin = demo("test/traps_in_collect")
        .config("config = { trap = \"third\" }")
        .start()?;
    let total = |page: &Page| page.samples.first().map(|sample| sample.value);
    plugin.collect()?;
    assert_eq!(total(&plugin.collect()?), Some(2.0));
    let error = plugin.collect().expect_err("the third one traps");
    assert!(error.to_string().contains("trap"), "{error}");
    assert_eq!(plugin.trial().restarts(), 0);
    assert_eq!(total(&plugin.collect()?), Some(3.0));
    assert_eq!(plugin.trial().restarts(), 1);
    Ok(())
}
