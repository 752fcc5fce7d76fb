//! Outgoing HTTP: each request is held against the grants, its host is looked up once, and one of the addresses that were
//! checked is what is connected to. Redirects are answers like any other: to follow one is a request of its own.

mod body;
mod connect;
mod tls;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::{Request, Response, Uri, uri::Scheme};
use http_body_util::BodyExt;
use tokio::time::Instant;
use wasmtime_wasi_http::{
    Error, RequestOptions, Result, WasiBody, WasiHttpHooks, p2::bindings::http::types::ErrorCode,
};

use self::{
    body::Received,
    connect::{Connection, Peer},
};
use super::{Granted, address, dns::LookupError};
use crate::{
    config::{Grant, Hosts, HttpGrant, http_host, path_problem},
    engine::Identity,
    limits::Limit,
};

/// What a store's outgoing requests go through.
pub(crate) struct Requests(pub(crate) Arc<Identity>);

/// What a request in flight reports about itself once it is sent.
type Sent = Box<dyn Future<Output = Result<()>> + Send>;

impl WasiHttpHooks for Requests {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Sent,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Sent)>> + Send> {
        let identity = Arc::clone(&self.0);
        Box::new(send(identity, request, options.unwrap_or_default()))
    }

    // Broken peers are the plugin's business, which gets the error.
    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        tracing::debug!(plugin = self.0.name.as_str(), %error, "an outgoing request failed");
        ErrorCode::HttpProtocolError
    }

    fn p2_error_from_connect(&mut self, error: &std::io::Error) -> ErrorCode {
        tracing::debug!(plugin = self.0.name.as_str(), %error, "a peer cannot be connected to");
        ErrorCode::ConnectionRefused
    }

    fn p2_error_from_tls(&mut self, error: &std::io::Error) -> ErrorCode {
        tracing::debug!(plugin = self.0.name.as_str(), %error, "a peer's TLS failed");
        ErrorCode::TlsCertificateError
    }
}

async fn send(
    identity: Arc<Identity>,
    request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<(Response<WasiBody>, Sent)> {
    let limits = &identity.limits;
    let deadline = Instant::now() + limits.outgoing_timeout;
    let granted = &identity.grants;
    let (wanted, matching) = granted.find(&request)?;
    let permit = Arc::clone(&granted.requests).try_acquire_owned();
    let permit = permit.map_err(|_| {
        identity.usage.deny(Limit::OutgoingRequests);
        Error::ConnectionLimitReached
    })?;
    let within = |own: Option<Duration>| match own {
        Some(own) => deadline.min(Instant::now() + own),
        None => deadline,
    };
    let timed_out = |own: Option<Duration>| {
        if within(own) == deadline {
            identity.usage.deny(Limit::OutgoingTimeout);
        }
    };
    let connected = async {
        let addresses = granted.addresses(&wanted, &matching).await?;
        granted.used(Grant::Http);
        connect::open(&wanted, &addresses).await
    };
    let connected = tokio::time::timeout_at(within(options.connect_timeout), connected).await;
    let Peer {
        mut sender,
        connection,
    } = connected.map_err(|_| {
        timed_out(options.connect_timeout);
        Error::ConnectionTimeout
    })??;
    // The connection is driven by the task of this very request, and ends with it.
    let mut connection = Some(connection);
    let answer = async {
        let answer = sender.send_request(connect::origin_form(request));
        tokio::pin!(answer);
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            _ = ended(&mut connection) => answer.await,
        }
    };
    let first_byte = options.first_byte_timeout;
    let answer = tokio::time::timeout_at(within(first_byte), answer).await;
    let answer = answer.map_err(|_| {
        timed_out(first_byte);
        Error::ConnectionReadTimeout
    })??;
    let answer = answer.map(|body| {
        Received::new(
            body,
            Arc::clone(&identity),
            deadline,
            options.between_bytes_timeout,
        )
        .boxed_unsync()
    });
    let sent: Sent = Box::new(async move {
        let _permit = permit;
        // What goes wrong is in the body.
        let _ = tokio::time::timeout_at(deadline, ended(&mut connection)).await;
        Ok(())
    });
    Ok((answer, sent))
}

