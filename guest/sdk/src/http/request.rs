//! What a client asked for.

use wasip2::http::types::{IncomingBody, IncomingRequest, Method};
use wasip2::io::streams::StreamError;

use crate::Result;

/// How much of a body is asked for at a time, in bytes.
const CHUNK: u64 = 64 * 1024;

/// One request, read to its end.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// In capitals: `GET`.
    pub method: String,
    /// As the client sent it, percent signs and all: `/hello?name=x`.
    pub path_with_query: String,
    /// Names and values in the order they came. Values need not be text.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Empty if there is none.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name, in any case, if its value is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        str::from_utf8(value).ok()
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.path_with_query.split('?').next().unwrap_or_default()
    }

    pub(super) fn read(request: IncomingRequest) -> Result<Self> {
        Ok(Self {
            method: name(request.method()),
            path_with_query: request.path_with_query().unwrap_or_default(),
            headers: request.headers().entries(),
            body: body(&request)?,
        })
    }
}

fn body(request: &IncomingRequest) -> Result<Vec<u8>> {
    let body: IncomingBody = request.consume().map_err(|()| "the body was read before")?;
    let stream = body.stream().map_err(|()| "the body was read before")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(CHUNK) {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(error.to_debug_string().into());
            }
        }
    }
}

fn name(method: Method) -> String {
    let name = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(other) => return other,
    };
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_in_any_case() {
        let headers = vec![
            ("accept".into(), b"text/plain".into()),
            ("X-Raw".into(), vec![0xff]),
        ];
        let request = Request {
            headers,
            ..Request::default()
        };
        assert_eq!(request.header("Accept"), Some("text/plain"));
        assert_eq!(request.header("x-raw"), None, "not text");
        assert_eq!(request.header("host"), None);
    }

    #[test]
    fn a_path_ends_where_its_query_begins() {
        let request = Request {
            path_with_query: "/hello?a=b?c".into(),
            ..Request::default()
        };
        assert_eq!(request.path(), "/hello");
    }
}
