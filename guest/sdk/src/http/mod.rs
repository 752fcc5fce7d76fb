//! HTTP routes: requests to the paths that the operator gave to the plugin. Needs the feature `http`.

mod request;
mod response;

pub use request::Request;
pub use response::Response;

#[doc(hidden)]
pub use wasip2;

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use crate::plugin::{Exports, Plugin};
use crate::{Result, log};

/// Answers HTTP requests. It does so in an instance of its own, so that a slow answer never delays a scrape.
pub trait HttpHandler {
    /// Answers one request. What the instruments counted is sent before the answer is.
    ///
    /// # Errors
    /// An error is logged, and the client gets status 500 without the reason.
    fn handle(&mut self, request: Request) -> Result<Response>;
}

impl<P: Plugin + HttpHandler> Guest for Exports<P> {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let answer = Self::call(|plugin| plugin.handle(Request::read(request)?));
        let response = answer.unwrap_or_else(|error| {
            log::error(error);
            Response::text("Internal Server Error\n").status(500)
        });
        response.send(out);
    }
}
