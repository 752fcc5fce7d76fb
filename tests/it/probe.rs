//! `/probe`: what plugins measure of targets that scrapers name.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};
use meterbox_tests::{
    Client, Meterbox, PATIENCE, Page, Prometheus, Response, TestHost, files, judges, until,
};

fn probing(keys: &str) -> Meterbox {
    let keys = format!("probe = true\n{keys}");
    Meterbox::with("prober", "test/probes", &keys).and("other", "counter_vec", "")
}

fn ask(host: &TestHost, query: &str, headers: &[(&str, &str)]) -> Result<Response> {
    host.request("GET", &format!("/probe?{query}"), headers)
}

/// The page of a probe, which says whether the target is well.
fn probe(host: &TestHost, target: &str, success: bool) -> Result<Page> {
    let target = target.replace(' ', "+");
    let response = ask(host, &format!("plugin=prober&target={target}"), &[])?;
    let text = response.text()?;
    ensure!(response.status == 200, "{target}: {text}");
    let page = Page::parse(&text)?;
    let found = page.number("probe_success", &[])?;
    ensure!(
        found == f64::from(success),
        "{target}: {text}\n{:#?}",
        host.log()
    );
    page.number("probe_duration_seconds", &[])?;
    Ok(page)
}

fn results(page: &Page, result: &str) -> Result<f64> {
    let labels = [("plugin", "prober"), ("result", result)];
    page.number("meterbox_plugin_probes_total", &labels)
}

#[test]
fn target_and_parameters_reach_the_plugin() -> Result<()> {
    let host = probing("prefix = \"p_\"\nlabels = { zone = \"a\" }").start()?;
    let query = "module=http_2xx&plugin=prober&target=https%3A%2F%2Fa.example%2F%3Fx%3D1&a=1&a=2";
    let patience = ("x-prometheus-scrape-timeout-seconds", "2");
    let text = ask(&host, query, &[patience])?.text()?;
    let page = Page::parse(&text)?;
    let names: Vec<_> = page.families.iter().map(|family| &*family.name).collect();
    // Nothing of the page of metrics is there.
    assert_eq!(
        names,
        ["p_seen_info", "probe_duration_seconds", "probe_success"]
    );
    let seen = &page.family("p_seen_info")?.samples[0];
    assert_eq!(seen.label("target"), "https://a.example/?x=1");
    assert_eq!(seen.label("parameters"), "module=http_2xx,a=1,a=2");
    assert_eq!(seen.label("zone"), "a");
    // Of the two seconds the host keeps a margin, and so does the plugin.
    let told: u32 = seen.label("timeout_ms").parse()?;
    ensure!((1000..1800).contains(&told), "{told} ms");
    page.expect(
        "probe_success",
        "gauge",
        "Displays whether or not the probe was a success",
    )?;
    let page = host.scrape()?;
    ensure!(page.family("p_seen_info").is_err() && page.family("probe_success").is_err());
    // What a probe counts is kept, although its instance is gone.
    assert_eq!(page.number("p_asked_total", &[("zone", "a")])?, 1.0);
    Ok(())
}

#[test]
fn pages_come_as_their_scraper_wants_them() -> Result<()> {
    let host = probing("").start()?;
    let query = "plugin=prober&target=flood+20000";
    for (accept, content_type) in [
        ("*/*", "text/plain; version=0.0.4"),
        (
            "application/openmetrics-text;version=1.0.0",
            "application/openmetrics-text; version=1.0.0",
        ),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
            "application/vnd.google.protobuf",
        ),
    ] {
        let headers = [("accept", accept), ("accept-encoding", "gzip")];
        let response = ask(&host, query, &headers)?;
        let found = response.header("content-type");
        ensure!(found.starts_with(content_type), "{found}");
        assert_eq!(response.header("content-encoding"), "gzip");
        if accept == "*/*" {
            let page = Page::parse(&response.text()?)?;
            assert_eq!(page.family("many")?.samples.len(), 20_000);
        }
    }
    let head = host.request("HEAD", "/probe?plugin=prober&target=x", &[])?;
    ensure!(head.status == 200 && head.body.is_empty());
    ensure!(
        host.request("POST", "/probe?plugin=prober&target=x", &[])?
            .status
            == 405
    );
    Ok(())
}

