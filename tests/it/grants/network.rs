//! TCP, UDP and lookups, all of it to this machine.

use std::{
    io::Write,
    net::{TcpListener, UdpSocket},
    thread,
};

use anyhow::{Context, Result, ensure};

use super::{denials, expect, outcome, trying, uses};

/// A server that says hello to everybody, for the life of the test process.
fn hello() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"hello");
        }
    });
    Ok(port)
}

/// A peer that answers every datagram.
fn pong() -> Result<u16> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let port = socket.local_addr()?.port();
    thread::spawn(move || {
        let mut buffer = [0; 100];
        while let Ok((_, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(b"pong", from);
        }
    });
    Ok(port)
}

#[test]
fn tcp_leads_where_it_was_granted() -> Result<()> {
    let (port, other) = (hello()?, hello()?);
    let granted = format!("tcp 127.0.0.1:{port}");
    let other = format!("tcp 127.0.0.1:{other}");
    let neighbour = format!("tcp 127.0.0.2:{port}");
    let mapped = format!("tcp [::ffff:127.0.0.1]:{port}");
    let cases = [
        (granted.as_str(), "hello"),
        (&other, "error: access-denied"),
        (&neighbour, "error: access-denied"),
        (&mapped, "error"),
        ("tcp 169.254.169.254:80", "error: access-denied"),
        ("tcp [fd00:ec2::254]:80", "error: access-denied"),
        // Nobody is served.
        ("listen 127.0.0.1:0", "error: access-denied"),
        ("listen 0.0.0.0:0", "error: access-denied"),
        // Another grant.
        ("udp 127.0.0.1:9", "error: socket access-denied"),
        ("dns localhost", "error: access-denied"),
        // An address is no name.
        ("dns 127.0.0.1", "127.0.0.1"),
    ];
    let grants = format!("tcp = [\"127.0.0.1:{port}\"]");
    let host = trying(&cases.map(|(attempt, _)| attempt), &grants).start()?;
    expect(&host, &cases)?;
    let page = host.scrape()?;
    ensure!(uses(&page, "tcp") >= Some(1.0), "{:?}", uses(&page, "tcp"));
    ensure!(
        denials(&page, "tcp") >= Some(4.0),
        "{:?}",
        denials(&page, "tcp")
    );
    host.logged(&[
        "denied",
        "grant=tcp",
        "169.254.169.254:80",
        "plugins.tries.grants.tcp",
    ])?;
    Ok(())
}

/// A wide network does not mean what is special in it.
#[test]
fn everything_does_not_mean_this_machine() -> Result<()> {
    let port = hello()?;
    let here = format!("tcp 127.0.0.1:{port}");
    let cases = [
        (here.as_str(), "error: access-denied"),
        ("tcp 169.254.169.254:80", "error: access-denied"),
    ];
    let grants = "tcp = [\"0.0.0.0/0:*\", \"[::/0]:*\"]";
    let host = trying(&cases.map(|(attempt, _)| attempt), grants).start()?;
    expect(&host, &cases)?;
    Ok(())
}

#[test]
fn a_name_leads_to_private_addresses_only_if_they_are_granted() -> Result<()> {
    let port = hello()?;
    let attempts = ["dns localhost".to_owned(), format!("tcp 127.0.0.1:{port}")];
    let attempts = attempts.each_ref().map(String::as_str);
    let closed = trying(&attempts, &format!("tcp = [\"localhost:{port}\"]")).start()?;
    expect(
        &closed,
        &[
            (attempts[0], "error: access-denied"),
            (attempts[1], "error: access-denied"),
        ],
    )?;
    closed.logged(&["denied", "private = true", "localhost"])?;

    let grants = format!("tcp = [{{ to = \"localhost:{port}\", private = true }}]");
    let open = trying(&attempts, &grants).start()?;
    let page = open.scrape()?;
    ensure!(
        outcome(&page, attempts[0])?.contains("127.0.0.1"),
        "no address"
    );
    expect(&open, &[(attempts[1], "hello")])?;

    // What nobody looked up is not connected to.
    let unasked = trying(&attempts[1..], &grants).start()?;
    expect(&unasked, &[(attempts[1], "error: access-denied")])?;
    Ok(())
}

#[test]
fn lookups_are_of_granted_names() -> Result<()> {
    let cases = [
        ("dns LOCALHOST.", "127.0.0.1"),
        ("dns localhost.example", "error: access-denied"),
        ("dns secrets.in.a.name.example", "error: access-denied"),
        // What old resolvers take for addresses.
        ("dns 2130706433", "error"),
        ("dns 0177.0.0.1", "error"),
        ("dns 0x7f000001", "error"),
        ("tcp 127.0.0.1:9", "error: socket access-denied"),
    ];
    let host = trying(&cases.map(|(attempt, _)| attempt), "dns = [\"localhost\"]").start()?;
    expect(&host, &cases[1..])?;
    let page = host.scrape()?;
    ensure!(
        outcome(&page, cases[0].0)?.contains("127.0.0.1"),
        "no address"
    );
    ensure!(uses(&page, "dns") >= Some(1.0), "{:?}", uses(&page, "dns"));
    host.logged(&["denied", "grant=dns", "secrets.in.a.name.example"])?;
    Ok(())
}

#[test]
fn udp_leads_where_it_was_granted() -> Result<()> {
    let (port, other) = (pong()?, pong()?);
    let granted = format!("udp 127.0.0.1:{port}");
    let other = format!("udp 127.0.0.1:{other}");
    let cases = [
        (granted.as_str(), "pong"),
        (&other, "error: access-denied"),
        ("udp 169.254.169.254:53", "error: access-denied"),
        ("tcp 127.0.0.1:9", "error: socket access-denied"),
    ];
    let grants = format!("udp = [\"127.0.0.0/8:{port}\"]");
    let host = trying(&cases.map(|(attempt, _)| attempt), &grants).start()?;
    let page = expect(&host, &cases)?;
    uses(&page, "udp").context("not counted")?;
    Ok(())
}

/// A peer that never says anything costs the plugin its call, and nobody else.
#[test]
fn a_silent_peer_holds_nobody() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let attempt = format!("tcp 127.0.0.1:{port}");
    let grants =
        format!("tcp = [\"127.0.0.1:{port}\"]\n[plugins.tries.limits]\ntimeout = \"300ms\"");
    let host = trying(&[&attempt], &grants)
        .and("counter", "counter", "")
        .start()?;
    host.scrape_until(|page| {
        let labels = [("kind", "deadline"), ("plugin", "tries")];
        let faults = page.number("meterbox_plugin_faults_total", &labels)?;
        ensure!(faults >= 1.0, "{faults} faults");
        let labels = [("plugin", "counter")];
        assert_eq!(
            page.number("meterbox_plugin_collect_success", &labels)?,
            1.0
        );
        Ok(())
    })
}
