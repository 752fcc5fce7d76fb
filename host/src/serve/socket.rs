//! Sockets that are listened on: TCP, and Unix's.

use std::{
    fmt,
    fs::{self, Permissions},
    io,
    net::{IpAddr, SocketAddr},
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net,
    },
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll, ready},
};

use socket2::{Domain, SockAddr, Type};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener},
};

use crate::front::Front;

/// A connection of either kind.
pub(super) type Stream = Pin<Box<dyn Duplex>>;

pub(super) trait Duplex: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// One socket that is listened on, with TLS or without.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    pub(super) front: Option<Front>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        /// Its file, if it is of our making.
        _made: Option<Made>,
    },
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self {
            socket: Socket::Tcp(listener),
            front: None,
        }
    }
}

impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Self {
            socket: Socket::Unix {
                listener,
                _made: None,
            },
            front: None,
        }
    }
}

/// `127.0.0.1:8080` or `unix:/run/meterbox.sock`.
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Socket::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(f),
                Err(_) => f.write_str("unknown"),
            },
            Socket::Unix { listener, .. } => {
                let address = listener.local_addr().ok();
                match address.as_ref().and_then(|address| address.as_pathname()) {
                    Some(path) => write!(f, "unix:{}", path.display()),
                    None => f.write_str("unix:unnamed"),
                }
            }
        }
    }
}

impl Listener {
    /// With TLS, if the web config file has a certificate.
    pub fn secured(mut self, front: &Front) -> Self {
        self.front = Some(front.clone()).filter(Front::is_tls);
        self
    }

    /// The address of a TCP socket; an error for one of Unix.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr(),
            Socket::Unix { .. } => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The next stream, and its peer. All peers of a Unix socket are on this machine, and count as one.
    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Stream, IpAddr)>> {
        Poll::Ready(match &self.socket {
            Socket::Tcp(listener) => ready!(listener.poll_accept(cx)).map(|(stream, peer)| {
                if let Err(error) = prepare(&stream) {
                    tracing::debug!(%peer, %error, "cannot set options of a socket");
                }
                (Box::pin(stream) as Stream, peer.ip())
            }),
            Socket::Unix { listener, .. } => ready!(listener.poll_accept(cx))
                .map(|(stream, _)| (Box::pin(stream) as Stream, IpAddr::from([0; 4]))),
        })
    }
}

/// What the kernel may hold that has not been sent, in bytes. Its own bound is the send buffer, which grows to 4 MB for each
/// peer that takes a large page slowly. What is on its way is not part of it, so nobody is slowed down.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 << 10;

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Responses are written whole; waiting for more to send would only delay them.
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT)?;
    Ok(())
}

/// Owner and group may connect, nobody else.
const MODE: u32 = 0o660;

/// Connections that wait in the kernel's queue.
const BACKLOG: i32 = 1024;

/// A new socket at this path. One that is left from a process that is gone is replaced; nothing else is.
pub(super) fn bind_unix(path: &Path) -> io::Result<Listener> {
    let address = SockAddr::unix(path)?;
    if fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket()) {
        let peer = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // Where the queue of a living one is full, nobody waits.
        peer.set_nonblocking(true)?;
        let reached = peer.connect(&address);
        if reached.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            fs::remove_file(path)?;
        }
    }
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&address)?;
    let made = Made::now(path)?;
    // Before it is listened on: nobody connects in between.
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = UnixListener::from_std(net::UnixListener::from(socket))?;
    Ok(Listener {
        socket: Socket::Unix {
            listener,
            _made: Some(made),
        },
        front: None,
    })
}

/// A file of ours, removed when it is dropped, unless it is another one by then.
#[derive(Debug)]
struct Made {
    path: PathBuf,
    identity: (u64, u64),
}

impl Made {
    fn now(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            // If it cannot be removed, the next start does it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}
