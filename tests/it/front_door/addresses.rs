//! Where it listens, and behind which path.

use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    process::Command,
};

use anyhow::{Context, Result, ensure};
use meterbox_tests::{Meterbox, PATIENCE, Process, Signal, files, until};

use super::{Door, TLS, curl, plain};

/// Started on this address alone, once it listens there.
fn on(address: &str, args: &[&str]) -> Result<Process> {
    let process = Process::start(
        Command::new(files::binary()?)
            .env_clear()
            .args(["serve", "--web.listen-address", address])
            .args(args),
    )?;
    until(PATIENCE, || {
        let lines = process.lines();
        let is_up = lines
            .iter()
            .any(|line| line.contains("msg=listening") || line.contains("\"listening\""));
        ensure!(is_up, "{}", lines.join("\n"));
        Ok(())
    })?;
    Ok(process)
}

#[test]
fn a_unix_socket() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("x.sock");
    let socket = path.to_str().context("UTF-8")?;
    for address in [
        format!("unix://{socket}"),
        format!("unix:{socket}"),
        socket.to_owned(),
    ] {
        let mut process = on(&address, &[])?;
        let mode = fs::metadata(&path)?.permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        let answer = curl("http://localhost/metrics", &["--unix-socket", socket])?;
        assert_eq!(answer.status(), "200");
        process.signal(Signal::TERM)?;
        assert_eq!(process.wait(PATIENCE)?.code(), Some(0));
        ensure!(!path.exists(), "it is left behind");
    }
    Ok(())
}

#[test]
fn a_unix_socket_with_tls() -> Result<()> {
    let door = Door::new()?;
    door.config(TLS)?;
    let (path, yaml, ca) = (
        door.path("x.sock"),
        door.path("web.yml"),
        door.path("ca.pem"),
    );
    let [path, yaml, ca] = [&path, &yaml, &ca].map(|path| path.to_string_lossy());
    let _process = on(&format!("unix://{path}"), &["--web.config.file", &yaml])?;
    let answer = curl(
        "https://localhost/metrics",
        &["--unix-socket", &path, "--cacert", &ca],
    )?;
    assert_eq!(answer.status(), "200");
    Ok(())
}

#[test]
fn a_socket_that_is_left_behind_is_replaced() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("x.sock");
    drop(UnixListener::bind(&path)?);
    ensure!(path.exists() && UnixStream::connect(&path).is_err());
    let socket = path.to_str().context("UTF-8")?;
    let _process = on(&format!("unix://{socket}"), &[])?;
    let answer = curl("http://localhost/-/healthy", &["--unix-socket", socket])?;
    assert_eq!(answer.status(), "200");
    Ok(())
}

#[test]
fn nothing_else_is_replaced() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let live = dir.path().join("live.sock");
    let _listener = UnixListener::bind(&live)?;
    let file = dir.path().join("file");
    fs::write(&file, "precious")?;
    for path in [&live, &file] {
        let mut process = Process::start(
            Command::new(files::binary()?)
                .env_clear()
                .arg("serve")
                .arg(format!("--web.listen-address=unix://{}", path.display())),
        )?;
        assert_eq!(process.wait(PATIENCE)?.code(), Some(1));
        let output = process.lines().join("\n");
        ensure!(output.contains("cannot listen on unix://"), "{output}");
        ensure!(path.exists());
    }
    UnixStream::connect(&live)?;
    assert_eq!(fs::read_to_string(&file)?, "precious");
    Ok(())
}

/// With the variables and descriptors of systemd, made by a shell; `exec` keeps the process id.
fn activated(fds: &str, redirections: &str) -> Result<Process> {
    let binary = files::binary()?;
    let script = format!(
        "LISTEN_PID=$$ LISTEN_FDS={fds} exec {} serve --web.systemd-socket {redirections}",
        binary.display()
    );
    Process::start(Command::new("bash").args(["-c", &script]).env_clear())
}

