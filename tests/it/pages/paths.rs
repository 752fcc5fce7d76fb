//! Where the status pages are, what they say to browsers, and how they go away.

use anyhow::{Result, ensure};
use meterbox_tests::Meterbox;

const PAGES: [&str; 4] = [
    "/",
    "/plugins/counter",
    "/api/v1/plugins",
    "/api/v1/plugins/counter",
];

#[test]
fn pages_let_nothing_in() -> Result<()> {
    let host = Meterbox::with("counter", "counter", "").start()?;
    for path in PAGES.iter().chain(&["/?search=a", "/plugins/none"]) {
        let get = host.get(path)?;
        let head = host.request("HEAD", path, &[])?;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(
            head.header("content-length"),
            get.body.len().to_string(),
            "{path}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("server", ""),
        ] {
            assert_eq!(get.header(name), value, "{path}");
        }
        if path.starts_with("/api") {
            continue;
        }
        assert_eq!(
            get.header("content-type"),
            "text/html; charset=utf-8",
            "{path}"
        );
        let policy = get.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'sha256-",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            ensure!(policy.contains(part), "{path}: {policy}");
        }
        ensure!(
            !policy.contains("unsafe") && !policy.contains("script"),
            "{policy}"
        );
        let page = get.text()?;
        ensure!(
            !page.contains(" style=") && !page.contains("<script"),
            "{path}"
        );
    }
    for path in PAGES {
        let post = host.request("POST", path, &[])?;
        assert_eq!(post.status, 405, "{path}");
    }
    for path in [
        "/plugins/none",
        "/plugins/",
        "/plugins/counter/x",
        "/api/v1/plugins/none",
        "/api/v1/",
    ] {
        assert_eq!(host.get(path)?.status, 404, "{path}");
    }
    let document: serde_json::Value =
        serde_json::from_str(&host.get("/api/v1/plugins/none")?.text()?)?;
    assert_eq!(document["status"], "error");
    assert_eq!(document["errorType"], "not_found");
    Ok(())
}

/// Every link of every page leads somewhere, also behind a prefix that a proxy shows or hides.
#[test]
fn links_hold_behind_a_prefix() -> Result<()> {
    for (args, prefix, shown) in [
        (&[][..], "", None),
        (&["--web.route-prefix=/in"], "/in", None),
        (
            &["--web.external-url=https://a.example/m/"],
            "/m",
            Some("/m"),
        ),
        (
            &["--web.external-url=/m", "--web.route-prefix=/"],
            "",
            Some("/m"),
        ),
    ] {
        let mut meterbox = Meterbox::with("counter", "counter", "routes = [\"/hello\"]");
        for arg in args {
            meterbox = meterbox.arg(*arg);
        }
        let host = meterbox.start()?;
        let mut seen = 0;
        for path in ["/", "/plugins/counter", "/?search=ep1", "/plugins/none"] {
            let page = host.get(&format!("{prefix}{path}"))?.text()?;
            let links = page
                .split("href=\"")
                .skip(1)
                .chain(page.split("action=\"").skip(1));
            for link in links.filter_map(|rest| rest.split('"').next()) {
                let link = link.replace("&amp;", "&");
                let target = match shown {
                    // What a proxy makes of it.
                    Some(shown) => {
                        let rest = link.strip_prefix(shown);
                        rest.map(|rest| format!("{prefix}{rest}"))
                    }
                    None if path.starts_with("/plugins") => {
                        let rest = link.strip_prefix("..");
                        rest.map(|rest| format!("{prefix}{rest}"))
                    }
                    None => link.strip_prefix('.').map(|rest| format!("{prefix}{rest}")),
                };
                let Some(target) = target else {
                    anyhow::bail!("{args:?} {path}: {link}");
                };
                assert_eq!(host.get(&target)?.status, 200, "{args:?} {path}: {link}");
                seen += 1;
            }
        }
        ensure!(seen > 20, "{seen} links");
    }
    Ok(())
}

#[test]
fn a_config_takes_them_away() -> Result<()> {
    let host = Meterbox::with("counter", "counter", "routes = [\"/plugins/counter\"]")
        .config("[web]\nstatus = false\n")
        .start()?;
    for path in [
        "/",
        "/?search=a",
        "/api/v1/plugins",
        "/api/v1/plugins/counter",
        "/plugins/x",
    ] {
        assert_eq!(host.get(path)?.status, 404, "{path}");
    }
    assert_eq!(host.get("/metrics")?.status, 200);
    assert_eq!(host.get("/-/ready")?.status, 200);
    // A plugin may have the path then.
    let answer = host.get("/plugins/counter")?.text()?;
    ensure!(
        answer.contains("Hello from Prometheus Exporter!"),
        "{answer}"
    );
    Ok(())
}

#[test]
fn their_paths_are_taken() -> Result<()> {
    for path in ["/plugins/x", "/api/v1/plugins", "/api/v1/plugins/x"] {
        Meterbox::with("counter", "counter", &format!("routes = [{path:?}]"))
            .refused()?
            .expect(78, &["routes", path, "is a page of the exporter"])?;
        Meterbox::new()
            .arg(format!("--web.telemetry-path={path}"))
            .refused()?
            .expect(78, &["web.telemetry-path", path, "another page"])?;
    }
    Ok(())
}
