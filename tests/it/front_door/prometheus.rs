//! A real Prometheus comes in with a certificate and a password.

use anyhow::{Result, ensure};
use meterbox_tests::{PATIENCE, Prometheus, judges, until};

use super::{Door, TLS};

#[test]
fn prometheus_scrapes_through_tls_and_users() -> Result<()> {
    let Some(program) = judges::find("prometheus")? else {
        return Ok(());
    };
    let door = Door::new()?;
    let tls = TLS.trim_end().trim_end_matches('}').to_owned();
    let policy = ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem}\n";
    let host = door.start(&format!("{tls}{policy}basic_auth_users: {{alice: HASH}}\n"))?;
    let files = door.path("").display().to_string();
    let scheme = format!(
        "    scheme: https
    basic_auth: {{username: alice, password: password}}
    tls_config: {{ca_file: {files}ca.pem, cert_file: {files}client.pem, key_file: {files}client.key}}
"
    );
    let prometheus = Prometheus::start_scraping(&program, host.address(), &scheme)?;
    until(PATIENCE, || {
        ensure!(prometheus.scalar("up")? == 1.0, "{}", prometheus.target()?);
        Ok(())
    })?;
    // What it is given changes under its feet.
    door.issue("server", &door.ca, &["127.0.0.1"])?;
    let before = prometheus.scalar("meterbox_http_metrics_requests_total{code=\"200\"}")?;
    until(PATIENCE, || {
        let now = prometheus.scalar("meterbox_http_metrics_requests_total{code=\"200\"}")?;
        ensure!(now > before, "no scrape since: {}", prometheus.target()?);
        ensure!(prometheus.scalar("up")? == 1.0, "{}", prometheus.target()?);
        Ok(())
    })
}

#[test]
fn prometheus_is_refused_with_a_wrong_password() -> Result<()> {
    let Some(program) = judges::find("prometheus")? else {
        return Ok(());
    };
    let door = Door::new()?;
    let host = door.start(&format!("{TLS}basic_auth_users: {{alice: HASH}}\n"))?;
    let ca = door.path("ca.pem").display().to_string();
    let scheme = format!(
        "    scheme: https\n    basic_auth: {{username: alice, password: wrong}}\n    tls_config: {{ca_file: {ca}}}\n"
    );
    let prometheus = Prometheus::start_scraping(&program, host.address(), &scheme)?;
    until(PATIENCE, || {
        let target = prometheus.target()?;
        let error = target["lastError"].as_str().unwrap_or_default();
        ensure!(error.contains("401"), "{target}");
        Ok(())
    })
}
