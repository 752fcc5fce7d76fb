//! nginx from its stub_status page, with the names, types and help texts of nginx-prometheus-exporter.
//!
//! | config | |
//! |---|---|
//! | `scrape-uri` | the page; `http://127.0.0.1:8080/stub_status` |
//! | `timeout-seconds` | for the whole request; 3 |

mod status;

use meterbox_plugin::client::{self, PeerError};
use meterbox_plugin::prelude::*;
use status::Status;

const URI: &str = "http://127.0.0.1:8080/stub_status";

/// Less than `limits.timeout`, so that the plugin says what is wrong before the host stops it.
const TIMEOUT_SECONDS: f64 = 3.0;

struct Nginx {
    uri: String,
    timeout: Duration,
    up: Family,
    accepted: Family,
    active: Family,
    handled: Family,
    reading: Family,
    waiting: Family,
    writing: Family,
    requests: Family,
    /// Why the last scrape failed: each reason is logged once.
    failure: Option<String>,
}

impl Collector for Nginx {
    fn register(registry: &mut Registry) -> Result<Self> {
        let seconds = config::parse("timeout-seconds")?.unwrap_or(TIMEOUT_SECONDS);
        let timeout = Duration::try_from_secs_f64(seconds)
            .map_err(|error| format!("config timeout-seconds = {seconds}: {error}"))?;
        let mut gauge = |name: &str, help: &str| registry.desc(Desc::gauge(name, help));
        let up = gauge("nginx_up", "Status of the last metric scrape");
        let active = gauge("nginx_connections_active", "Active client connections");
        let reading = gauge(
            "nginx_connections_reading",
            "Connections where NGINX is reading the request header",
        );
        let waiting = gauge("nginx_connections_waiting", "Idle client connections");
        let writing = gauge(
            "nginx_connections_writing",
            "Connections where NGINX is writing the response back to the client",
        );
        let mut counter = |name: &str, help: &str| registry.desc(Desc::counter(name, help));
        Ok(Self {
            uri: uri(),
            timeout,
            up,
            accepted: counter("nginx_connections_accepted", "Accepted client connections"),
            active,
            handled: counter("nginx_connections_handled", "Handled client connections"),
            reading,
            waiting,
            writing,
            requests: counter("nginx_http_requests_total", "Total http requests"),
            failure: None,
        })
    }

    /// nginx being down is no error but `nginx_up` 0; what the operator has to grant is one.
    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        let status = match fetch(&self.uri, self.timeout) {
            Ok(status) => status,
            Err(error @ PeerError::Denied(_)) => return Err(error.into()),
            Err(error) => {
                samples.gauge(&self.up, &[], 0.0);
                let reason = error.to_string();
                if self.failure.as_ref() != Some(&reason) {
                    log::warn(format_args!("nginx is not up: {reason}"));
                    self.failure = Some(reason);
                }
                return Ok(());
            }
        };
        self.failure = None;
        samples.gauge(&self.up, &[], 1.0);
        samples.counter(&self.accepted, &[], status.accepted);
        samples.gauge(&self.active, &[], status.active);
        samples.counter(&self.handled, &[], status.handled);
        samples.gauge(&self.reading, &[], status.reading);
        samples.gauge(&self.waiting, &[], status.waiting);
        samples.gauge(&self.writing, &[], status.writing);
        samples.counter(&self.requests, &[], status.requests);
        Ok(())
    }
}

impl Wants for Nginx {
    fn wants() -> Vec<Want> {
        vec![Want::needed(
            "http",
            uri(),
            "reads nginx's stub_status page",
        )]
    }
}

fn uri() -> String {
    config::get("scrape-uri").unwrap_or_else(|| URI.to_owned())
}

fn fetch(uri: &str, timeout: Duration) -> Result<Status, PeerError> {
    let answer = client::get(uri, timeout)?;
    if answer.status != 200 {
        let text = format!("{uri}: status {}, not 200", answer.status);
        return Err(PeerError::Failed(text));
    }
    let status = status::parse(&String::from_utf8_lossy(&answer.body));
    status.map_err(|error| PeerError::Failed(format!("{uri}: {error}")))
}

meterbox_plugin::export!(Nginx: Collector, Wants);
