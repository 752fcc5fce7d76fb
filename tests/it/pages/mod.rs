//! The status pages: every state of a plugin, hostile texts, and JSON that agrees with the metrics.

mod browser;
mod paths;

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Page, TestHost, until};
use serde_json::Value;

/// A text that no page may show as it is.
const HOSTILE: &str = "<script>alert(1)</script><img/src=x/onerror=alert(2)>\"'&\u{202e}";

/// Plugins in every state; see `settled`.
fn every_state() -> Meterbox {
    // Two losses, and a long wait for what comes after them.
    let lost = "config = { trap = \"always\" }\nlimits = { restart-pause = \"1h\", restart-pause-max = \"1h\"";
    // As another language's plugin would have it in its text format.
    let said = format!("# HELP odd_total Help: {HOSTILE}\n# TYPE odd_total counter\nodd_total 1\n");
    Meterbox::with("counter", "counter", "routes = [\"/hello\"]")
        .and("pond_histogram", "pond_histogram", "interval = \"100ms\"")
        .and("memory", "memory", "grants = { meminfo = true }")
        .and("errs", "test/errs_in_collect", "log-level = \"debug\"")
        .and("waiting", "test/traps_in_collect", &format!("prefix = \"w_\"\n{lost} }}"))
        .and("quarantined", "test/traps_in_collect", &format!("prefix = \"q_\"\n{lost}, quarantine-after = 2 }}"))
        .and("missing", "test/none_such", "startup = \"retry\"")
        .and("wants", "test/wants", "startup = \"ignore\"")
        .and("hostile_text", "test/text", &format!("config = {{ say = {} }}", quoted(&said)))
        .and(
            "tries",
            "test/grants",
            &format!(
                "config = {{ try = {} }}\n[plugins.tries.grants]\nenv = {{ A = \"b\" }}\ndns = [\"localhost\"]",
                quoted(&format!("print {HOSTILE}\\n\neprint something_is_wrong\\n\nenv A\ntcp 127.0.0.1:9"))
            ),
        )
}

/// A text in TOML: as JSON has it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// JSON under this path.
fn json(host: &TestHost, path: &str) -> Result<Value> {
    let answer = host.get(path)?;
    ensure!(answer.status == 200, "{path}: {}", answer.status);
    assert_eq!(answer.header("content-type"), "application/json");
    let document: Value = serde_json::from_str(&answer.text()?)?;
    assert_eq!(document["status"], "success", "{path}");
    Ok(document["data"].clone())
}

fn plugin(host: &TestHost, name: &str) -> Result<Value> {
    json(host, &format!("/api/v1/plugins/{name}"))
}

/// Scrapes until each plugin is where it ends up.
fn settled(host: &TestHost) -> Result<Page> {
    until(PATIENCE, || {
        let page = host.scrape()?;
        for state in ["waiting", "quarantined"] {
            let labels = [("plugin", state), ("state", state)];
            let is_so = page.number("meterbox_plugin_state", &labels)?;
            ensure!(is_so == 1.0, "{state} is not yet");
        }
        Ok(page)
    })
}

#[test]
fn every_state_has_its_word() -> Result<()> {
    let host = every_state().start()?;
    settled(&host)?;
    let all = json(&host, "/api/v1/plugins")?;
    let all = all["plugins"].as_array().context("no list")?;
    let overview = host.get("/")?.text()?;
    for (name, state) in [
        ("counter", "running"),
        ("errs", "running"),
        ("hostile_text", "running"),
        ("memory", "running"),
        ("missing", "down"),
        ("pond_histogram", "running"),
        ("quarantined", "quarantined"),
        ("tries", "running"),
        ("waiting", "waiting"),
    ] {
        let entry = all.iter().find(|entry| entry["name"] == name);
        let entry = entry.with_context(|| format!("no {name}"))?;
        assert_eq!(entry["state"], state, "{name}");
        ensure!(
            overview.contains(&format!("\"./plugins/{name}\"")),
            "{name}"
        );
        let answer = host.get(&format!("/plugins/{name}"))?;
        assert_eq!(answer.status, 200, "{name}");
        let page = answer.text()?;
        ensure!(
            page.contains(&format!("<span class=\"state {state}\">")),
            "{name}: {page}"
        );
    }
    let names = all
        .iter()
        .map(|entry| entry["name"].as_str().unwrap_or_default());
    ensure!(names.is_sorted(), "{all:?}");
    Ok(())
}

