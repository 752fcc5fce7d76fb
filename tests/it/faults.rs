//! Plugins that fail beside plugins that do not: a fault costs its own series and one gauge, never the page.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Page, TestHost, until};

/// Two plugins that have nothing to do with it.
fn healthy() -> Meterbox {
    Meterbox::with("counter_vec", "counter_vec", "").and("pond", "pond_histogram", "")
}

fn check_healthy(page: &Page) -> Result<()> {
    assert_eq!(
        page.printed(
            "http_requests_total",
            &[("code", "404"), ("method", "POST")]
        ),
        "42"
    );
    assert_eq!(
        page.printed("http_requests_total", &[("code", "200"), ("method", "GET")]),
        "1e+06"
    );
    assert_eq!(page.printed("pond_temperature_celsius_count", &[]), "1000");
    for plugin in ["counter_vec", "pond"] {
        let succeeds = page.number("meterbox_plugin_collect_success", &[("plugin", plugin)])?;
        ensure!(succeeds == 1.0, "{plugin} has failed as well");
    }
    Ok(())
}

/// The gauge that names the failed plugin, and the fault's kind.
fn check_failed(page: &Page, plugin: &str, kind: &str) -> Result<()> {
    let succeeds = page.number("meterbox_plugin_collect_success", &[("plugin", plugin)])?;
    ensure!(succeeds == 0.0, "{plugin} succeeds");
    let faults = page.number(
        "meterbox_plugin_faults_total",
        &[("kind", kind), ("plugin", plugin)],
    )?;
    ensure!(faults >= 1.0, "{faults} faults of {plugin}");
    Ok(())
}

/// A scrape as Prometheus makes it with one second of patience.
fn scrape_within_a_second(host: &TestHost) -> Result<Page> {
    let response = host.request(
        "GET",
        "/metrics",
        &[("x-prometheus-scrape-timeout-seconds", "1")],
    )?;
    assert_eq!(response.status, 200);
    ensure!(
        response.took < Duration::from_secs(1),
        "the page took {:?}",
        response.took
    );
    Page::parse(&response.text()?)
}

#[test]
fn one_that_never_returns() -> Result<()> {
    let host = healthy()
        .and("spins", "test/spins_in_collect", "timeout = \"30s\"")
        .start()?;
    for _ in 0..3 {
        let page = scrape_within_a_second(&host)?;
        check_healthy(&page)?;
        let succeeds = page.number("meterbox_plugin_collect_success", &[("plugin", "spins")])?;
        assert_eq!(succeeds, 0.0);
        // It was set in a call that never returned.
        assert_ne!(page.value("spins", &[]), Some(1.0));
    }
    Ok(())
}

/// Its own limit ends the call where the scrape would have had more patience.
#[test]
fn one_that_overruns_its_own_limit() -> Result<()> {
    let host = healthy()
        .and("spins", "test/spins_in_collect", "timeout = \"100ms\"")
        .start()?;
    let page = scrape_within_a_second(&host)?;
    check_healthy(&page)?;
    check_failed(&page, "spins", "deadline")
}

#[test]
fn one_that_traps() -> Result<()> {
    let host = healthy()
        .and(
            "traps",
            "test/traps_in_collect",
            "config = { trap = \"always\" }",
        )
        .start()?;
    for _ in 0..3 {
        let page = scrape_within_a_second(&host)?;
        check_healthy(&page)?;
        check_failed(&page, "traps", "trap")?;
    }
    Ok(())
}

/// An error costs the samples of that scrape. What the call counted counts all the same, and the instance lives on.
#[test]
fn one_that_returns_an_error() -> Result<()> {
    let host = healthy().and("errs", "test/errs_in_collect", "").start()?;
    for scrapes in 1..=3 {
        let page = scrape_within_a_second(&host)?;
        check_healthy(&page)?;
        check_failed(&page, "errs", "error")?;
        assert_eq!(page.value("errs_total", &[]), Some(f64::from(scrapes)));
        assert_eq!(page.value("errs_sample", &[]), None);
        let restarts = page.value("meterbox_plugin_restarts_total", &[("plugin", "errs")]);
        ensure!(
            restarts.unwrap_or_default() == 0.0,
            "{restarts:?} restarts for an error value"
        );
    }
    Ok(())
}