#[test]
fn who_names_no_probe_is_told() -> Result<()> {
    let host = probing("").start()?;
    for (query, text) in [
        ("", "Target parameter is missing"),
        ("plugin=prober", "Target parameter is missing"),
        ("target=x", "Plugin parameter is missing"),
        ("plugin=nobody&target=x", "Unknown plugin \"nobody\""),
        (
            "plugin=other&target=x",
            "Plugin \"other\" may not be asked for probes: its config does not say so",
        ),
        (
            "plugin=prober&target=x&target=y",
            "Target parameter must be specified once",
        ),
    ] {
        let response = ask(&host, query, &[])?;
        assert_eq!(response.status, 400, "{query}");
        assert_eq!(response.text()?.trim_end(), text, "{query}");
    }
    let refused = host
        .scrape()?
        .number("meterbox_http_probe_requests_total", &[("code", "400")])?;
    assert_eq!(refused, 6.0);
    Ok(())
}

/// Nothing is reachable that the config does not name.
#[test]
fn without_the_key_there_is_no_probe() -> Result<()> {
    let host = Meterbox::with("prober", "test/probes", "").start()?;
    ensure!(ask(&host, "plugin=prober&target=x", &[])?.status == 404);
    let page = host.scrape()?;
    ensure!(page.family("meterbox_plugin_probes_total").is_err());

    let refusal = Meterbox::with("other", "counter_vec", "probe = true").refused()?;
    refusal.expect(78, &["other", "probe is set", "meterbox:plugin/probe@0.1"])?;
    let refusal = Meterbox::with("route", "counter", "routes = [\"/probe\"]").refused()?;
    refusal.expect(78, &["/probe", "is a page of the exporter"])?;
    let taken = "probe = true\nconfig = { many = \"probe_success\" }";
    let refusal = Meterbox::with("prober", "test/probes", taken).refused()?;
    refusal.expect(78, &["prober", "probe_success", "already reported"])
}

#[test]
fn a_plugin_that_fails_is_no_target_that_fails() -> Result<()> {
    let host =
        probing("limits = { memory = \"8MiB\", samples = 1000, timeout = \"500ms\" }").start()?;
    probe(&host, "down", false)?.family("seen_info")?;
    for (target, kind) in [
        ("error", "error"),
        ("trap", "trap"),
        ("spin", "deadline"),
        ("sleep", "deadline"),
        ("eat 100000000", "memory"),
        ("flood 1001", "output"),
    ] {
        let page = probe(&host, target, false)?;
        ensure!(page.families.len() == 2, "{target}: {page:?}");
        host.scrape_until(|page| {
            let labels = [("kind", kind), ("plugin", "prober")];
            let faults = page.number("meterbox_plugin_faults_total", &labels)?;
            ensure!(faults >= 1.0, "{target}: no fault of kind {kind}");
            // Nobody else is harmed, the collector of the same plugin included.
            for plugin in ["prober", "other"] {
                let plugin = [("plugin", plugin)];
                ensure!(page.number("meterbox_plugin_collect_success", &plugin)? == 1.0);
            }
            Ok(())
        })?;
    }
    probe(&host, "flood 999", true)?;
    let page = host.scrape_until(|page| {
        ensure!(page.number("meterbox_plugin_probes_in_flight", &[("plugin", "prober")])? == 0.0);
        Ok(page.clone())
    })?;
    let found = ["success", "failure", "fault"].map(|result| results(&page, result));
    let found = found.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(found, [1.0, 1.0, 6.0]);
    let seconds = page.number(
        "meterbox_plugin_probe_seconds_total",
        &[("plugin", "prober")],
    )?;
    ensure!(
        seconds > 1.0,
        "two took half a second each, and all {seconds}"
    );
    Ok(())
}

