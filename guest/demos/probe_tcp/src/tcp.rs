//! TCP by the sockets of WASI, with an end to every wait.

use std::time::Duration;

use wasip2::{
    clocks::monotonic_clock,
    io::{
        poll::{Pollable, poll},
        streams::{InputStream, OutputStream, StreamError},
    },
    sockets::{
        instance_network::instance_network,
        ip_name_lookup::resolve_addresses,
        network::{
            ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress,
            Ipv6SocketAddress,
        },
        tcp::TcpSocket,
        tcp_create_socket::create_tcp_socket,
    },
};

/// Bytes of an answer that are looked at.
const MOST: usize = 64 << 10;

/// Why a target cannot be measured, for a line of the log.
pub(crate) type Error = String;

/// A stopwatch: a module without an operating system has no `std::time::Instant`.
pub(crate) struct Stopwatch(monotonic_clock::Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(monotonic_clock::now())
    }

    /// Since it was started.
    pub(crate) fn seconds(&self) -> f64 {
        Duration::from_nanos(monotonic_clock::now() - self.0).as_secs_f64()
    }
}

/// Until when to wait.
pub(crate) struct Patience(Pollable);

impl Patience {
    pub(crate) fn new(timeout: Duration) -> Self {
        let nanos = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        Self(monotonic_clock::subscribe_duration(nanos))
    }

    /// Waits until this is ready.
    fn wait(&self, other: &Pollable) -> Result<(), Error> {
        let ready = poll(&[other, &self.0]);
        if ready.contains(&0) {
            Ok(())
        } else {
            Err("it took too long".into())
        }
    }
}

/// The first address of `HOST:PORT`.
pub(crate) fn resolve(target: &str, patience: &Patience) -> Result<IpSocketAddress, Error> {
    let (host, port) = target.rsplit_once(':').ok_or("write HOST:PORT")?;
    let port = port.parse().map_err(|_| format!("{port:?} is no port"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let lookup = resolve_addresses(&instance_network(), host).map_err(shown)?;
    loop {
        match lookup.resolve_next_address() {
            Ok(Some(address)) => return Ok(with_port(address, port)),
            Ok(None) => return Err("the name has no address".into()),
            Err(ErrorCode::WouldBlock) => patience.wait(&lookup.subscribe())?,
            Err(code) => return Err(shown(code)),
        }
    }
}

fn with_port(address: IpAddress, port: u16) -> IpSocketAddress {
    match address {
        IpAddress::Ipv4(address) => IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address }),
        IpAddress::Ipv6(address) => IpSocketAddress::Ipv6(Ipv6SocketAddress {
            port,
            flow_info: 0,
            address,
            scope_id: 0,
        }),
    }
}

/// 4 or 6.
pub(crate) fn version(address: &IpSocketAddress) -> f64 {
    match address {
        IpSocketAddress::Ipv4(_) => 4.0,
        IpSocketAddress::Ipv6(_) => 6.0,
    }
}

/// An open connection.
pub(crate) struct Connection {
    // The streams are the socket's children, and go before it.
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
}

impl Connection {
    pub(crate) fn open(address: IpSocketAddress, patience: &Patience) -> Result<Self, Error> {
        let family = match address {
            IpSocketAddress::Ipv4(_) => IpAddressFamily::Ipv4,
            IpSocketAddress::Ipv6(_) => IpAddressFamily::Ipv6,
        };
        let socket = create_tcp_socket(family).map_err(shown)?;
        let network = instance_network();
        socket.start_connect(&network, address).map_err(shown)?;
        loop {
            match socket.finish_connect() {
                Ok((input, output)) => {
                    return Ok(Self {
                        input,
                        output,
                        _socket: socket,
                    });
                }
                Err(ErrorCode::WouldBlock) => patience.wait(&socket.subscribe())?,
                Err(code) => return Err(shown(code)),
            }
        }
    }

    /// Sends a line.
    pub(crate) fn send(&self, text: &str, patience: &Patience) -> Result<(), Error> {
        let line = format!("{text}\r\n");
        let mut left = line.as_bytes();
        while !left.is_empty() {
            patience.wait(&self.output.subscribe())?;
            let room = self.output.check_write().map_err(shown)? as usize;
            let (now, later) = left.split_at(room.min(left.len()));
            self.output.write(now).map_err(shown)?;
            left = later;
        }
        self.output.flush().map_err(shown)
    }

    /// Reads until the text has come, or the peer has ended.
    pub(crate) fn expect(&self, text: &str, patience: &Patience) -> Result<bool, Error> {
        let mut found = Vec::new();
        let has = |found: &[u8]| {
            text.is_empty()
                || found
                    .windows(text.len())
                    .any(|part| part == text.as_bytes())
        };
        while !has(&found) && found.len() < MOST {
            patience.wait(&self.input.subscribe())?;
            match self.input.read(4096) {
                Ok(more) => found.extend(more),
                Err(StreamError::Closed) => break,
                Err(error) => return Err(shown(error)),
            }
        }
        Ok(has(&found))
    }
}

/// The name of an error code, or all of another error.
fn shown(error: impl std::fmt::Debug) -> Error {
    let text = format!("{error:?}");
    let name = text.split("name: \"").nth(1);
    let name = name.and_then(|rest| rest.split('"').next());
    name.map_or(text.clone(), str::to_owned)
}
