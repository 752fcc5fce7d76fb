//! TLS to peers, trusting whom the machine trusts.

use std::{
    io,
    sync::{Arc, LazyLock},
};

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use wasmtime_wasi_http::{Error, Result};

use crate::{config::Hosts, trust};

/// Made when the first plugin asks.
static CONNECTOR: LazyLock<Result<TlsConnector, String>> = LazyLock::new(|| {
    let roots = trust::machine();
    if roots.is_empty() {
        return Err(trust::NOBODY.to_owned());
    }
    let config = trust::client(roots)?;
    Ok(TlsConnector::from(Arc::new(config)))
});

pub(super) async fn connect(host: &Hosts, stream: TcpStream) -> Result<TlsStream<TcpStream>> {
    let name = match host {
        Hosts::Name(name) => {
            ServerName::try_from(name.clone()).map_err(|_| Error::TlsProtocolError)?
        }
        Hosts::Net(net) => ServerName::from(net.addr()),
    };
    let connector = tokio::task::spawn_blocking(|| CONNECTOR.clone()).await;
    let connector = connector.map_err(|error| Error::Tls(io::Error::other(error)))?;
    let connector = connector.map_err(|why| {
        tracing::warn!(remedy = why, "a plugin's https request cannot be sent");
        Error::TlsCertificateError
    })?;
    connector.connect(name, stream).await.map_err(Error::Tls)
}