/// A page that comes too late is worth nothing.
#[test]
fn the_scraper_is_not_kept_waiting() -> Result<()> {
    let host = probing("timeout = \"30s\"\nlimits.cpu = \"30s\"").start()?;
    let patience = [("x-prometheus-scrape-timeout-seconds", "1")];
    for target in ["sleep", "spin"] {
        let query = format!("plugin=prober&target={target}");
        let response = ask(&host, &query, &patience)?;
        ensure!(
            response.took < Duration::from_secs(1),
            "{:?}",
            response.took
        );
        let page = Page::parse(&response.text()?)?;
        assert_eq!(page.number("probe_success", &[])?, 0.0);
    }
    host.logged(&["export=probe", "longer than its scraper waits"])?;
    Ok(())
}

#[test]
fn only_so_many_are_under_way() -> Result<()> {
    let host = probing("timeout = \"30s\"\nlimits.probes = 1").start()?;
    let client = Client::new(host.address());
    thread::scope(|scope| {
        let patience = [("x-prometheus-scrape-timeout-seconds", "20")];
        let first = scope.spawn(move || {
            client.request("GET", "/probe?plugin=prober&target=pause+3000", &patience)
        });
        host.scrape_until(|page| {
            let labels = [("plugin", "prober")];
            ensure!(page.number("meterbox_plugin_probes_in_flight", &labels)? == 1.0);
            Ok(())
        })?;
        let hasty = [("x-prometheus-scrape-timeout-seconds", "0.2")];
        let response = ask(&host, "plugin=prober&target=x", &hasty)?;
        assert_eq!(response.status, 503);
        assert_eq!(response.text()?, "The plugin is busy\n");
        // Who can wait is served.
        probe(&host, "x", true)?;
        let first = first.join().expect("the test's own thread")?;
        ensure!(first.status == 200);
        host.scrape_until(|page| {
            let labels = [("limit", "probes"), ("plugin", "prober")];
            ensure!(page.number("meterbox_plugin_denials_total", &labels)? == 1.0);
            Ok(())
        })
    })
}

/// A server that answers what it is told, once for each connection.
fn greeter() -> Result<std::net::SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            thread::spawn(move || {
                let mut said = [0; 64];
                let read = stream.read(&mut said).unwrap_or(0);
                let said = String::from_utf8_lossy(&said[..read]);
                // Who sends nothing has gone already.
                let _ = write!(stream, "hello {}", said.trim_end());
            });
        }
    });
    Ok(address)
}

/// An address where nobody listens.
fn nobody() -> Result<std::net::SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn tcp(grants: &str) -> Result<TestHost> {
    let keys = format!("probe = true\n[plugins.tcp.grants]\n{grants}");
    Meterbox::with("tcp", "probe_tcp", &keys).start()
}

const LOOPBACK: &str = "tcp = [{ to = \"127.0.0.1:*\", private = true }]";

#[test]
fn tcp_is_probed_as_far_as_it_is_granted() -> Result<()> {
    let (there, gone) = (greeter()?, nobody()?);
    let host = tcp(LOOPBACK)?;
    let page = |target: &str| -> Result<Page> {
        let response = ask(&host, &format!("plugin=tcp&target={target}"), &[])?;
        Page::parse(&response.text()?)
    };
    let found = page(&there.to_string())?;
    assert_eq!(
        found.number("probe_success", &[])?,
        1.0,
        "{:#?}",
        host.log()
    );
    assert_eq!(found.number("probe_ip_protocol", &[])?, 4.0);
    let took = found.number("probe_tcp_connect_time_seconds", &[])?;
    ensure!((0.0..5.0).contains(&took), "{took} s");
    for (target, wanted) in [
        (format!("{there}&send=you&expect=hello+you"), 1.0),
        (format!("{there}&send=you&expect=goodbye"), 0.0),
        (gone.to_string(), 0.0),
        ("nonsense".to_owned(), 0.0),
        // Not granted.
        ("192.0.2.1:80".to_owned(), 0.0),
    ] {
        let success = page(&target)?.number("probe_success", &[])?;
        ensure!(success == wanted, "{target}: {success}\n{:#?}", host.log());
    }
    // The target's faults are not the plugin's.
    let faults = host.scrape()?;
    let faults = faults.family("meterbox_plugin_faults_total")?;
    ensure!(faults.samples.iter().all(|sample| sample.value == 0.0));
    Ok(())
}

