//! HTTP requests to peers that the operator granted (`grants.http`). Needs the feature `client`.

use std::time::Duration;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingRequest, Scheme,
    http_error_code,
};
use wasip2::io::streams::StreamError;

use crate::peer::Deadline;
pub use crate::peer::PeerError;

/// How much of a body is asked for at a time, in bytes.
const CHUNK: u64 = 64 * 1024;

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Such as 200; a redirect is not followed.
    pub status: u16,
    /// Names and values in the order they came. Values need not be text.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// GET of a URL, such as `http://127.0.0.1:8080/status`. `timeout` is for everything until the body has been read.
///
/// # Errors
/// As [`PeerError`] says; any status is an answer. A malformed URL is a [`PeerError::Failed`].
pub fn get(url: &str, timeout: Duration) -> Result<Answer, PeerError> {
    let deadline = Deadline::after(timeout);
    let explain = |code| explain(url, code);
    let response = outgoing_handler::handle(request(url)?, None).map_err(explain)?;
    let response = loop {
        match response.get() {
            Some(response) => break response,
            None => deadline.wait(&response.subscribe(), url)?,
        }
    };
    let response = response.expect("taken once").map_err(explain)?;
    Ok(Answer {
        status: response.status(),
        headers: response.headers().entries(),
        body: body(url, &response, &deadline)?,
    })
}

fn body(url: &str, response: &IncomingResponse, deadline: &Deadline) -> Result<Vec<u8>, PeerError> {
    let body: IncomingBody = response.consume().expect("taken once");
    let stream = body.stream().expect("taken once");
    let mut bytes = Vec::new();
    loop {
        match stream.read(CHUNK) {
            Ok(more) if more.is_empty() => deadline.wait(&stream.subscribe(), url)?,
            Ok(more) => bytes.extend_from_slice(&more),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match http_error_code(&error) {
                    Some(code) => explain(url, code),
                    None => PeerError::Failed(format!("{url}: {}", error.to_debug_string())),
                });
            }
        }
    }
}

fn request(url: &str) -> Result<OutgoingRequest, PeerError> {
    let failed = || PeerError::Failed(format!("{url:?} is no URL such as http://HOST:PORT/PATH"));
    let (scheme, authority, path) = parts(url).ok_or_else(failed)?;
    let request = OutgoingRequest::new(Fields::new());
    request
        .set_method(&Method::Get)
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(path)))
        .map_err(|()| failed())?;
    Ok(request)
}

/// Scheme, authority, and path with query.
fn parts(url: &str) -> Option<(Scheme, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return None,
    };
    let rest = rest.split('#').next()?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_odd = authority.is_empty() || authority.contains(['@', '?', ' ']);
    (!is_odd).then_some((scheme, authority, if path.is_empty() { "/" } else { path }))
}

fn explain(url: &str, code: ErrorCode) -> PeerError {
    let text = match code {
        ErrorCode::HttpRequestDenied => {
            return PeerError::Denied(format!("{url}: not granted (grants.http)"));
        }
        ErrorCode::DestinationIpProhibited => {
            let text = format!(
                "{url}: the name leads to addresses that are not granted (private = true in grants.http)"
            );
            return PeerError::Denied(text);
        }
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::HttpResponseTimeout => {
            return PeerError::TimedOut(format!("{url}: no answer in time"));
        }
        ErrorCode::ConnectionRefused => "connection refused".to_owned(),
        ErrorCode::ConnectionTerminated => "the connection was closed".to_owned(),
        ErrorCode::DestinationNotFound => "there is no such host".to_owned(),
        ErrorCode::HttpResponseBodySize(_) => {
            "the body is longer than limits.outgoing-bytes".to_owned()
        }
        other => format!("{other:?}"),
    };
    PeerError::Failed(format!("{url}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_three_parts() {
        let http = parts("http://127.0.0.1:8080/stub_status?x=1#y");
        let Some((Scheme::Http, authority, path)) = http else {
            panic!("{http:?}")
        };
        assert_eq!((authority, path), ("127.0.0.1:8080", "/stub_status?x=1"));
        assert!(matches!(
            parts("https://a"),
            Some((Scheme::Https, "a", "/"))
        ));
        for wrong in [
            "",
            "127.0.0.1/x",
            "ftp://a/",
            "http:///x",
            "http://u:p@a/",
            "http://a?b",
        ] {
            assert!(parts(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_granted_is_told_from_what_is_not_there() {
        let denied = explain("http://a/", ErrorCode::HttpRequestDenied);
        assert!(matches!(&denied, PeerError::Denied(_)), "{denied:?}");
        let refused = explain("http://a/", ErrorCode::ConnectionRefused);
        assert_eq!(refused.to_string(), "http://a/: connection refused");
    }
}
