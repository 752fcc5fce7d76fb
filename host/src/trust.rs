//! Whom TLS to others trusts: whom the machine trusts. `SSL_CERT_FILE` and `SSL_CERT_DIR` say otherwise.

use std::{
    fmt::Display,
    fs,
    path::Path,
    sync::{Arc, LazyLock},
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Read once, when somebody asks for the first time.
static MACHINE: LazyLock<RootCertStore> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate of the machine cannot be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    roots
});

/// What to do if the machine trusts nobody.
pub(crate) const NOBODY: &str =
    "the machine trusts nobody: install its CA certificates, or name a file with SSL_CERT_FILE";

/// The machine's authorities; there may be none. May read files.
pub(crate) fn machine() -> RootCertStore {
    MACHINE.clone()
}

/// Adds the authorities of a file in PEM. The error names it.
pub(crate) fn add(roots: &mut RootCertStore, file: &Path) -> Result<(), String> {
    let fail = |why: &dyn Display| format!("{}: {why}", file.display());
    let text = fs::read(file).map_err(|error| fail(&error))?;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| fail(&error))?;
        roots.add(certificate).map_err(|error| fail(&error))?;
    }
    Ok(())
}

/// What a connection to others is made with.
pub(crate) fn client(roots: RootCertStore) -> Result<ClientConfig, String> {
    // The program that embeds this library may have no default provider, or another one.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
