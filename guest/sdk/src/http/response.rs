//! What a client gets.

use wasip2::http::types::{ErrorCode, Fields, OutgoingBody, OutgoingResponse, ResponseOutparam};

/// What `blocking-write-and-flush` takes at a time, in bytes.
const CHUNK: usize = 4096;

/// One response, sent when the handler returns.
#[derive(Clone, Debug)]
pub struct Response {
    /// From 100 to 999; 200 by default.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// Status 200 with this body and no headers.
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Status 200 with a plain text.
    pub fn text(body: impl Into<String>) -> Self {
        Self::new(body.into()).header("content-type", "text/plain; charset=utf-8")
    }

    /// Another status.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// One header more.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends it. That the client went away in the middle is no concern of the plugin.
    pub(super) fn send(self, out: ResponseOutparam) {
        let Some(head) = self.head() else {
            let invalid = "the plugin answered with an invalid status or header".to_owned();
            ResponseOutparam::set(out, Err(ErrorCode::InternalError(Some(invalid))));
            return;
        };
        let body = head
            .body()
            .expect("the body of a new response is taken once");
        ResponseOutparam::set(out, Ok(head));

        let stream = body
            .write()
            .expect("the stream of a new body is taken once");
        let sent = self
            .body
            .chunks(CHUNK)
            .try_for_each(|chunk| stream.blocking_write_and_flush(chunk));
        drop(stream);
        if sent.is_ok() {
            let _ = OutgoingBody::finish(body, None);
        }
    }

    fn head(&self) -> Option<OutgoingResponse> {
        let head = OutgoingResponse::new(Fields::from_list(&self.headers).ok()?);
        head.set_status_code(self.status).ok()?;
        Some(head)
    }
}
