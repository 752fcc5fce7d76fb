//! From the file's `tls_server_config` to what rustls serves by.

use std::sync::Arc;

use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use sha2::{Digest, Sha256};

use super::{
    client_certificate::{AnyClient, KnownClient},
    settings::{ClientAuth, Pem, Settings, TlsSettings},
};

/// What handshakes go by, and of which bytes it was made.
#[derive(Debug)]
pub(super) struct Tls {
    made_of: [u8; 32],
    pub(super) config: Arc<ServerConfig>,
}

/// The contents of all files that are named.
struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Tls {
    /// None where the file has no certificate, nor anything that would need one.
    pub(super) fn read(settings: &Settings, http2: bool) -> Result<Option<Self>, String> {
        let tls = &settings.tls;
        if tls.cert.is_none()
            && tls.key.is_none()
            && tls.client_ca.is_none()
            && !tls.has_client_auth
        {
            return Ok(None);
        }
        let files = Files::read(tls)?;
        Self::new(settings, &files, http2).map(Some)
    }

    /// The last one, if all files are still the same.
    pub(super) fn again(
        settings: &Settings,
        http2: bool,
        last: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, String> {
        let files = Files::read(&settings.tls)?;
        match last {
            Some(last) if last.made_of == files.digest(settings) => Ok(Arc::clone(last)),
            _ => Self::new(settings, &files, http2).map(Arc::new),
        }
    }

    fn new(settings: &Settings, files: &Files, http2: bool) -> Result<Self, String> {
        let tls = &settings.tls;
        let chain = certificates("cert", &files.cert)?;
        // The parser's errors say nothing of the contents.
        let key = PrivateKeyDer::from_pem_slice(&files.key)
            .map_err(|error| format!("tls_server_config.key: no private key in PEM: {error}"))?;
        let provider = Arc::new(tls.suites.provider());
        let verifier = verifier(tls, files, &provider)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&tls.suites.versions)
            .map_err(|error| format!("tls_server_config: {error}"))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| {
                format!("tls_server_config: this certificate and key cannot be used: {error}")
            })?;
        config.ignore_client_order = tls.suites.prefers_own_order;
        config.alpn_protocols = if http2 {
            vec![b"h2".to_vec(), b"http/1.1".to_vec()]
        } else {
            vec![b"http/1.1".to_vec()]
        };
        Ok(Self {
            made_of: files.digest(settings),
            config: Arc::new(config),
        })
    }
}

impl Files {
    fn read(tls: &TlsSettings) -> Result<Self, String> {
        let missing = |key: &str| format!("tls_server_config: missing one of {key} or {key}_file");
        let cert = tls.cert.as_ref().ok_or_else(|| missing("cert"))?;
        let key = tls.key.as_ref().ok_or_else(|| missing("key"))?;
        let client_ca = tls.client_ca.as_ref().map(|pem| pem.read("client_ca"));
        Ok(Self {
            cert: cert.read("cert")?,
            key: key.read("key")?,
            client_ca: client_ca.transpose()?,
        })
    }

    fn digest(&self, settings: &Settings) -> [u8; 32] {
        let mut digest = Sha256::new();
        let ca = self.client_ca.as_deref().unwrap_or_default();
        for part in [settings.text(), &self.cert, &self.key, ca] {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

fn certificates(key: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(format!("tls_server_config.{key}: no certificate in PEM")),
        Err(error) => Err(format!("tls_server_config.{key}: broken PEM: {error}")),
    }
}

fn verifier(
    tls: &TlsSettings,
    files: &Files,
    provider: &Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let wrong = |problem: &str| Err(format!("tls_server_config.{problem}"));
    let is_named = |pem: &Option<Pem>| pem.is_some();
    if tls.client_auth == ClientAuth::None {
        if is_named(&tls.client_ca) {
            return wrong(
                "client_ca: client CA's have been configured without a Client Auth Policy",
            );
        }
        if tls.client_allowed_sans.is_some() {
            return wrong(
                "client_allowed_sans: would check nobody: client_auth_type asks for no certificate",
            );
        }
        return Ok(Arc::new(NoClientAuth));
    }
    let trusted = match &files.client_ca {
        Some(pem) => certificates("client_ca", pem)?,
        None => Vec::new(),
    };
    let is_required = matches!(
        tls.client_auth,
        ClientAuth::RequireAny | ClientAuth::RequireAndVerify
    );
    let verifier: Arc<dyn ClientCertVerifier> = match tls.client_auth {
        ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify => {
            let mut roots = RootCertStore::empty();
            for certificate in &trusted {
                roots.add(certificate.clone()).map_err(|error| {
                    format!("tls_server_config.client_ca: a certificate cannot be used: {error}")
                })?;
            }
            if roots.is_empty() {
                return wrong(
                    "client_auth_type: nobody is trusted to have signed clients' certificates; name client_ca_file",
                );
            }
            let builder =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            let builder = if is_required {
                builder
            } else {
                builder.allow_unauthenticated()
            };
            builder
                .build()
                .map_err(|error| format!("tls_server_config.client_ca: {error}"))?
        }
        _ => Arc::new(AnyClient::new(is_required, provider)),
    };
    Ok(Arc::new(KnownClient::new(
        verifier,
        trusted,
        tls.client_allowed_sans.clone(),
    )))
}
