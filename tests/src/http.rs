//! A blocking HTTP/1.1 client that shows what was sent: it follows nothing and decodes nothing unasked.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use ureq::http::{HeaderMap, Request};

use crate::PATIENCE;

/// Requests to one address, each on a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
    address: SocketAddr,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields as sent.
    pub headers: HeaderMap,
    /// The body as sent.
    pub body: Vec<u8>,
    /// From the first byte sent to the last byte read.
    pub took: Duration,
}

impl Client {
    /// A client of this server.
    pub fn new(address: SocketAddr) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .timeout_global(Some(PATIENCE))
            .user_agent("meterbox-tests")
            .accept("")
            .accept_encoding("")
            .proxy(None)
            .allow_non_standard_methods(true)
            .build();
        Self {
            agent: config.new_agent(),
            address,
        }
    }

    /// Where the server is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// One request with these header fields.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Response> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let started = Instant::now();
        let what = || format!("{method} {path}");
        let mut response = self.agent.run(request.body(())?).with_context(what)?;
        let body = response
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_to_vec()
            .with_context(what)?;
        let (head, _) = response.into_parts();
        Ok(Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            took: started.elapsed(),
        })
    }

    /// GET.
    pub fn get(&self, path: &str) -> Result<Response> {
        self.request("GET", path, &[])
    }
}

impl Response {
    /// A header field, or "" if it was not sent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body, with gzip or zstd undone if it was sent so.
    pub fn text(&self) -> Result<String> {
        let mut text = String::new();
        match self.header("content-encoding") {
            "gzip" => GzDecoder::new(&self.body[..])
                .read_to_string(&mut text)
                .context("broken gzip")?,
            "zstd" => zstd::Decoder::new(&self.body[..])?
                .read_to_string(&mut text)
                .context("broken zstd")?,
            _ => (&self.body[..])
                .read_to_string(&mut text)
                .context("not UTF-8")?,
        };
        Ok(text)
    }

    /// Paths that an HTML page at `base` (which ends in a slash) links to.
    pub fn links(&self, base: &str) -> Result<Vec<String>> {
        let html = self.text()?;
        let links = html
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        let path = |link: &str| match link.strip_prefix("./") {
            Some(relative) => format!("{base}{relative}"),
            None => link.to_owned(),
        };
        Ok(links.map(path).collect())
    }
}

/// Sends bytes and returns all that comes back until the server closes.
pub fn raw(address: SocketAddr, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8(answer)?)
}
