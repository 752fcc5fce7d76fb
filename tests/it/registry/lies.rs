//! A registry that lies: whatever it sends, what runs is what the config names, or nothing; and it costs neither memory
//! nor patience.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};

use anyhow::{Result, ensure};
use meterbox_tests::{Refusal, files};

use super::*;

/// What it does when it is asked for a path.
#[derive(Clone)]
enum Lie {
    Bytes(Vec<u8>),
    /// Says that there is more than comes.
    Truncated(Vec<u8>),
    /// Takes the question, and says nothing.
    Silence,
    /// Sends without an end, and without saying how much.
    Endless,
    Redirect(String),
    Status(u16),
    /// Wants to know who asks.
    Challenge(String),
}

struct Liar {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Liar {
    /// By the end of the path: `manifests` and `blobs`.
    fn start(lies: HashMap<&'static str, Lie>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (stop, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (stopping, count) = (Arc::clone(&stop), Arc::clone(&sent));
        let thread = thread::spawn(move || {
            for peer in listener.incoming() {
                if stopping.load(Relaxed) {
                    return;
                }
                let (lies, stop, sent) = (lies.clone(), Arc::clone(&stopping), Arc::clone(&count));
                // Ends when the peer goes, at the latest with the test.
                thread::spawn(move || peer.map(|peer| answer(peer, &lies, &stop, &sent)));
            }
        });
        Ok(Self {
            address,
            stop,
            sent,
            thread: Some(thread),
        })
    }

