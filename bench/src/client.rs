//! A scraper in a closed loop: connections that are kept, bodies that are read and dropped.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{coding::Coding, serve::http::CAREFUL};

/// As much as is read from a socket at a time.
const READ: usize = 256 << 10;

/// One kept connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What was read and not yet looked at.
    start: usize,
    end: usize,
}

/// What came back.
pub struct Reply {
    /// Content-Encoding, or `identity`.
    pub coding: String,
    /// Bytes of the body, as they were sent.
    pub bytes: usize,
}

/// What a closed loop showed.
pub struct Load {
    /// Seconds, ascending.
    pub latencies: Vec<f64>,
    pub elapsed: Duration,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("connect {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; READ],
            start: 0,
            end: 0,
        })
    }

    /// Gets the page; `sink` is shown the body part by part.
    pub fn get(&mut self, coding: Coding, mut sink: impl FnMut(&[u8])) -> Result<Reply> {
        let query = if coding == Coding::CarefulGzip {
            format!("?{CAREFUL}")
        } else {
            String::new()
        };
        let coding = coding.token();
        let request = format!(
            "GET /metrics{query} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {coding}\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes())?;
        let status = self.line()?;
        ensure!(
            status.starts_with("HTTP/1.1 200"),
            "the server says {status:?}"
        );
        let (mut length, mut coding) = (None, "identity".to_owned());
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = Some(value.parse()?),
                Some(("content-encoding", value)) => coding = value.to_owned(),
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        let bytes = match length {
            Some(length) => {
                self.take(length, &mut sink)?;
                length
            }
            None => self.chunks(&mut sink)?,
        };
        Ok(Reply { coding, bytes })
    }

    fn chunks(&mut self, sink: &mut impl FnMut(&[u8])) -> Result<usize> {
        let mut bytes = 0;
        loop {
            let size = usize::from_str_radix(&self.line()?, 16).context("size of a chunk")?;
            self.take(size, sink)?;
            bytes += size;
            ensure!(self.line()?.is_empty(), "a chunk that does not end");
            if size == 0 {
                return Ok(bytes);
            }
        }
    }

    /// A line of the head, without its end.
    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(length) = unread.iter().position(|byte| *byte == b'\n') {
                line.extend_from_slice(&unread[..length]);
                self.start += length + 1;
                line.pop_if(|byte| *byte == b'\r');
                return Ok(String::from_utf8(line)?);
            }
            line.extend_from_slice(unread);
            self.fill()?;
        }
    }

    fn take(&mut self, mut length: usize, sink: &mut impl FnMut(&[u8])) -> Result<()> {
        while length > 0 {
            if self.start == self.end {
                self.fill()?;
            }
            let part = length.min(self.end - self.start);
            sink(&self.buffer[self.start..self.start + part]);
            self.start += part;
            length -= part;
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<()> {
        self.start = 0;
        self.end = self.stream.read(&mut self.buffer)?;
        if self.end == 0 {
            bail!("the server hung up");
        }
        Ok(())
    }
}

/// `clients` connections at once, each asking again as soon as it was answered, for `time` and at least `least` times.
/// Where `warm`, each asks once before time is taken.
pub fn load(
    address: SocketAddr,
    coding: Coding,
    clients: usize,
    warm: bool,
    time: Duration,
    least: usize,
) -> Result<Load> {
    let ready = Barrier::new(clients);
    let worker = || -> Result<(Vec<f64>, Instant, Instant)> {
        let connection = Connection::open(address).and_then(|mut connection| {
            if warm {
                connection.get(coding, drop_it)?;
            }
            Ok(connection)
        });
        ready.wait();
        let mut connection = connection?;
        let mut latencies = Vec::new();
        let start = Instant::now();
        while latencies.len() < least || start.elapsed() < time {
            let asked = Instant::now();
            connection.get(coding, drop_it)?;
            latencies.push(asked.elapsed().as_secs_f64());
        }
        Ok((latencies, start, Instant::now()))
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..clients).map(|_| scope.spawn(worker)).collect();
        let mut latencies = Vec::new();
        let mut span: Option<(Instant, Instant)> = None;
        for worker in workers {
            let Ok(result) = worker.join() else {
                bail!("a client crashed");
            };
            let (more, start, end) = result?;
            latencies.extend(more);
            span = Some(span.map_or((start, end), |span| (span.0.min(start), span.1.max(end))));
        }
        latencies.sort_by(f64::total_cmp);
        let elapsed = span.map_or(Duration::ZERO, |(start, end)| end - start);
        Ok(Load { latencies, elapsed })
    })
}

fn drop_it(_: &[u8]) {}
