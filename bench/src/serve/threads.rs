//! The bound's server: a thread for each connection, one buffer, one write for each piece. It knows no HTTP beyond what
//! the clients of this benchmark say.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use anyhow::Result;

use crate::{
    coding::{Coding, Method},
    compress::Encoder,
    peers::{Bound, Name},
};

/// `"%08x\r\n"`: leading zeros are allowed, and so the head of a chunk can be filled in when its size is known.
const CHUNK_HEAD: usize = 10;

/// Serves until the process ends.
pub fn serve(listener: &TcpListener, bound: &Arc<Bound>) -> Result<()> {
    loop {
        let (socket, _) = listener.accept()?;
        let bound = Arc::clone(bound);
        // A client that leaves ends its thread with an error that nobody needs.
        thread::spawn(move || Connection::new(socket).serve(&bound));
    }
}

struct Connection {
    socket: TcpStream,
    /// Rendered text.
    piece: Vec<u8>,
    /// What goes out next.
    out: Vec<u8>,
    gzip: Option<Encoder>,
    zstd: Option<Encoder>,
}

impl Connection {
    fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            piece: Vec::new(),
            out: Vec::new(),
            gzip: None,
            zstd: None,
        }
    }

    fn serve(mut self, bound: &Bound) -> io::Result<()> {
        self.socket.set_nodelay(true)?;
        let mut head = [0; 4096];
        loop {
            let mut length = 0;
            while !head[..length].ends_with(b"\r\n\r\n") {
                match self.socket.read(&mut head[length..])? {
                    0 => return Ok(()),
                    more => length += more,
                }
            }
            let asks_for = |coding: &[u8]| head[..length].windows(4).any(|part| part == coding);
            if asks_for(b"gzip") {
                self.coded(bound, Coding::Gzip)?;
            } else if asks_for(b"zstd") {
                self.coded(bound, Coding::Zstd)?;
            } else {
                self.plain(bound)?;
            }
        }
    }

    /// Renders between the head and the end of each chunk.
    fn plain(&mut self, bound: &Bound) -> io::Result<()> {
        bound.refresh();
        self.head(Coding::Identity);
        let mut next = Some(0);
        while let Some(line) = next {
            let start = self.open_chunk();
            next = bound.piece(line, &mut self.out);
            self.close_chunk(start);
            self.write(next.is_none())?;
        }
        Ok(())
    }

    fn coded(&mut self, bound: &Bound, coding: Coding) -> io::Result<()> {
        bound.refresh();
        self.head(coding);
        let slot = if coding == Coding::Zstd {
            &mut self.zstd
        } else {
            &mut self.gzip
        };
        let mut encoder = match (slot.take(), Method::of(Name::Bound, coding)) {
            (Some(encoder), _) => encoder,
            (None, method) => Encoder::new(method.unwrap_or(Method::Fast))?,
        };
        let mut next = Some(0);
        while let Some(line) = next {
            self.piece.clear();
            next = bound.piece(line, &mut self.piece);
            let start = self.open_chunk();
            encoder.push(&self.piece, next.is_none(), &mut self.out)?;
            self.close_chunk(start);
            self.write(next.is_none())?;
        }
        *(if coding == Coding::Zstd {
            &mut self.zstd
        } else {
            &mut self.gzip
        }) = Some(encoder);
        Ok(())
    }

    fn head(&mut self, coding: Coding) {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
            transfer-encoding: chunked\r\n";
        self.out.extend_from_slice(head.as_bytes());
        if coding != Coding::Identity {
            let line = format!("content-encoding: {}\r\n", coding.token());
            self.out.extend_from_slice(line.as_bytes());
        }
        self.out.extend_from_slice(b"\r\n");
    }

    fn open_chunk(&mut self) -> usize {
        let start = self.out.len() + CHUNK_HEAD;
        self.out.resize(start, b' ');
        start
    }

    /// An empty chunk would end the body; it is taken back.
    fn close_chunk(&mut self, start: usize) {
        let size = self.out.len() - start;
        if size == 0 {
            self.out.truncate(start - CHUNK_HEAD);
            return;
        }
        let head = format!("{size:08x}\r\n");
        self.out[start - CHUNK_HEAD..start].copy_from_slice(head.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    fn write(&mut self, last: bool) -> io::Result<()> {
        if last {
            self.out.extend_from_slice(b"0\r\n\r\n");
        }
        self.socket.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }
}
