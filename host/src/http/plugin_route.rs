//! A request to a plugin's own handler, and what may cross on the way.
//!
//! The body is read whole before the plugin is entered: a slow sender then costs a buffer, and never an instance.

use std::{error::Error, time::Duration};

use ::http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{
        AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    },
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};

use super::reply;
use crate::host::{Body, Route};

/// How long a peer may take to send it.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Meant for the next machine, not for the one behind it (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The secrets of whoever asks, and an expectation that is met already.
const KEPT_FROM_PLUGINS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, EXPECT];

/// A plugin shares its origin with others, and must not leave anything there.
const KEPT_FROM_PEERS: [HeaderName; 1] = [SET_COOKIE];

pub(super) async fn handle<B>(route: &Route, request: Request<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let request = match read(request, route.request_bytes()).await {
        Ok(request) => request,
        Err(refusal) => return refusal.response(),
    };
    let mut response = route.handle(request).await;
    strip(response.headers_mut(), &KEPT_FROM_PEERS);
    response
}

/// Why a request never reached its plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    TooLarge,
    TooSlow,
    Broken,
}

impl Refusal {
    fn response(self) -> Response<Body> {
        match self {
            Self::TooLarge => reply::text(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is larger than the plugin takes\n",
            ),
            Self::TooSlow => reply::text(
                StatusCode::REQUEST_TIMEOUT,
                "The body did not arrive in time\n",
            ),
            Self::Broken => reply::text(StatusCode::BAD_REQUEST, "The body could not be read\n"),
        }
    }
}

/// The request as the plugin gets it: whole, and without what is not the plugin's business.
async fn read<B>(request: Request<B>, largest: usize) -> Result<Request<Body>, Refusal>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (mut head, body) = request.into_parts();
    if body.size_hint().lower() > largest as u64 {
        return Err(Refusal::TooLarge);
    }
    let body = tokio::time::timeout(BODY_TIME, Limited::new(body, largest).collect())
        .await
        .map_err(|_| Refusal::TooSlow)?
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                Refusal::TooLarge
            } else {
                Refusal::Broken
            }
        })?
        .to_bytes();
    strip(&mut head.headers, &KEPT_FROM_PLUGINS);
    if !body.is_empty() {
        // It may have come in chunks.
        let length = HeaderValue::from(body.len());
        head.headers.insert(CONTENT_LENGTH, length);
    }
    let body = Full::new(body)
        .map_err(|never| match never {})
        .boxed_unsync();
    Ok(Request::from_parts(head, body))
}

/// Removes hop-by-hop headers, those that `Connection` names, and `others`.
fn strip(headers: &mut HeaderMap, others: &[HeaderName]) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP).chain(others) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use std::{convert::Infallible, io};

    use futures_util::{Stream, stream};
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    const LARGEST_BODY: usize = 1 << 20;

    fn chunks(
        chunk: &'static [u8],
        times: usize,
    ) -> StreamBody<impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send> {
        let frames = (0..times).map(move |_| Ok(Frame::data(Bytes::from_static(chunk))));
        StreamBody::new(stream::iter(frames))
    }

    #[tokio::test]
    async fn chunks_arrive_as_one_body_with_a_length() {
        let request = Request::post("/echo")
            .header(TRANSFER_ENCODING, "chunked")
            .body(chunks(b"abc", 2))
            .unwrap();
        let request = read(request, LARGEST_BODY).await.unwrap();
        assert_eq!(request.headers()[CONTENT_LENGTH], "6");
        assert!(!request.headers().contains_key(TRANSFER_ENCODING));
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "abcabc");
    }

    #[tokio::test]
    async fn large_bodies_are_refused_with_and_without_a_length() {
        let known = Request::new(Full::new(Bytes::from(vec![0; LARGEST_BODY + 1])));
        assert_eq!(
            read(known, LARGEST_BODY).await.unwrap_err(),
            Refusal::TooLarge
        );
        let unknown = Request::new(chunks(&[0; 64 * 1024], 17));
        assert_eq!(
            read(unknown, LARGEST_BODY).await.unwrap_err(),
            Refusal::TooLarge
        );
        let fits = Request::new(chunks(&[0; 64 * 1024], 16));
        assert!(read(fits, LARGEST_BODY).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_that_stall_or_break_are_refused() {
        let stalled = stream::pending::<Result<Frame<Bytes>, Infallible>>();
        let stalled = Request::new(StreamBody::new(stalled));
        assert_eq!(
            read(stalled, LARGEST_BODY).await.unwrap_err(),
            Refusal::TooSlow
        );
        let broken = stream::iter([Err::<Frame<Bytes>, _>(io::Error::other("reset"))]);
        let broken = Request::new(StreamBody::new(broken));
        assert_eq!(
            read(broken, LARGEST_BODY).await.unwrap_err(),
            Refusal::Broken
        );
    }

    #[tokio::test]
    async fn secrets_and_hop_by_hop_headers_stay_here() {
        let request = Request::get("/hello")
            .header(AUTHORIZATION, "Basic c2VjcmV0")
            .header(COOKIE, "a=b")
            .header(CONNECTION, "close, X-Private")
            .header("x-private", "1")
            .header("x-public", "1")
            .body(Full::default())
            .unwrap();
        let request = read(request, LARGEST_BODY).await.unwrap();
        let names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-public"]);
    }

    #[test]
    fn answers_set_no_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static("a=b"));
        headers.append(SET_COOKIE, HeaderValue::from_static("c=d"));
        headers.append(UPGRADE, HeaderValue::from_static("h2c"));
        strip(&mut headers, &KEPT_FROM_PEERS);
        assert!(headers.is_empty());
    }
}
