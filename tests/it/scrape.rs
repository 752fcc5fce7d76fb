//! The pages: methods, headers, encodings, links.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use meterbox_tests::{Meterbox, Page, Response, TestHost, raw};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

fn host() -> Result<TestHost> {
    host_with("").start()
}

fn host_with(config: &str) -> Meterbox {
    Meterbox::new()
        .config(config)
        .and("counter_vec", "counter_vec", "")
        .and("counter", "counter", "routes = [\"/hello\"]")
}

#[test]
fn metrics_are_text_in_order_and_come_twice_alike() -> Result<()> {
    let host = host()?;
    let response = host.get("/metrics")?;
    assert_eq!(response.status, 200);
    ensure!(
        response.header("content-type").starts_with(TEXT),
        "{:?}",
        response.headers
    );
    assert_eq!(
        response.header("content-length"),
        response.body.len().to_string()
    );
    // The parser refuses what is out of order or there twice.
    let (first, second) = (Page::parse(&response.text()?)?, host.scrape()?);
    let names = |page: &Page| {
        page.families
            .iter()
            .map(|family| family.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&first), names(&second));
    Ok(())
}

#[test]
fn metrics_about_the_exporter_can_be_left_out() -> Result<()> {
    let full = host()?.scrape()?;
    for way in [
        host_with("[web]\nexporter-metrics = false\n"),
        host_with("").arg("--web.disable-exporter-metrics"),
    ] {
        let page = way.start()?.scrape()?;
        let names = page.families.iter().map(|family| family.name.as_str());
        let own: Vec<_> = names
            .filter(|name| {
                ["meterbox_", "process_"]
                    .iter()
                    .any(|own| name.starts_with(own))
            })
            .collect();
        assert_eq!(
            own,
            [
                "meterbox_build_info",
                "meterbox_plugin_collect_duration_seconds",
                "meterbox_plugin_collect_success",
                "meterbox_plugin_up",
            ]
        );
        let labels = [("plugin", "counter")];
        assert_eq!(
            page.number("meterbox_plugin_collect_success", &labels)?,
            1.0
        );
        let plugins = |page: &Page| {
            page.plugin_families()
                .map(|family| family.name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(plugins(&page), plugins(&full));
    }
    Ok(())
}

#[test]
fn the_process_is_measured() -> Result<()> {
    let page = host()?.scrape()?;
    page.family("process_cpu_seconds_total")?;
    let resident = page.number("process_resident_memory_bytes", &[])?;
    ensure!((1e6..2e9).contains(&resident), "{resident} bytes resident");
    ensure!(page.number("process_open_fds", &[])? > 0.0, "no open files");
    ensure!(
        page.number("process_start_time_seconds", &[])? > 1.7e9,
        "started long ago"
    );
    Ok(())
}

/// What each kind of reader asks for, and gets.
#[test]
fn formats_are_negotiated() -> Result<()> {
    let host = host()?;
    let prometheus_2 = "application/openmetrics-text;version=1.0.0,\
                        application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let native = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
                  application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    let cases: [(&str, &str, &[u8]); 4] = [
        (
            prometheus_2,
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            b"# EOF\n",
        ),
        (
            native,
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            b"",
        ),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            TEXT,
            b"\n",
        ),
        ("", TEXT, b"\n"),
    ];
    for (accept, content_type, end) in cases {
        let response = host.request("GET", "/metrics", &[("accept", accept)])?;
        ensure!(
            response.header("content-type").starts_with(content_type),
            "{accept}: {:?}",
            response.headers
        );
        ensure!(response.body.ends_with(end), "{accept}");
    }
    let filtered = host.get("/metrics?name[]=ep1_counter&name[]=http_requests_total")?;
    assert_eq!(Page::parse(&filtered.text()?)?.families.len(), 2);
    assert_eq!(host.get("/metrics?collect[]=nobody")?.status, 400);
    Ok(())
}

fn header_names(response: &Response) -> BTreeSet<String> {
    response.headers.keys().map(ToString::to_string).collect()
}

#[test]
fn head_is_get_without_a_body() -> Result<()> {
    let host = host()?;
    for path in ["/metrics", "/", "/-/healthy", "/-/ready"] {
        let (get, head) = (host.get(path)?, host.request("HEAD", path, &[])?);
        assert_eq!((get.status, head.status), (200, 200), "{path}");
        assert_eq!(header_names(&get), header_names(&head), "{path}");
        assert_eq!(
            get.header("content-type"),
            head.header("content-type"),
            "{path}"
        );
        let request = format!("HEAD {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        let answer = raw(host.address(), &request)?;
        ensure!(
            answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"),
            "{path}: {answer}"
        );
    }
    Ok(())
}

#[test]
fn compression_is_for_those_who_ask() -> Result<()> {
    let host = host()?;
    let encoding = |accept: &str| -> Result<String> {
        let response = host.request("GET", "/metrics", &[("accept-encoding", accept)])?;
        Page::parse(&response.text()?)?.family("http_requests_total")?;
        Ok(response.header("content-encoding").to_owned())
    };
    for accept in [
        "gzip",
        "gzip, deflate",
        "gzip, zstd",
        "zstd;q=0.7, gzip;q=0.8",
        "identity;q=0.1, gzip;q=0.2",
    ] {
        assert_eq!(encoding(accept)?, "gzip", "{accept}");
    }
    assert_eq!(encoding("zstd")?, "zstd");
    for accept in ["identity", "gzip;q=0", "br", "gzip;q=0.1, identity;q=0.2"] {
        assert_eq!(encoding(accept)?, "", "{accept}");
    }
    let unasked = host.get("/metrics")?;
    assert_eq!(unasked.header("content-encoding"), "");
    let asked = host.request("GET", "/metrics", &[("accept-encoding", "gzip")])?;
    ensure!(
        asked.body.len() < unasked.body.len() / 2,
        "{} of {}",
        asked.body.len(),
        unasked.body.len()
    );
    Ok(())
}

#[test]
fn other_methods_are_refused_with_those_that_are_not() -> Result<()> {
    let host = host()?;
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let response = host.request(method, "/metrics", &[])?;
        assert_eq!(
            (response.status, response.header("allow")),
            (405, "GET, HEAD"),
            "{method}"
        );
    }
    Ok(())
}

#[test]
fn unknown_paths_are_not_found() -> Result<()> {
    let host = host()?;
    for path in [
        "/nothing",
        "/metrics/",
        "/metrics/x",
        "/hello/",
        "/-/",
        "//metrics",
        "/../metrics",
    ] {
        assert_eq!(host.get(path)?.status, 404, "{path}");
    }
    assert_eq!(host.get("/metrics?x=y")?.status, 200);
    Ok(())
}

#[test]
fn the_landing_page_links_to_all_others() -> Result<()> {
    let host = host()?;
    let response = host.get("/")?;
    assert_eq!(response.status, 200);
    ensure!(
        response.header("content-type").starts_with("text/html"),
        "{:?}",
        response.headers
    );
    let links = response.links("/")?;
    for path in ["/metrics", "/-/healthy", "/-/ready", "/hello"] {
        ensure!(
            links.iter().any(|link| link == path),
            "no link to {path} in {links:?}"
        );
    }
    for link in links {
        assert_eq!(host.get(&link)?.status, 200, "{link}");
    }
    Ok(())
}

#[test]
fn the_telemetry_path_can_move() -> Result<()> {
    let host = Meterbox::with("counter_vec", "counter_vec", "")
        .arg("--web.telemetry-path=/elsewhere")
        .start()?;
    Page::parse(&host.get("/elsewhere")?.text()?)?.family("http_requests_total")?;
    assert_eq!(host.get("/metrics")?.status, 404);
    let links = host.get("/")?.links("/")?;
    ensure!(
        links.iter().any(|link| link == "/elsewhere"),
        "the landing page has only {links:?}"
    );
    Ok(())
}

#[test]
fn every_metric_of_the_exporter_is_documented() -> Result<()> {
    let text = std::fs::read_to_string(meterbox_tests::files::root().join("docs/metrics.md"))?;
    let page = Meterbox::with("counter", "counter", "").start()?.scrape()?;
    let own = page.families.iter().map(|family| &family.name);
    let own: Vec<_> = own.filter(|name| name.starts_with("meterbox_")).collect();
    assert!(own.len() > 10, "{own:?}");
    for name in own {
        assert!(
            text.contains(&format!("| `{name}` |")),
            "docs/metrics.md lacks {name}"
        );
    }
    Ok(())
}

/// What escaping takes from a page is counted at every scrape, and logged once.
#[test]
fn a_family_whose_escaped_name_is_taken_is_counted() -> Result<()> {
    let host = Meterbox::with("twice", "test/collides", "").start()?;
    let dropped = "meterbox_http_metrics_dropped_families_total";
    for before in 0..3 {
        let page = host.scrape()?;
        assert_eq!(page.value(dropped, &[]), Some(f64::from(before)));
        assert_eq!(page.value("two_names", &[]), Some(2.0));
    }
    let utf8 = [("accept", "text/plain;version=0.0.4;escaping=allow-utf-8")];
    let page = host.request("GET", "/metrics", &utf8)?.text()?;
    assert!(page.contains("\n{\"two.names\"} 1\n"), "{page}");
    assert_eq!(host.scrape()?.value(dropped, &[]), Some(3.0));
    let log = host.log();
    let lines = log.iter().filter(|line| line.contains("two.names"));
    assert_eq!(lines.count(), 1, "{log:#?}");
    Ok(())
}