#[test]
fn failures_say_what_and_why() -> Result<()> {
    let host = every_state().start()?;
    settled(&host)?;
    for (name, words) in [
        (
            "errs",
            &[
                "collect failed",
                "collect",
                "no such device",
                "see what the plugin says",
                ">debug<",
            ][..],
        ),
        (
            "waiting",
            &["trap", "Backtrace", "It gets its next instance"],
        ),
        (
            "quarantined",
            &["trap", "report it to the plugin", "2 faults", "1 restart"],
        ),
        (
            "missing",
            &["It does not start", "none_such.wasm", "It is tried again"],
        ),
        (
            "counter",
            &[
                "sha256:",
                "meterbox-plugin ",
                "meterbox:plugin/collector@0.1.0",
                "\"../hello\"",
                "ep1_counter",
                "None since it was loaded",
            ],
        ),
        ("pond_histogram", &["every 100 ms", "succeeded"]),
        ("memory", &["meminfo", "yes"]),
        ("tries", &["tcp", "stderr", "something_is_wrong", "Denied"]),
    ] {
        let page = host.get(&format!("/plugins/{name}"))?.text()?;
        for word in words {
            ensure!(page.contains(word), "{name} lacks {word}: {page}");
        }
    }
    let fault = &plugin(&host, "quarantined")?["faults"][0];
    assert_eq!(fault["kind"], "trap");
    assert_eq!(fault["export"], "collect");
    ensure!(
        fault["backtrace"]
            .as_array()
            .is_some_and(|trace| !trace.is_empty()),
        "{fault}"
    );
    let retry = plugin(&host, "waiting")?["retryTimestampSeconds"].as_f64();
    ensure!(retry.is_some_and(|retry| retry > 1.7e9), "{retry:?}");
    let missing = plugin(&host, "missing")?;
    ensure!(
        missing["digest"].is_null() && missing["error"].is_string(),
        "{missing}"
    );
    let tries = plugin(&host, "tries")?;
    let grants = tries["grants"].as_array().context("no grants")?;
    let tcp = grants
        .iter()
        .find(|grant| grant["grant"] == "tcp")
        .context("no tcp")?;
    ensure!(
        tcp["granted"] == false && tcp["denialsTotal"].as_u64() > Some(0),
        "{tcp}"
    );
    Ok(())
}

