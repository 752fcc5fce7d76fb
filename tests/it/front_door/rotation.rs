//! What is rotated takes effect at once; what is broken is told once.

use anyhow::{Result, ensure};
use meterbox_tests::{PATIENCE, until};

use super::{Door, TLS, curl, plain};

/// The serial number of the server's certificate, as curl sees it.
fn serial(door: &Door, host: &meterbox_tests::TestHost) -> Result<String> {
    let answer = door.https(host, "/-/healthy", &["--write-out", "%{certs}"])?;
    let line = answer
        .body
        .lines()
        .find(|line| line.starts_with("Serial Number"));
    Ok(line.unwrap_or_default().to_owned())
}

#[test]
fn certificates() -> Result<()> {
    let door = Door::new()?;
    let host = door.start(TLS)?;
    let first = serial(&door, &host)?;
    ensure!(!first.is_empty(), "curl tells no serial number");
    assert_eq!(serial(&door, &host)?, first);
    door.issue("server", &door.ca, &["localhost"])?;
    let second = serial(&door, &host)?;
    ensure!(second != first, "{second}");

    // Half of a rotation, or a broken one: nobody comes in until it is whole again.
    door.write("server.key", "no key\n")?;
    for _ in 0..3 {
        ensure!(serial(&door, &host).is_err(), "with a key that is none");
    }
    let complaint = ["level=error", "web config file", "private key"];
    assert_eq!(host.logged(&complaint)?, 1);
    door.issue("server", &door.ca, &["localhost"])?;
    let third = serial(&door, &host)?;
    ensure!(![first, second].contains(&third), "{third}");
    assert_eq!(host.logged(&["can be used again"])?, 1);
    Ok(())
}

#[test]
fn trusted_clients() -> Result<()> {
    let door = Door::new()?;
    let policy = ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: trusted.pem}\n";
    let yaml = TLS.trim_end().trim_end_matches('}').to_owned() + policy;
    door.write(
        "trusted.pem",
        &std::fs::read_to_string(door.path("ca.pem"))?,
    )?;
    let host = door.start(&yaml)?;
    let client = ["--cert", "client.pem", "--key", "client.key"];
    door.https(&host, "/-/healthy", &client)?;
    door.write(
        "trusted.pem",
        &std::fs::read_to_string(door.path("selfsigned.pem"))?,
    )?;
    ensure!(door.https(&host, "/-/healthy", &client).is_err());
    Ok(())
}

#[test]
fn users() -> Result<()> {
    let door = Door::new()?;
    let host = door.start("basic_auth_users: {alice: HASH}\n")?;
    let status = |user: &str| -> Result<String> {
        let answer = curl(&plain(&host, "/metrics"), &["--user", user])?;
        Ok(answer.status().to_owned())
    };
    assert_eq!(status("alice:password")?, "200");
    assert_eq!(status("bob:pass:word two")?, "401");
    // What was verified once counts no longer than its hash.
    door.config("basic_auth_users: {alice: OTHER_HASH, bob: OTHER_HASH}\n")?;
    assert_eq!(status("alice:password")?, "401");
    assert_eq!(status("alice:pass:word two")?, "200");
    assert_eq!(status("bob:pass:word two")?, "200");
    // A hash that is none lets nobody in, and nobody else out.
    door.config("basic_auth_users: {alice: broken, bob: OTHER_HASH}\n")?;
    assert_eq!(status("alice:broken")?, "401");
    assert_eq!(status("bob:pass:word two")?, "200");
    door.config("")?;
    assert_eq!(status("nobody:nothing")?, "200");
    Ok(())
}

#[test]
fn broken_files_close_the_door() -> Result<()> {
    let door = Door::new()?;
    let good = "basic_auth_users: {alice: HASH}\n";
    let host = door.start(good)?;
    let ask = || curl(&plain(&host, "/metrics"), &["--user", "alice:password"]);
    for broken in [
        "basic_auth_users: [\n",
        "unknown: 1\n",
        "http_server_config: {headers: {A: b}}\n",
    ] {
        door.config(broken)?;
        for _ in 0..3 {
            let answer = ask()?;
            assert_eq!(answer.status(), "500", "{broken}");
            assert_eq!(answer.body, "Internal Server Error\n");
        }
    }
    std::fs::remove_file(door.path("web.yml"))?;
    assert_eq!(ask()?.status(), "500");
    door.config(good)?;
    assert_eq!(ask()?.status(), "200");
    until(PATIENCE, || {
        let log = host.log();
        let told = log
            .iter()
            .filter(|line| line.contains("cannot be used any more"))
            .count();
        ensure!(told == 4, "{told} complaints:\n{}", log.join("\n"));
        Ok(())
    })
}

/// As for the toolkit: what has begun without TLS stays without, and what has TLS needs its certificate.
#[test]
fn tls_comes_and_goes_with_the_start_only() -> Result<()> {
    let door = Door::new()?;
    let host = door.start("")?;
    door.config(TLS)?;
    assert_eq!(curl(&plain(&host, "/-/healthy"), &[])?.status(), "200");
    let host = door.start(TLS)?;
    door.config("")?;
    ensure!(door.https(&host, "/-/healthy", &[]).is_err());
    door.config(TLS)?;
    assert_eq!(door.https(&host, "/-/healthy", &[])?.status(), "200");
    Ok(())
}
