//! The alternative names of a certificate, as Go writes them.

use std::net::{Ipv4Addr, Ipv6Addr};

use rustls::pki_types::CertificateDer;
use x509_cert::{
    Certificate,
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// DNS names, mail addresses, IP addresses and URIs; none if the certificate cannot be read.
pub(super) fn names(certificate: &CertificateDer<'_>) -> Option<Vec<String>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let Some((_, names)) = certificate.tbs_certificate.get::<SubjectAltName>().ok()? else {
        return Some(Vec::new());
    };
    Some(names.0.iter().filter_map(text).collect())
}

fn text(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(text)
        | GeneralName::Rfc822Name(text)
        | GeneralName::UniformResourceIdentifier(text) => Some(text.as_str().to_owned()),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            if let Ok(v4) = <[u8; 4]>::try_from(octets) {
                return Some(Ipv4Addr::from(v4).to_string());
            }
            let v6 = Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?);
            // Go prints mapped addresses as IPv4.
            Some(v6.to_canonical().to_string())
        }
        _ => None,
    }
}
