//! Sockets that systemd made (`LISTEN_FDS`).

use std::io;

use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener};

use super::{BindError, Listener};

/// The sockets that systemd passed to this process, in its order: TCP, and streams of Unix. They can be taken once.
pub fn systemd() -> Result<Vec<Listener>, BindError> {
    let refused = |source| BindError {
        address: "the sockets of systemd".to_owned(),
        source,
    };
    let mut passed = ListenFd::from_env();
    if passed.len() == 0 {
        return Err(refused(io::Error::other(
            "no socket activation file descriptors found",
        )));
    }
    (0..passed.len())
        .map(|index| take(&mut passed, index).map_err(refused))
        .collect()
}

fn take(passed: &mut ListenFd, index: usize) -> io::Result<Listener> {
    if let Ok(Some(listener)) = passed.take_tcp_listener(index) {
        listener.set_nonblocking(true)?;
        return Ok(TcpListener::from_std(listener)?.into());
    }
    if let Ok(Some(listener)) = passed.take_unix_listener(index) {
        listener.set_nonblocking(true)?;
        return Ok(UnixListener::from_std(listener)?.into());
    }
    Err(io::Error::other(format!(
        "file descriptor {} is neither a TCP nor a Unix stream socket that listens",
        index + 3
    )))
}