#[test]
fn sockets_of_systemd() -> Result<()> {
    use std::os::fd::AsRawFd;

    use rustix::io::{FdFlags, fcntl_setfd};

    let dir = tempfile::tempdir()?;
    let path = dir.path().join("x.sock");
    let (tcp, unix) = (
        TcpListener::bind("127.0.0.1:0")?,
        UnixListener::bind(&path)?,
    );
    let address = tcp.local_addr()?;
    fcntl_setfd(&tcp, FdFlags::empty())?;
    fcntl_setfd(&unix, FdFlags::empty())?;
    let (a, b) = (tcp.as_raw_fd(), unix.as_raw_fd());
    // By way of 98 and 99, since they may be 3 and 4 themselves.
    let redirections = format!("98<&{a} 99<&{b} 3<&98 4<&99 98<&- 99<&-");
    let process = activated("2", &redirections)?;
    drop((tcp, unix));
    until(PATIENCE, || {
        let log = process.lines().join("\n");
        ensure!(log.matches("listening").count() == 2, "{log}");
        Ok(())
    })?;
    let answer = curl(&format!("http://{address}/metrics"), &[])?;
    assert_eq!(answer.status(), "200");
    let socket = path.to_str().context("UTF-8")?;
    let answer = curl("http://localhost/metrics", &["--unix-socket", socket])?;
    assert_eq!(answer.status(), "200");
    process.signal(Signal::TERM)?;
    let mut process = process;
    process.wait(PATIENCE)?;
    ensure!(path.exists(), "systemd's own");
    Ok(())
}

#[test]
fn no_socket_of_systemd_is_said() -> Result<()> {
    for (fds, redirections, words) in [
        ("0", "", "no socket activation file descriptors found"),
        ("1", "3</dev/null", "neither a TCP nor a Unix"),
    ] {
        let mut process = activated(fds, redirections)?;
        assert_eq!(process.wait(PATIENCE)?.code(), Some(1));
        let output = process.lines().join("\n");
        ensure!(output.contains(words), "{output}");
    }
    Meterbox::new()
        .arg("--web.systemd-socket")
        .refused()?
        .expect(2, &["--web.systemd-socket", "--web.listen-address"])
}

#[test]
fn a_prefix_moves_everything() -> Result<()> {
    for (args, prefix, base) in [
        (
            &["--web.external-url=https://example.org/exp/one/"][..],
            "/exp/one",
            "/exp/one",
        ),
        (&["--web.route-prefix=/exp/"], "/exp", "."),
        (
            &["--web.external-url=/out", "--web.route-prefix=in"],
            "",
            "",
        ),
        (
            &["--web.external-url=/out", "--web.route-prefix=/in"],
            "/in",
            "/out",
        ),
        (
            &[
                "--web.external-url=https://example.org/out",
                "--web.route-prefix=/",
            ],
            "",
            "/out",
        ),
        (&[], "", "."),
    ] {
        let mut meterbox = Meterbox::new();
        for arg in args {
            meterbox = meterbox.arg(*arg);
        }
        if base.is_empty() {
            meterbox
                .refused()?
                .expect(78, &["web.route-prefix", "\"/in\""])?;
            continue;
        }
        let host = meterbox.start()?;
        for (path, status) in [
            ("/", 200),
            ("/metrics", 200),
            ("/-/healthy", 200),
            ("/-/ready", 200),
            ("/a", 404),
        ] {
            assert_eq!(
                host.get(&format!("{prefix}{path}"))?.status,
                status,
                "{args:?} {path}"
            );
        }
        let landing = host.get(&format!("{prefix}/"))?.text()?;
        let link = format!("href=\"{base}/metrics\"");
        ensure!(landing.contains(&link), "{args:?}: {landing}");
        if prefix.is_empty() {
            continue;
        }
        assert_eq!(host.get("/metrics")?.status, 404);
        assert_eq!(host.get(&format!("{prefix}metrics"))?.status, 404);
        let target = if base == "." { prefix } else { base };
        for path in ["/", prefix] {
            let answer = curl(&plain(&host, path), &[])?;
            assert_eq!(answer.status(), "302", "{args:?} {path}");
            assert_eq!(
                answer.header("Location"),
                Some(&*format!("{target}/")),
                "{path}"
            );
        }
    }
    Ok(())
}

#[test]
fn addresses_that_are_none_are_refused() -> Result<()> {
    for (args, words) in [
        (
            &["--web.listen-address=unix://relative"][..],
            &["web.listen-addresses", "unix:///run/meterbox.sock"][..],
        ),
        (
            &["--web.listen-address=vsock://:9100"],
            &["web.listen-addresses", "127.0.0.1:8080"],
        ),
        (
            &["--web.external-url=example.org"],
            &["web.external-url", "https://example.org/meterbox"],
        ),
    ] {
        let mut meterbox = Meterbox::new();
        for arg in args {
            meterbox = meterbox.arg(*arg);
        }
        meterbox.refused()?.expect(78, words)?;
    }
    Ok(())
}
