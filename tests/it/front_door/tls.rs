//! TLS as curl, on OpenSSL, meets it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use meterbox_tests::{PATIENCE, TestHost, raw, until};

use super::{Door, TLS};

/// Fails unless curl complains.
fn is_refused(door: &Door, host: &TestHost, args: &[&str]) -> Result<()> {
    match door.https(host, "/-/healthy", args) {
        Ok(answer) => bail!("{args:?} came in: {}", answer.head),
        Err(_) => Ok(()),
    }
}

fn comes_in(door: &Door, host: &TestHost, args: &[&str]) -> Result<()> {
    let answer = door.https(host, "/-/healthy", args)?;
    ensure!(answer.status() == "200", "{args:?}: {}", answer.head);
    Ok(())
}

#[test]
fn http2_is_the_clients_choice() -> Result<()> {
    let door = Door::new()?;
    let host = door.start(TLS)?;
    for (args, version) in [
        (&["--http2"][..], "HTTP/2"),
        (&["--http1.1"], "HTTP/1.1"),
        (&["--no-alpn"], "HTTP/1.1"),
    ] {
        let answer = door.https(&host, "/metrics", args)?;
        assert_eq!((answer.version(), answer.status()), (version, "200"));
        ensure!(
            answer.body.contains("process_start_time_seconds"),
            "{}",
            answer.head
        );
    }
    let host = door.start(&format!("{TLS}http_server_config: {{http2: false}}\n"))?;
    let answer = door.https(&host, "/metrics", &["--http2"])?;
    assert_eq!((answer.version(), answer.status()), ("HTTP/1.1", "200"));
    Ok(())
}

#[test]
fn versions_are_bounded() -> Result<()> {
    let door = Door::new()?;
    let tls = TLS.trim_end().trim_end_matches('}').to_owned();
    let only12 = ["--tlsv1.2", "--tls-max", "1.2"];
    let only13 = ["--tlsv1.3"];
    for (keys, tls12, tls13) in [
        ("", true, true),
        (", min_version: TLS13", false, true),
        (", max_version: TLS12", true, false),
        (", min_version: TLS12, max_version: TLS13", true, true),
    ] {
        let host = door.start(&format!("{tls}{keys}}}\n"))?;
        for (args, is_in) in [(&only12[..], tls12), (&only13, tls13)] {
            let tried = if is_in { comes_in } else { is_refused };
            tried(&door, &host, args)?;
        }
    }
    Ok(())
}

/// They bind TLS 1.2 only, as in Go.
#[test]
fn ciphers_and_curves_are_those_of_the_file() -> Result<()> {
    let door = Door::new()?;
    let tls = TLS.trim_end().trim_end_matches('}').to_owned();
    let keys = ", cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], curve_preferences: [CurveP384]";
    let host = door.start(&format!("{tls}{keys}}}\n"))?;
    let with = |cipher| ["--tls-max", "1.2", "--ciphers", cipher];
    comes_in(&door, &host, &with("ECDHE-ECDSA-AES128-GCM-SHA256"))?;
    is_refused(&door, &host, &with("ECDHE-ECDSA-AES256-GCM-SHA384"))?;
    comes_in(&door, &host, &["--tls13-ciphers", "TLS_AES_256_GCM_SHA384"])?;
    comes_in(&door, &host, &["--curves", "P-384"])?;
    is_refused(&door, &host, &["--curves", "X25519"])
}