/// Two scrapes that overlap share one call, and so one fault.
#[test]
fn overlapping_scrapes_share_a_collect() -> Result<()> {
    let host = Meterbox::with("spins", "test/spins_in_collect", "timeout = \"500ms\"").start()?;
    let pages = thread::scope(|scope| {
        let scrapes = [(); 4].map(|()| scope.spawn(|| scrape_within_a_second(&host)));
        scrapes.map(|scrape| scrape.join().map_err(|_| anyhow!("a scrape panicked"))?)
    });
    for page in pages {
        check_failed(&page?, "spins", "deadline")?;
    }
    let after = host.get("/metrics")?;
    let faults = Page::parse(&after.text()?)?;
    let faults = faults.number(
        "meterbox_plugin_faults_total",
        &[("kind", "deadline"), ("plugin", "spins")],
    )?;
    // One for the four, and at most one for the last.
    ensure!(faults <= 2.0, "{faults} faults");
    Ok(())
}

#[test]
fn all_three_at_once() -> Result<()> {
    let host = healthy()
        .and("spins", "test/spins_in_collect", "timeout = \"200ms\"")
        .and(
            "traps",
            "test/traps_in_collect",
            "config = { trap = \"always\" }",
        )
        .and("errs", "test/errs_in_collect", "")
        .start()?;
    let page = scrape_within_a_second(&host)?;
    check_healthy(&page)?;
    check_failed(&page, "spins", "deadline")?;
    check_failed(&page, "traps", "trap")?;
    check_failed(&page, "errs", "error")
}

/// Ticks count on through two traps in collect, and what they counted before is never lost.
#[test]
fn counters_go_on_after_a_trap() -> Result<()> {
    let host = healthy()
        .and(
            "traps",
            "test/traps_in_collect",
            "config = { trap = \"third\" }",
        )
        .start()?;
    let (mut seen, mut at_last_fault, mut faults) = (0.0, 0.0, 0.0);
    until(PATIENCE, || {
        let page = host.scrape()?;
        check_healthy(&page)?;
        let count = page.number("trapping_total", &[])?;
        assert!(count >= seen, "the counter fell from {seen} to {count}");
        seen = count;
        let now = page
            .value(
                "meterbox_plugin_faults_total",
                &[("kind", "trap"), ("plugin", "traps")],
            )
            .unwrap_or(0.0);
        if now > faults {
            (faults, at_last_fault) = (now, count);
        }
        ensure!(faults >= 2.0, "{faults} traps yet");
        ensure!(
            at_last_fault > 0.0,
            "nothing was counted before the last trap"
        );
        ensure!(
            count > at_last_fault,
            "nothing was counted since the last trap"
        );
        let restarts = page.number("meterbox_plugin_restarts_total", &[("plugin", "traps")])?;
        ensure!(restarts >= 1.0, "it counts without a restart");
        Ok(())
    })
}

/// The exporter's other pages do not wait for a plugin at all.
#[test]
fn health_does_not_depend_on_plugins() -> Result<()> {
    let host = healthy()
        .and("spins", "test/spins_in_collect", "timeout = \"30s\"")
        .start()?;
    thread::scope(|scope| {
        let scrape = scope.spawn(|| scrape_within_a_second(&host));
        let started = Instant::now();
        for path in ["/-/healthy", "/-/ready", "/"] {
            assert_eq!(host.get(path)?.status, 200, "{path}");
        }
        ensure!(
            started.elapsed() < Duration::from_millis(500),
            "they took {:?}",
            started.elapsed()
        );
        scrape
            .join()
            .map_err(|_| anyhow!("the scrape panicked"))?
            .map(drop)
    })
}

/// A route that its plugin serves goes on while that plugin's collect hangs or another plugin's does.
#[test]
fn routes_go_on_beside_a_hanging_collect() -> Result<()> {
    let host = Meterbox::with("counter", "counter", "routes = [\"/hello\"]")
        .and("spins", "test/spins_in_collect", "timeout = \"30s\"")
        .start()?;
    scrape_within_a_second(&host)?;
    let hello = host.get("/hello")?;
    assert_eq!(hello.text()?, "Hello from Prometheus Exporter!");
    ensure!(
        hello.took < Duration::from_millis(500),
        "it took {:?}",
        hello.took
    );
    Ok(())
}