/// The relabelling that everybody has for blackbox_exporter.
#[test]
fn prometheus_probes_by_relabelling() -> Result<()> {
    let Some(program) = judges::find("prometheus")? else {
        return Ok(());
    };
    let (there, gone) = (greeter()?, nobody()?);
    let host = tcp(LOOPBACK)?;
    let keys = format!(
        "  - job_name: probes
    scrape_interval: 1s
    scrape_timeout: 1s
    metrics_path: /probe
    params:
      plugin: [tcp]
    static_configs:
      - targets: ['{there}', '{gone}']
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
      - source_labels: [__param_target]
        target_label: instance
      - target_label: __address__
        replacement: '{}'
",
        host.address()
    );
    let server = Prometheus::start_scraping(&program, host.address(), &keys)?;
    until(PATIENCE, || {
        for (target, wanted) in [(there, 1.0), (gone, 0.0)] {
            let success = server.scalar(&format!("probe_success{{instance=\"{target}\"}}"))?;
            ensure!(success == wanted, "{target}: {success}");
            let up = server.scalar(&format!("up{{instance=\"{target}\"}}"))?;
            ensure!(up == 1.0, "{target} is not up");
        }
        Ok(())
    })
}

#[test]
fn probes_are_reloaded() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("meterbox.toml");
    let source = files::root().join("target/plugins/test/probes.wasm");
    let write = |keys: &str| {
        let text = format!("[plugins.prober]\nsource = {source:?}\n{keys}\n");
        std::fs::write(&file, text)
    };
    write("probe = true")?;
    let host = Meterbox::of_file(&file)
        .arg("--web.enable-lifecycle")
        .start()?;
    probe(&host, "x", true)?;
    write("")?;
    ensure!(host.request("POST", "/-/reload", &[])?.status == 200);
    ensure!(ask(&host, "plugin=prober&target=x", &[])?.status == 404);
    let page = host.scrape()?;
    ensure!(page.family("meterbox_plugin_probes_total").is_err());
    assert_eq!(page.number("asked_total", &[])?, 1.0);
    write("probe = true\nlabels = { a = \"b\" }")?;
    ensure!(host.request("POST", "/-/reload", &[])?.status == 200);
    probe(&host, "x", true)?;
    assert_eq!(results(&host.scrape()?, "success")?, 1.0);
    Ok(())
}

#[test]
fn check_probes_too() -> Result<()> {
    let file = files::root().join("target/plugins/test/probes.wasm");
    let run = |target: &str| {
        std::process::Command::new(files::binary()?)
            .arg("check")
            .arg(&file)
            .args(["-n", "1", "--probe", target, "--probe.parameter", "a=1"])
            .output()
            .map_err(anyhow::Error::from)
    };
    let output = run("down")?;
    let page = Page::parse(&String::from_utf8(output.stdout)?)?;
    assert_eq!(page.number("probe_success", &[])?, 0.0);
    let seen = &page.family("seen_info")?.samples[0];
    assert_eq!(seen.label("parameters"), "a=1");
    let output = run("trap")?;
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr)?;
    ensure!(errors.contains("probe trapped"), "{errors}");
    Ok(())
}