#[test]
fn clients_certificates() -> Result<()> {
    let door = Door::new()?;
    let none: &[&str] = &[];
    let ours = &["--cert", "client.pem", "--key", "client.key"][..];
    let strange = &["--cert", "stranger.pem", "--key", "stranger.key"][..];
    let own = &["--cert", "selfsigned.pem", "--key", "selfsigned.key"][..];
    let tls = TLS.trim_end().trim_end_matches('}').to_owned();
    for (keys, who) in [
        ("NoClientCert", &[none, ours, strange, own][..]),
        ("RequestClientCert", &[none, ours, strange, own]),
        ("RequireAnyClientCert", &[ours, strange, own]),
        ("RequireClientCert", &[ours, strange, own]),
        (
            "VerifyClientCertIfGiven, client_ca_file: ca.pem",
            &[none, ours],
        ),
        (
            "RequireAndVerifyClientCert, client_ca_file: ca.pem",
            &[ours],
        ),
        // One that is trusted by itself, as Go takes it.
        (
            "RequireAndVerifyClientCert, client_ca_file: selfsigned.pem",
            &[own],
        ),
        (
            "RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: [client.example]",
            &[ours],
        ),
        (
            "RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: [a, 10.1.2.3]",
            &[ours],
        ),
        (
            "RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: ['2001:db8::1']",
            &[ours],
        ),
        (
            "RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: [client@example.org]",
            &[ours],
        ),
        (
            "RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: ['spiffe://example.org/client']",
            &[ours],
        ),
        (
            "RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: [other.example]",
            &[],
        ),
        (
            "RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: []",
            &[],
        ),
        // Nobody can be asked for a name who shows none.
        (
            "VerifyClientCertIfGiven, client_ca_file: ca.pem, client_allowed_sans: [client.example]",
            &[ours],
        ),
        (
            "RequestClientCert, client_allowed_sans: [client.example]",
            &[ours, strange],
        ),
    ] {
        let host = door.start(&format!("{tls}, client_auth_type: {keys}}}\n"))?;
        for client in [none, ours, strange, own] {
            // In TLS 1.3 a client learns of it after its own part of the handshake.
            for version in ["1.2", "1.3"] {
                let args = [&["--tls-max", version], client].concat();
                let tried = if who.contains(&client) {
                    comes_in
                } else {
                    is_refused
                };
                tried(&door, &host, &args).map_err(|e| e.context(keys))?;
            }
        }
    }
    Ok(())
}

/// In Go's words.
#[test]
fn http_without_tls_is_told() -> Result<()> {
    let door = Door::new()?;
    let host = door.start(TLS)?;
    for request in [
        "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.0\r\n\r\n",
    ] {
        let answer = raw(host.address(), request)?;
        assert_eq!(
            answer,
            "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
        );
    }
    Ok(())
}

/// Whoever begins no handshake, or does not finish one, is cut off, and gives its place back.
#[test]
fn handshakes_have_the_time_of_a_head() -> Result<()> {
    let door = Door::new()?;
    let limits = "[web]\nread-timeout = \"300ms\"\nmax-connections = 3\n";
    let host = door.meterbox(TLS)?.config(limits).start()?;
    let openings: [&[u8]; 4] = [
        b"",
        b"\x16\x03",
        b"\x16\x03\x01\x02\x00",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    ];
    let mut slow = Vec::new();
    for opening in openings.iter().cycle().take(12) {
        let mut stream = TcpStream::connect(host.address())?;
        stream.write_all(opening)?;
        slow.push(stream);
    }
    for mut stream in slow {
        stream.set_read_timeout(Some(PATIENCE))?;
        let _ = stream.read_to_end(&mut Vec::new());
    }
    comes_in(&door, &host, &[])
}

/// One byte after the other is no progress.
#[test]
fn a_dripping_handshake_is_cut_off() -> Result<()> {
    let door = Door::new()?;
    let host = door
        .meterbox(TLS)?
        .config("[web]\nread-timeout = \"300ms\"\n")
        .start()?;
    let mut stream = TcpStream::connect(host.address())?;
    stream.set_nodelay(true)?;
    stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")?;
    until(PATIENCE, || {
        // Fails once the other side is gone.
        let went = stream.write_all(b"\x03");
        std::thread::sleep(Duration::from_millis(20));
        ensure!(went.is_err(), "it is still listened to");
        Ok(())
    })
}

#[test]
fn garbage_costs_its_own_connection() -> Result<()> {
    let door = Door::new()?;
    let host = door.start(TLS)?;
    for garbage in [
        &b"\0\0\0\0\0\0\0\0"[..],
        &[0xff; 4096],
        b"\x16\x03\x01\x00\x05hello",
        b"SSH-2.0-x\r\n",
    ] {
        let mut stream = TcpStream::connect(host.address())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(garbage)?;
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    comes_in(&door, &host, &[])?;
    ensure!(!host.log().join("\n").contains("panicked"));
    Ok(())
}