    /// An exporter that is to have this digest from it; what becomes of it.
    fn refused(&self, digest: &str, more: &str) -> Result<Refusal> {
        let host = format!("localhost:{}", self.address.port());
        let source = format!("oci://{host}/a/b@{digest}");
        let config = format!(
            "[registries.{host:?}]\ninsecure = true\n{more}\n[plugins.a]\nsource = {source:?}\n"
        );
        Meterbox::new()
            .config(&config)
            .arg("--state.directory=")
            .refused()
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(
    mut peer: TcpStream,
    lies: &HashMap<&'static str, Lie>,
    stop: &AtomicBool,
    sent: &AtomicU64,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(peer.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines.by_ref() {
        if line?.is_empty() {
            break;
        }
    }
    let found = lies.iter().find(|(part, _)| first.contains(*part));
    let head = |status: u16, more: String| {
        format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{more}\r\n")
    };
    match found.map(|(_, lie)| lie) {
        None => write!(peer, "{}", head(404, "Content-Length: 0\r\n".into())),
        Some(Lie::Status(status)) => {
            write!(peer, "{}", head(*status, "Content-Length: 0\r\n".into()))
        }
        Some(Lie::Challenge(challenge)) => {
            let more = format!("Content-Length: 0\r\nWWW-Authenticate: {challenge}\r\n");
            write!(peer, "{}", head(401, more))
        }
        Some(Lie::Redirect(to)) => {
            write!(
                peer,
                "{}",
                head(307, format!("Content-Length: 0\r\nLocation: {to}\r\n"))
            )
        }
        Some(Lie::Bytes(bytes)) => {
            write!(
                peer,
                "{}",
                head(200, format!("Content-Length: {}\r\n", bytes.len()))
            )?;
            peer.write_all(bytes)
        }
        Some(Lie::Truncated(bytes)) => {
            write!(
                peer,
                "{}",
                head(200, format!("Content-Length: {}\r\n", bytes.len() + 1))
            )?;
            peer.write_all(bytes)
        }
        Some(Lie::Silence) => {
            // Until the peer goes.
            let _ = lines.next();
            Ok(())
        }
        Some(Lie::Endless) => {
            write!(peer, "{}", head(200, String::new()))?;
            while !stop.load(Relaxed) {
                peer.write_all(&[b' '; 1 << 16])?;
                sent.fetch_add(1 << 16, Relaxed);
            }
            Ok(())
        }
    }
}

/// A manifest of one layer, and its digest.
fn manifest(layer: &str, size: u64) -> Result<(Vec<u8>, String)> {
    let text = format!(
        r#"{{"schemaVersion":2,"config":{{}},"layers":[{{"mediaType":"application/wasm","digest":"{layer}","size":{size}}}]}}"#
    );
    let digest = digest(text.as_bytes())?;
    Ok((text.into_bytes(), digest))
}

fn plugin() -> Result<Vec<u8>> {
    Ok(fs::read(files::plugin("counter")?)?)
}

#[test]
fn other_bytes_under_a_digest_are_not_used() -> Result<()> {
    let plugin = plugin()?;
    let (good, name) = manifest(&digest(&plugin)?, plugin.len() as u64)?;
    let mut changed = plugin.clone();
    changed[plugin.len() / 2] ^= 1;
    let short = plugin[..plugin.len() - 1].to_vec();
    let long = [&plugin[..], b"x"].concat();
    let of_layer = |blob: Lie| [("/manifests/", Lie::Bytes(good.clone())), ("/blobs/", blob)];
    // What may be other the next time is no 78, with which systemd gives up.
    for (lies, code, words) in [
        (of_layer(Lie::Bytes(changed)), 78, "check of the layer"),
        (
            of_layer(Lie::Bytes(short.clone())),
            78,
            "check of the layer",
        ),
        (of_layer(Lie::Bytes(long)), 1, "it sends more than"),
        (of_layer(Lie::Truncated(short)), 1, "it breaks off"),
        (of_layer(Lie::Status(404)), 1, "which the manifest names"),
        (of_layer(Lie::Status(500)), 1, "try again later"),
        (of_layer(Lie::Status(204)), 1, "no answer to the question"),
    ] {
        let refused = Liar::start(lies.into())?.refused(&name, "")?;
        refused.expect(code, &["plugin \"a\"", "registry localhost:", words])?;
    }
    let other = [&good[..], b" "].concat();
    let lies = [("/manifests/", Lie::Bytes(other))];
    let refused = Liar::start(lies.into())?.refused(&name, "")?;
    refused.expect(78, &["check of the manifest", "nothing of it is used"])
}

#[test]
fn a_manifest_that_is_as_it_should_be_may_be_none() -> Result<()> {
    for (text, words) in [
        ("", "no manifest"),
        ("{}", "no manifest"),
        (
            r#"{"schemaVersion":2,"manifests":[]}"#,
            "no layer of type application/wasm",
        ),
        (
            r#"{"schemaVersion":2,"layers":[{"mediaType":"application/wasm","digest":"../../x","size":1}]}"#,
            "no digest",
        ),
    ] {
        let lies = [("/manifests/", Lie::Bytes(text.into()))];
        let refused = Liar::start(lies.into())?.refused(&digest(text.as_bytes())?, "")?;
        refused.expect(78, &["check of the manifest", words])?;
    }
    Ok(())
}

#[test]
fn what_is_too_large_is_not_pulled() -> Result<()> {
    let (huge, name) = manifest(&format!("sha256:{}", "0".repeat(64)), 1 << 40)?;
    let lies = [("/manifests/", Lie::Bytes(huge)), ("/blobs/", Lie::Endless)];
    let liar = Liar::start(lies.into())?;
    let words = ["1099511627776 bytes", "raise limits.file-bytes"];
    liar.refused(&name, "")?.expect(78, &words)?;
    ensure!(liar.sent.load(Relaxed) == 0, "it was asked for");

    let (small, name) = manifest(&format!("sha256:{}", "0".repeat(64)), 100_000)?;
    for lies in [
        [
            ("/manifests/", Lie::Bytes(small)),
            ("/blobs/", Lie::Endless),
        ],
        [("/manifests/", Lie::Endless), ("/blobs/", Lie::Endless)],
    ] {
        let liar = Liar::start(lies.into())?;
        liar.refused(&name, "")?
            .expect(1, &["it sends more than"])?;
        // What the kernel's buffers take, beside the megabyte of a manifest.
        let sent = liar.sent.load(Relaxed);
        ensure!(sent < 16 << 20, "{sent} bytes");
    }
    Ok(())
}

#[test]
fn who_hangs_is_not_waited_for() -> Result<()> {
    let (good, name) = manifest(&format!("sha256:{}", "0".repeat(64)), 1)?;
    for lies in [
        [("/manifests/", Lie::Silence), ("/blobs/", Lie::Silence)],
        [("/manifests/", Lie::Bytes(good)), ("/blobs/", Lie::Silence)],
    ] {
        let liar = Liar::start(lies.into())?;
        let refused = liar.refused(&name, "[limits]\npull-time = \"300ms\"")?;
        refused.expect(1, &["plugin \"a\"", "limits.pull-time (300ms)"])?;
    }
    Ok(())
}

#[test]
fn a_redirect_changes_nothing_of_what_is_wanted() -> Result<()> {
    let plugin = plugin()?;
    let (good, name) = manifest(&digest(&plugin)?, plugin.len() as u64)?;
    let start = |to: &Liar| {
        let to = format!("http://127.0.0.1:{}/elsewhere", to.address.port());
        let lies = [
            ("/manifests/", Lie::Bytes(good.clone())),
            ("/blobs/", Lie::Redirect(to)),
        ];
        Liar::start(lies.into())
    };
    let other = Liar::start([("/elsewhere", Lie::Bytes(b"other".to_vec()))].into())?;
    start(&other)?
        .refused(&name, "")?
        .expect(78, &["check of the layer"])?;
    let right = Liar::start([("/elsewhere", Lie::Bytes(plugin))].into())?;
    let liar = start(&right)?;
    let host = format!("localhost:{}", liar.address.port());
    let config = format!(
        "[registries.{host:?}]\ninsecure = true\n[plugins.a]\nsource = \"oci://{host}/a/b@{name}\"\n"
    );
    serves(
        &Meterbox::new()
            .config(&config)
            .arg("--state.directory=")
            .start()?,
        COUNTER,
    )?;
    let around = Lie::Redirect("/v2/a/b/manifests/again".to_owned());
    let liar = Liar::start([("/manifests/", around)].into())?;
    liar.refused(&name, "")?.expect(1, &["it sends us around"])
}

/// Where tokens are to be had may be nowhere, or a place without an end.
#[test]
fn a_token_costs_no_more() -> Result<()> {
    let name = format!("sha256:{}", "0".repeat(64));
    let endless = Liar::start([("/token", Lie::Endless)].into())?;
    let realm = format!("http://127.0.0.1:{}/token", endless.address.port());
    for (challenge, words) in [
        (
            format!("Bearer realm=\"{realm}\",service=\"x\""),
            "no token is that long",
        ),
        ("Bearer realm=\"nowhere\"".to_owned(), "no URL for one"),
        ("Bearer".to_owned(), "username and password"),
        ("Basic realm=\"x\"".to_owned(), "username and password"),
        ("\"\"\"".to_owned(), "username and password"),
    ] {
        let liar = Liar::start([("/manifests/", Lie::Challenge(challenge))].into())?;
        liar.refused(&name, "")?
            .expect(1, &["registry localhost:", words])?;
    }
    ensure!(endless.sent.load(Relaxed) < 16 << 20);
    Ok(())
}
