//! A plugin of another exporter asks this one over https.

use anyhow::{Result, ensure};
use meterbox_tests::Meterbox;

use super::Door;

const TLS: &str = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";

/// What a request of the guest `grants` comes to, if its machine trusts the authority of this file.
fn asked(door: &Door, url: &str, authority: &str) -> Result<String> {
    let attempt = format!("http GET {url}");
    let keys = format!(
        "config = {{ try = {attempt:?} }}\n[plugins.tries.grants]\nhttp = [{{ url = {url:?}, private = true }}]"
    );
    let host = Meterbox::with("tries", "test/grants", &keys)
        .env("SSL_CERT_FILE", door.path(authority))
        .start()?;
    let page = host.scrape()?;
    let outcome = page.family("attempt")?.samples[0]
        .label("outcome")
        .to_owned();
    // The host's own view of it.
    let labels = [("grant", "http"), ("plugin", "tries")];
    host.scrape_until(|page| {
        ensure!(page.number("meterbox_plugin_grant_uses_total", &labels)? >= 1.0);
        ensure!(page.number("meterbox_plugin_grant_denials_total", &labels)? == 0.0);
        Ok(())
    })?;
    Ok(outcome)
}

#[test]
fn https_is_asked_of_whom_the_machine_trusts() -> Result<()> {
    let door = Door::new()?;
    let server = door.start(TLS)?;
    let port = server.address().port();
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{port}/-/healthy");
        let outcome = asked(&door, &url, "ca.pem")?;
        ensure!(outcome.starts_with("200 "), "{url}: {outcome}");
        let outcome = asked(&door, &url, "selfsigned.pem")?;
        ensure!(
            outcome.starts_with("error: "),
            "a stranger is trusted: {outcome}"
        );
    }
    Ok(())
}

/// The certificate is of another name.
#[test]
fn https_needs_the_right_name() -> Result<()> {
    let door = Door::new()?;
    door.issue("server", &door.ca, &["other.example"])?;
    let server = door.start(TLS)?;
    let url = format!("https://localhost:{}/-/healthy", server.address().port());
    let outcome = asked(&door, &url, "ca.pem")?;
    ensure!(outcome.starts_with("error: "), "{outcome}");
    Ok(())
}