/// Drives a connection to its end, once.
async fn ended(connection: &mut Option<Connection>) {
    if let Some(running) = connection {
        let failed = running.await.err();
        *connection = None;
        if let Some(error) = failed {
            tracing::debug!(%error, "the connection of an outgoing request broke off");
        }
    }
}

/// Where a request goes.
#[derive(Debug)]
pub(in crate::grants) struct Wanted {
    is_https: bool,
    host: Hosts,
    port: u16,
}

impl Wanted {
    /// Where a URI leads, if that is clear.
    fn of(uri: &Uri) -> Option<Self> {
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let is_https = *uri.scheme()? == Scheme::HTTPS;
        let host = http_host(authority.host()).ok()?;
        let rest = &authority.as_str()[authority.host().len()..];
        let port = match (rest, authority.port_u16()) {
            ("", _) if is_https => 443,
            ("", _) => 80,
            (_, Some(port)) if port > 0 => port,
            _ => return None,
        };
        Some(Self {
            is_https,
            host,
            port,
        })
    }
}

impl Granted {
    /// The grants for such a request, at least one.
    pub(in crate::grants) fn find<B>(
        &self,
        request: &Request<B>,
    ) -> Result<(Wanted, Vec<&HttpGrant>)> {
        let uri = request.uri();
        let shown = || {
            let path = uri.path();
            let authority = uri.authority().map_or("", |authority| authority.as_str());
            format!(
                "{}://{authority}{path}",
                uri.scheme_str().unwrap_or("https")
            )
        };
        let method = request.method();
        let what = format!("{method} {:?}", shown());
        let Some(wanted) = Wanted::of(uri) else {
            let remedy = "nothing allows it: it is no plain URL with a host name or an address";
            self.deny(Grant::Http, &what, remedy);
            return Err(Error::HttpRequestDenied);
        };
        let of_host = self.config.http.iter().filter(|grant| {
            grant.is_https == wanted.is_https
                && grant.host == wanted.host
                && grant.port == wanted.port
        });
        let of_host: Vec<_> = of_host
            .filter(|grant| grant.covers_path(uri.path()))
            .collect();
        let matching: Vec<_> = of_host
            .iter()
            .filter(|grant| grant.methods.contains(method))
            .copied()
            .collect();
        if !matching.is_empty() {
            return Ok((wanted, matching));
        }
        if let Some(grant) = of_host.first() {
            let plugin = &self.plugin;
            let remedy = format!(
                "add {:?} to the methods of {grant} in plugins.{plugin}.grants.http",
                method.as_str()
            );
            self.deny(Grant::Http, &what, &remedy);
        } else if let Some(why) = path_problem(uri.path()) {
            self.deny(Grant::Http, &what, &format!("nothing allows it: {why}"));
        } else {
            self.deny_one(Grant::Http, &what, &shown());
        }
        Err(Error::HttpRequestDenied)
    }

    /// The addresses that the request may be sent to, at least one. They are looked up here, and nowhere again.
    pub(in crate::grants) async fn addresses(
        &self,
        wanted: &Wanted,
        matching: &[&HttpGrant],
    ) -> Result<Vec<SocketAddr>> {
        let name = match &wanted.host {
            // It stands in the config as it is.
            Hosts::Net(net) => return Ok(vec![(net.addr(), wanted.port).into()]),
            Hosts::Name(name) => name,
        };
        self.used(Grant::Dns);
        let found = self.lookups.ask(name).await.map_err(|error| match error {
            LookupError::Denied => Error::HttpRequestDenied,
            LookupError::Malformed | LookupError::Unresolvable => Error::DnsError {
                rcode: None,
                info_code: None,
            },
        })?;
        let is_granted = |address: &IpAddr| {
            matching
                .iter()
                .any(|grant| address::is_for_names(*address, grant.private))
        };
        let addresses: Vec<_> = found.iter().copied().filter(is_granted).collect();
        match (addresses.is_empty(), found.first()) {
            (true, Some(first)) => {
                let what = format_args!("{name:?}, which is {first}");
                self.deny(Grant::Http, &what, &self.private_remedy(name, *first));
                Err(Error::DestinationIpProhibited)
            }
            (true, None) => Err(Error::DestinationNotFound),
            (false, _) => Ok(addresses
                .into_iter()
                .map(|address| (address, wanted.port).into())
                .collect()),
        }
    }
}