/// What is asked again does not change: then both must say the same.
#[test]
fn documents_agree_with_the_metrics() -> Result<()> {
    let host = every_state().start()?;
    settled(&host)?;
    for name in [
        "counter",
        "errs",
        "memory",
        "quarantined",
        "waiting",
        "hostile_text",
    ] {
        until(PATIENCE, || {
            let page = host.scrape()?;
            let document = plugin(&host, name)?;
            let figure = |key: &str| match &document[key] {
                Value::Bool(is_so) => Ok(f64::from(u8::from(*is_so))),
                value => value
                    .as_f64()
                    .with_context(|| format!("no {key} in {document}")),
            };
            let labels = [("plugin", name)];
            for (key, family) in [
                ("up", "meterbox_plugin_up"),
                ("collectSuccess", "meterbox_plugin_collect_success"),
                ("series", "meterbox_plugin_series"),
                ("memoryBytes", "meterbox_plugin_memory_bytes"),
                (
                    "startDurationSeconds",
                    "meterbox_plugin_start_duration_seconds",
                ),
                ("restartsTotal", "meterbox_plugin_restarts_total"),
                (
                    "logLinesDroppedTotal",
                    "meterbox_plugin_log_lines_dropped_total",
                ),
            ] {
                let (told, measured) = (figure(key)?, page.number(family, &labels)?);
                ensure!(
                    (told - measured).abs() < 1e-9,
                    "{name}: {key}: {told}, {measured}"
                );
            }
            let family = page.family("meterbox_plugin_faults_total")?;
            let faults = family
                .samples
                .iter()
                .filter(|sample| sample.label("plugin") == name);
            let faults: f64 = faults.map(|sample| sample.value).sum();
            let told = figure("faultsTotal")?;
            ensure!(told == faults, "{name}: {told} faults, {faults}");
            // Without an instance there is no call, and the metric says how long that took.
            if document["state"] == "running" {
                let took = page.number("meterbox_plugin_collect_duration_seconds", &labels)?;
                let told = document["lastCollect"]["durationSeconds"]
                    .as_f64()
                    .context("no collect")?;
                ensure!((told - took).abs() < 1e-6, "{name}: {told}, {took}");
            }
            let limits = document["limits"].as_array().context("no limits")?;
            for limit in limits.iter().filter(|limit| !limit["used"].is_null()) {
                let key = limit["limit"].as_str().context("no key")?;
                let labels = [("plugin", name), ("limit", key)];
                let most = page.number("meterbox_plugin_limit", &labels)?;
                ensure!(
                    limit["most"].as_f64() == Some(most),
                    "{name}: {limit}: {most}"
                );
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Whatever a plugin says of itself.
#[test]
fn hostile_texts_are_escaped() -> Result<()> {
    let host = every_state().start()?;
    settled(&host)?;
    for path in [
        "/",
        "/plugins/hostile_text",
        "/plugins/tries",
        "/?search=odd",
        "/?search=%3Cscript%3E%22%27",
    ] {
        let answer = host.get(path)?;
        assert_eq!(answer.status, 200, "{path}");
        let page = answer.text()?;
        for raw in ["<script", "<img", "\u{202e}", "onerror=alert(2)>\""] {
            ensure!(!page.contains(raw), "{path}: {raw:?} in {page}");
        }
        if path != "/" {
            ensure!(page.contains("&lt;script&gt;"), "{path}: {page}");
        }
    }
    let log = plugin(&host, "tries")?["log"].to_string();
    ensure!(log.contains("<script>"), "JSON has it as it is: {log}");
    Ok(())
}

#[test]
fn families_are_found_by_their_words() -> Result<()> {
    let host = every_state().start()?;
    settled(&host)?;
    let found = |search: &str| host.get(&format!("/?search={search}"))?.text();
    let page = found("EP1_COUNT")?;
    for word in ["1 family", ">ep1_counter<", "\"./plugins/counter\""] {
        ensure!(page.contains(word), "{word} is not in {page}");
    }
    let page = found("temperature+pond")?;
    ensure!(
        page.contains("pond_temperature_celsius") && page.contains("histogram"),
        "{page}"
    );
    // The exporter's own, by their help.
    let page = found("scrape+succeeded")?;
    ensure!(page.contains("meterbox_plugin_collect_success"), "{page}");
    // The link shows that family alone.
    let link = "./metrics?name%5B%5D=ep1_counter&amp;collect%5B%5D=counter";
    ensure!(found("ep1_counter")?.contains(link), "no {link}");
    let metrics = host
        .get(&link.replace("./", "/").replace("&amp;", "&"))?
        .text()?;
    assert_eq!(metrics.matches("# HELP").count(), 1, "{metrics}");
    ensure!(found("nothing_has_this_name")?.contains("No family has"));
    // Too long a search is cut, and an empty one is none.
    ensure!(found(&"x".repeat(5000))?.len() < 20_000);
    ensure!(found("")?.contains("Plugins, those that need attention first"));
    Ok(())
}

#[test]
fn many_families_are_cut() -> Result<()> {
    let many = (0..300).map(|number| format!("many_{number} 1\n"));
    let keys = format!("config = {{ say = {:?} }}", many.collect::<String>());
    let host = Meterbox::with("text", "test/text", &keys).start()?;
    host.scrape()?;
    let page = host.get("/?search=many_")?.text()?;
    ensure!(page.contains("The first 100 of 300 families"), "{page}");
    let document = plugin(&host, "text")?;
    assert_eq!(document["families"].as_array().map(Vec::len), Some(100));
    assert_eq!(document["familiesTotal"], 301);
    Ok(())
}
