//! Files of the host without the host, which would bring wasmtime along. What they need of it is a reply that nobody reads.

#[path = "../../../host/src/http/deadline.rs"]
pub mod deadline;
#[path = "../../../host/src/http/negotiate/mod.rs"]
pub mod negotiate;
#[path = "../exercises/negotiation.rs"]
pub mod negotiation;
#[path = "../../../host/src/http/query.rs"]
pub mod query;

mod reply {
    use ::http::{Response, StatusCode};

    pub fn text(_: StatusCode, text: String) -> Response<String> {
        Response::new(text)
    }
}
