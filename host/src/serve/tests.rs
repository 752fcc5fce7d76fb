//! Peers of all kinds, over real sockets.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::{Notify, oneshot},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Limits, bind, listen::Acceptor, serve};

/// Short enough for a test, long enough for a busy machine to answer within.
const SHORT: Duration = Duration::from_millis(300);
/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// More than the kernel buffers for a peer that reads nothing.
const LARGE: usize = 64 << 20;

/// No limit that a test would meet by accident.
const LIMITS: Limits = Limits {
    max_connections: 8,
    max_connections_per_peer: 8,
    read_timeout: PATIENCE,
    write_timeout: PATIENCE,
    shutdown_grace: PATIENCE,
};

struct Server {
    addresses: Vec<SocketAddr>,
    /// Lets one request to `/slow` finish.
    gate: Arc<Notify>,
    /// Told by `/slow` that it was entered.
    entered: Arc<Notify>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        Self::listening(limits, 1).await
    }

    async fn listening(limits: Limits, listeners: usize) -> Self {
        let listeners = bind(&vec!["127.0.0.1:0".to_owned(); listeners])
            .await
            .unwrap();
        let addresses = listeners.iter().map(|l| l.local_addr().unwrap()).collect();
        let (gate, entered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = {
            let (gate, entered) = (Arc::clone(&gate), Arc::clone(&entered));
            async move || {
                entered.notify_one();
                gate.notified().await;
                "slow"
            }
        };
        let router = Router::new()
            .route("/", get(async || "hello"))
            .route("/large", get(async || vec![b'x'; LARGE]))
            .route("/slow", get(slow))
            .route(
                "/panic",
                get(async || -> &str { panic!("a test of panics") }),
            );
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(serve(listeners, router, limits, async {
            let _ = stopped.await;
        }));
        Self {
            addresses,
            gate,
            entered,
            stop,
            running,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addresses[0]).await.unwrap()
    }
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

async fn ask(stream: &mut TcpStream, path: &str) {
    send(
        stream,
        &format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"),
    )
    .await;
}

/// Reads one response to its end, which its body marks.
async fn response(stream: &mut TcpStream, body: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(body) {
        let mut part = [0; 1024];
        let read = timeout(PATIENCE, stream.read(&mut part)).await;
        let read = read.expect("an answer in time").unwrap();
        assert!(read > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    text
}

/// Waits for the end of the stream, whether it is said politely or not.
async fn closed(stream: &mut TcpStream) {
    let end = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
    let _ = end.expect("the connection to be closed in time");
}

#[tokio::test]
async fn a_slow_head_is_closed() {
    let server = Server::start(Limits {
        read_timeout: SHORT,
        ..LIMITS
    })
    .await;
    let mut stream = server.connect().await;
    let started = Instant::now();
    send(&mut stream, "GET / HTTP/1.1\r\n").await;
    // One header after the other does not start the clock anew.
    let (mut read, mut write) = stream.split();
    let mut rest = Vec::new();
    let drip = async {
        while write.write_all(b"A: b\r\n").await.is_ok() {
            sleep(SHORT / 10).await;
        }
    };
    tokio::select! {
        () = drip => {}
        end = timeout(PATIENCE, read.read_to_end(&mut rest)) => {
            let _ = end.expect("the connection to be closed in time");
        }
    }
    assert!(started.elapsed() >= SHORT);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::start(Limits {
        read_timeout: SHORT,
        ..LIMITS
    })
    .await;
    // One that never asked, and one that was served.
    let mut silent = server.connect().await;
    let mut served = server.connect().await;
    for _ in 0..2 {
        ask(&mut served, "/").await;
        response(&mut served, "hello").await;
        sleep(SHORT / 10).await;
    }
    let idle_since = Instant::now();
    closed(&mut served).await;
    assert!(idle_since.elapsed() >= SHORT / 2);
    closed(&mut silent).await;
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_dropped() {
    let limits = Limits {
        write_timeout: SHORT,
        max_connections: 1,
        ..LIMITS
    };
    let server = Server::start(limits).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stalled = socket.connect(server.addresses[0]).await.unwrap();
    ask(&mut stalled, "/large").await;
    // The only permit comes back although the peer stays.
    let mut next = server.connect().await;
    ask(&mut next, "/").await;
    response(&mut next, "hello").await;
    let mut taken = Vec::new();
    let _ = timeout(PATIENCE, stalled.read_to_end(&mut taken))
        .await
        .unwrap();
    assert!(taken.len() < LARGE, "the rest was never sent");
}

#[tokio::test]
async fn a_slow_reader_is_served_to_the_end() {
    let server = Server::start(Limits {
        write_timeout: SHORT,
        ..LIMITS
    })
    .await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/large").await;
    let (mut taken, mut part) = (0, vec![0; 8 << 20]);
    while taken < LARGE {
        sleep(SHORT / 10).await;
        let read = timeout(PATIENCE, stream.read(&mut part))
            .await
            .unwrap()
            .unwrap();
        assert!(read > 0, "closed after {taken} bytes");
        taken += read;
    }
}

#[tokio::test]
async fn a_long_scrape_outlives_both_timeouts() {
    let limits = Limits {
        read_timeout: SHORT,
        write_timeout: SHORT,
        ..LIMITS
    };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/slow").await;
    sleep(SHORT * 3).await;
    server.gate.notify_one();
    response(&mut stream, "slow").await;
}

#[tokio::test]
async fn shutdown_lets_a_request_finish() {
    let server = Server::start(LIMITS).await;
    let mut idle = server.connect().await;
    ask(&mut idle, "/").await;
    response(&mut idle, "hello").await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/slow").await;
    server.entered.notified().await;

    server.stop.send(()).unwrap();
    closed(&mut idle).await;
    assert!(TcpStream::connect(server.addresses[0]).await.is_err());
    assert!(!server.running.is_finished());
    server.gate.notify_one();
    let text = response(&mut stream, "slow").await;
    assert!(text.contains("connection: close"), "{text}");
    timeout(PATIENCE, server.running).await.unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_does_not_wait_longer_than_the_grace() {
    let server = Server::start(Limits {
        shutdown_grace: SHORT,
        ..LIMITS
    })
    .await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/slow").await;
    server.entered.notified().await;
    let stopped = Instant::now();
    server.stop.send(()).unwrap();
    timeout(PATIENCE, server.running).await.unwrap().unwrap();
    assert!(stopped.elapsed() >= SHORT);
    closed(&mut stream).await;
}

#[tokio::test]
async fn the_bound_holds_over_all_listeners() {
    let server = Server::listening(
        Limits {
            max_connections: 1,
            ..LIMITS
        },
        2,
    )
    .await;
    let mut first = server.connect().await;
    ask(&mut first, "/").await;
    response(&mut first, "hello").await;

    let mut second = TcpStream::connect(server.addresses[1]).await.unwrap();
    ask(&mut second, "/").await;
    let early = timeout(SHORT, second.read_u8()).await;
    assert!(early.is_err(), "answered beyond the bound");
    drop(first);
    response(&mut second, "hello").await;
}

/// Whoever holds its share gets no more; others do.
#[tokio::test]
async fn a_peer_cannot_take_every_connection() {
    let server = Server::start(Limits {
        max_connections_per_peer: 2,
        ..LIMITS
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        ask(&mut stream, "/").await;
        response(&mut stream, "hello").await;
        held.push(stream);
    }
    closed(&mut server.connect().await).await;

    let other = TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = other.connect(server.addresses[0]).await.unwrap();
    ask(&mut other, "/").await;
    response(&mut other, "hello").await;

    held.pop();
    // The server learns of it in its own time.
    let mut again = Vec::new();
    while again.is_empty() {
        let mut stream = server.connect().await;
        let request = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        let _ = stream.write_all(request).await;
        let _ = timeout(PATIENCE, stream.read_to_end(&mut again))
            .await
            .unwrap();
    }
    assert!(again.starts_with(b"HTTP/1.1 200 OK\r\n"));
}

/// What a peer that takes nothing costs here and in the kernel does not depend on the size of its response.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_kernel_holds_little_that_is_unsent() {
    let listeners = bind(&["127.0.0.1:0".to_owned()]).await.unwrap();
    let address = listeners[0].local_addr().unwrap();
    let mut acceptor = Acceptor::new(listeners);
    let receiver = TcpSocket::new_v4().unwrap();
    receiver.set_recv_buffer_size(4096).unwrap();
    let _receiver = receiver.connect(address).await.unwrap();
    let (mut stream, ..) = acceptor.accept().await;
    let mut taken = 0;
    let part = [0; 16 << 10];
    while let Ok(written) = timeout(SHORT, stream.write(&part)).await {
        taken += written.unwrap();
    }
    assert!(taken < 512 << 10, "{taken} bytes");
}

/// A peer that has sent all it has to send waits for its answer all the same.
#[tokio::test]
async fn a_half_closed_peer_is_answered() {
    let server = Server::start(LIMITS).await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/slow").await;
    stream.shutdown().await.unwrap();
    server.entered.notified().await;
    sleep(SHORT / 10).await;
    server.gate.notify_one();
    response(&mut stream, "slow").await;
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_panic_costs_one_connection() {
    let server = Server::start(Limits {
        max_connections: 1,
        ..LIMITS
    })
    .await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/panic").await;
    closed(&mut stream).await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/").await;
    response(&mut stream, "hello").await;
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = bind(&["127.0.0.1:0".to_owned()]).await.unwrap();
    let address = taken[0].local_addr().unwrap().to_string();
    let error = bind(std::slice::from_ref(&address)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {address}"));
}

#[tokio::test]
async fn no_host_means_every_interface() {
    let listeners = bind(&[":0".to_owned()]).await.unwrap();
    let address = listeners[0].local_addr().unwrap();
    assert!(address.ip().is_unspecified());
    TcpStream::connect(("127.0.0.1", address.port()))
        .await
        .unwrap();
}
