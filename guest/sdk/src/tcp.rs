//! Connections to peers that the operator granted (`grants.tcp`). Needs the feature `tcp`.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::tcp::TcpSocket;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

use crate::peer::Deadline;
pub use crate::peer::PeerError;

/// What is written at a time at most, in bytes.
const CHUNK: u64 = 4096;

/// A connection, which reads and writes as every other one, until its time is over: then both fail with
/// [`io::ErrorKind::TimedOut`].
#[derive(Debug)]
pub struct Connection {
    // Streams are dropped before the socket that they belong to.
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
    deadline: Deadline,
}

impl Connection {
    /// Connects to `HOST:PORT`. HOST is a name, an IPv4 address or, in brackets, an IPv6 address; the addresses of a
    /// name are tried one after the other. `timeout` is for everything until the connection is dropped.
    ///
    /// # Errors
    /// As [`PeerError`] says. A malformed `peer` is a [`PeerError::Failed`].
    pub fn open(peer: &str, timeout: Duration) -> Result<Self, PeerError> {
        let deadline = Deadline::after(timeout);
        let mut last = PeerError::Failed(format!("{peer}: the name has no addresses"));
        for address in addresses(peer, &deadline)? {
            match connect(peer, address, &deadline) {
                Ok((socket, input, output)) => {
                    return Ok(Self {
                        input,
                        output,
                        _socket: socket,
                        deadline,
                    });
                }
                Err(error @ PeerError::TimedOut(_)) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn wait(&self, ready: &Pollable) -> io::Result<()> {
        match self.deadline.comes(ready) {
            true => Ok(()),
            false => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                self.deadline.late(),
            )),
        }
    }

    /// How much may be written now, in bytes, once it is anything.
    fn room(&self) -> io::Result<usize> {
        loop {
            match self.output.check_write().map_err(failed)?.min(CHUNK) {
                0 => self.wait(&self.output.subscribe())?,
                room => return Ok(room as usize),
            }
        }
    }
}

fn failed(error: StreamError) -> io::Error {
    match error {
        StreamError::Closed => io::ErrorKind::BrokenPipe.into(),
        StreamError::LastOperationFailed(error) => io::Error::other(error.to_debug_string()),
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            match self.input.read(buffer.len() as u64) {
                Ok(bytes) if bytes.is_empty() => self.wait(&self.input.subscribe())?,
                Ok(bytes) => {
                    buffer[..bytes.len()].copy_from_slice(&bytes);
                    return Ok(bytes.len());
                }
                Err(StreamError::Closed) => return Ok(0),
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(0)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let piece = &bytes[..bytes.len().min(self.room()?)];
        self.output.write(piece).map_err(failed)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush().map_err(failed)?;
        // It is done when there is room again.
        self.room().map(|_| ())
    }
}

// === connecting ===

/// Where to connect to: an address, or those that a name has.
fn addresses(peer: &str, deadline: &Deadline) -> Result<Vec<SocketAddr>, PeerError> {
    let (host, port) = match target(peer)? {
        Target::Address(address) => return Ok(vec![address]),
        Target::Name(host, port) => (host, port),
    };
    let explain = |code| explain(peer, "look it up", code);
    let lookup = resolve_addresses(&instance_network(), host).map_err(explain)?;
    let mut found = Vec::new();
    loop {
        match lookup.resolve_next_address() {
            Ok(Some(address)) => found.push(SocketAddr::new(ip(address), port)),
            Ok(None) => return Ok(found),
            Err(ErrorCode::WouldBlock) => deadline.wait(&lookup.subscribe(), peer)?,
            Err(code) => return Err(explain(code)),
        }
    }
}

type Connected = (TcpSocket, InputStream, OutputStream);

fn connect(peer: &str, to: SocketAddr, deadline: &Deadline) -> Result<Connected, PeerError> {
    let explain = |code| explain(peer, "connect", code);
    let family = match to {
        SocketAddr::V4(_) => IpAddressFamily::Ipv4,
        SocketAddr::V6(_) => IpAddressFamily::Ipv6,
    };
    let socket = create_tcp_socket(family).map_err(explain)?;
    let started = socket.start_connect(&instance_network(), address(to));
    started.map_err(explain)?;
    loop {
        match socket.finish_connect() {
            Ok((input, output)) => return Ok((socket, input, output)),
            Err(ErrorCode::WouldBlock) => deadline.wait(&socket.subscribe(), peer)?,
            Err(code) => return Err(explain(code)),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Target<'a> {
    Address(SocketAddr),
    Name(&'a str, u16),
}

fn target(peer: &str) -> Result<Target<'_>, PeerError> {
    if let Ok(address) = peer.parse() {
        return Ok(Target::Address(address));
    }
    let parts = peer.rsplit_once(':');
    let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parts {
        Some((host, port)) if !host.is_empty() && !host.contains([':', '/', '[']) => {
            Ok(Target::Name(host, port))
        }
        _ => Err(PeerError::Failed(format!(
            "{peer:?} is no HOST:PORT; write an IPv6 address as [::1]:6379"
        ))),
    }
}

fn explain(peer: &str, what: &str, code: ErrorCode) -> PeerError {
    let text = match code {
        ErrorCode::AccessDenied => {
            return PeerError::Denied(format!("{peer}: not granted (grants.tcp)"));
        }
        ErrorCode::ConnectionRefused => "connection refused",
        ErrorCode::ConnectionReset => "connection reset",
        ErrorCode::RemoteUnreachable => "unreachable",
        ErrorCode::Timeout => {
            return PeerError::TimedOut(format!("{peer}: no answer in time"));
        }
        ErrorCode::NameUnresolvable => "there is no such name",
        ErrorCode::TemporaryResolverFailure | ErrorCode::PermanentResolverFailure => {
            "the lookup of the name failed"
        }
        other => return PeerError::Failed(format!("{peer}: cannot {what}: {}", other.message())),
    };
    PeerError::Failed(format!("{peer}: {text}"))
}

fn ip(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}

fn address(to: SocketAddr) -> IpSocketAddress {
    match to {
        SocketAddr::V4(to) => {
            let [a, b, c, d] = to.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress {
                port: to.port(),
                address: (a, b, c, d),
            })
        }
        SocketAddr::V6(to) => {
            let [a, b, c, d, e, f, g, h] = to.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: to.port(),
                flow_info: to.flowinfo(),
                address: (a, b, c, d, e, f, g, h),
                scope_id: to.scope_id(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_addresses_or_names() {
        for address in ["127.0.0.1:6379", "[::1]:6379"] {
            let parsed = Target::Address(address.parse().expect("an address"));
            assert_eq!(target(address), Ok(parsed));
        }
        assert_eq!(target("db.internal:1"), Ok(Target::Name("db.internal", 1)));
        for wrong in [
            "",
            "db",
            "db:",
            ":6379",
            "db:65536",
            "::1:6379",
            "redis://db:6379",
        ] {
            let error = target(wrong).expect_err(wrong).to_string();
            assert!(error.contains("HOST:PORT"), "{error}");
        }
    }

    #[test]
    fn what_is_not_granted_is_told_from_what_is_not_there() {
        let denied = explain("a:1", "connect", ErrorCode::AccessDenied);
        assert_eq!(
            denied,
            PeerError::Denied("a:1: not granted (grants.tcp)".into())
        );
        let refused = explain("a:1", "connect", ErrorCode::ConnectionRefused);
        assert_eq!(refused, PeerError::Failed("a:1: connection refused".into()));
    }
}
