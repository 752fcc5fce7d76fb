//! TLS to peers, trusting whom the machine trusts.

use std::{
    io,
    sync::{Arc, LazyLock},
};

use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use wasmtime_wasi_http::{Error, Result};

use crate::config::Hosts;

/// Made when the first plugin asks. What the machine trusts is read once; `SSL_CERT_FILE` and `SSL_CERT_DIR` say where.
static CONNECTOR: LazyLock<Result<TlsConnector, String>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate of the machine cannot be read");
    }
    let mut roots = RootCertStore::empty();
    let (trusted, _) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        return Err("the machine trusts nobody: install its CA certificates, or name a file with SSL_CERT_FILE".to_owned());
    }
    // The program that embeds this library may have no default provider, or another one.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
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
