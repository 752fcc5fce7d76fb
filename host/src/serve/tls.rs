//! From a stream to a TLS stream.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::connection::BoxError;
use crate::front::Front;

/// What a peer and this side settled on.
pub(super) enum Handshake<S> {
    Http1(TlsStream<Rewound<S>>),
    Http2(TlsStream<Rewound<S>>),
    /// It was told.
    NotTls,
}

/// The head of a TLS record, in bytes.
const HEAD: usize = 5;

/// How requests begin, as far as Go looks at them.
const METHODS: [&[u8; HEAD]; 5] = [b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO"];

/// What such a peer is told, in Go's words.
const TOLD: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// What is read of the rest of such a request, in bytes, so that the answer is not lost in a reset.
const IGNORED: u64 = 64 << 10;

/// The handshake, by the file as it is once the peer has begun to speak. It has no limit of time of its own.
pub(super) async fn accept<S>(mut stream: S, front: &Front) -> Result<Handshake<S>, BoxError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = [0; HEAD];
    stream.read_exact(&mut head).await?;
    if METHODS.contains(&&head) {
        stream.write_all(TOLD).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(IGNORED), &mut tokio::io::sink()).await?;
        return Ok(Handshake::NotTls);
    }
    let config = front.server_config().await?;
    let stream = Rewound {
        head,
        given: 0,
        stream,
    };
    let stream = TlsAcceptor::from(config).accept(stream).await?;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Ok(if is_http2 {
        Handshake::Http2(stream)
    } else {
        Handshake::Http1(stream)
    })
}

/// A stream of which the first bytes were looked at.
#[derive(Debug)]
pub(super) struct Rewound<S> {
    head: [u8; HEAD],
    given: usize,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.given == HEAD {
            return Pin::new(&mut this.stream).poll_read(cx, buffer);
        }
        let count = buffer.remaining().min(HEAD - this.given);
        buffer.put_slice(&this.head[this.given..this.given + count]);
        this.given += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
