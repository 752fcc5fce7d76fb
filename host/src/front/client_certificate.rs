//! What clients' certificates are held against, beside rustls's own verifier.

use std::time::Duration;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use x509_cert::{
    Certificate,
    der::{Decode, oid::ObjectIdentifier},
    ext::pkix::ExtendedKeyUsage,
};

use super::san;

/// `RequestClientCert` and `RequireAnyClientCert`: whoever has a key to its certificate.
#[derive(Debug)]
pub(super) struct AnyClient {
    is_required: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl AnyClient {
    pub(super) fn new(is_required: bool, provider: &CryptoProvider) -> Self {
        Self {
            is_required,
            algorithms: provider.signature_verification_algorithms,
        }
    }
}

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Another verifier, and what Go does beyond: a certificate that stands in `client_ca` itself is as good as one signed by
/// it (self-signed ones say that they are a CA, and rustls takes none such), and `client_allowed_sans`.
#[derive(Debug)]
pub(super) struct KnownClient {
    verifier: std::sync::Arc<dyn ClientCertVerifier>,
    trusted: Vec<CertificateDer<'static>>,
    /// One of these names must be in the certificate, so that there must be one.
    allowed: Option<Vec<String>>,
}

impl KnownClient {
    pub(super) fn new(
        verifier: std::sync::Arc<dyn ClientCertVerifier>,
        trusted: Vec<CertificateDer<'static>>,
        allowed: Option<Vec<String>>,
    ) -> Self {
        Self {
            verifier,
            trusted,
            allowed,
        }
    }
}

impl ClientCertVerifier for KnownClient {
    fn client_auth_mandatory(&self) -> bool {
        self.allowed.is_some() || self.verifier.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = if self.trusted.iter().any(|trusted| trusted == certificate) {
            is_in_force(certificate, now)?;
            ClientCertVerified::assertion()
        } else {
            self.verifier
                .verify_client_cert(certificate, intermediates, now)?
        };
        if let Some(allowed) = &self.allowed {
            let names = san::names(certificate).ok_or(CertificateError::BadEncoding)?;
            if !names.iter().any(|name| allowed.contains(name)) {
                return Err(other("could not find allowed SANs in client cert"));
            }
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// What remains to be asked of a certificate that is trusted by itself: its time, and whether it is for clients.
fn is_in_force(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let certificate = Certificate::from_der(certificate)
        .map_err(|_| CertificateError::BadEncoding)?
        .tbs_certificate;
    let now = Duration::from_secs(now.as_secs());
    if now < certificate.validity.not_before.to_unix_duration() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > certificate.validity.not_after.to_unix_duration() {
        return Err(CertificateError::Expired.into());
    }
    let usage = certificate.get::<ExtendedKeyUsage>();
    match usage.map_err(|_| CertificateError::BadEncoding)? {
        Some((_, usage))
            if !usage
                .0
                .iter()
                .any(|id| [CLIENT_AUTH, ANY_USAGE].contains(id)) =>
        {
            Err(CertificateError::InvalidPurpose.into())
        }
        _ => Ok(()),
    }
}

fn other(text: &'static str) -> Error {
    CertificateError::Other(OtherError(std::sync::Arc::new(std::io::Error::other(text)))).into()
}
