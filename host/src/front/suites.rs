//! Go's names of versions, ciphers and curves, and what rustls has of them.

use rustls::{
    CipherSuite as Id, ProtocolVersion, SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
};

use super::settings::TlsSettings;

/// What a handshake may settle on.
#[derive(Debug)]
pub(super) struct Suites {
    /// For TLS 1.2, in the order of preference; TLS 1.3 always has all of its own, as in Go.
    ciphers: Option<Vec<SupportedCipherSuite>>,
    curves: Vec<&'static dyn rustls::crypto::SupportedKxGroup>,
    /// Oldest first.
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    pub(super) prefers_own_order: bool,
}

/// Go's names of what it has and rustls leaves out on purpose: CBC, and keys that are exchanged by RSA.
const LEFT_OUT: [&str; 16] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
];

const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

impl Suites {
    pub(super) fn new(
        ciphers: &[String],
        curves: &[String],
        oldest: Option<ProtocolVersion>,
        newest: Option<ProtocolVersion>,
        prefers_own_order: bool,
    ) -> Result<Self, String> {
        let ciphers = ciphers
            .iter()
            .map(|name| cipher(name).map_err(|problem| format!("cipher_suites: {problem}")))
            .collect::<Result<Vec<_>, _>>()?;
        let curves = curves
            .iter()
            .map(|name| curve(name).map_err(|problem| format!("curve_preferences: {problem}")))
            .collect::<Result<_, _>>()?;
        let is_wanted = |version: &&&SupportedProtocolVersion| {
            let version = u16::from(version.version);
            oldest.is_none_or(|oldest| u16::from(oldest) <= version)
                && newest.is_none_or(|newest| version <= u16::from(newest))
        };
        let versions: Vec<_> = VERSIONS.iter().filter(is_wanted).copied().collect();
        if versions.is_empty() {
            return Err("min_version: is greater than max_version; no peer could connect".into());
        }
        let only_tls12 = versions
            .iter()
            .all(|v| v.version == ProtocolVersion::TLSv1_2);
        if only_tls12 && !ciphers.is_empty() && ciphers.iter().all(|c| c.tls13().is_some()) {
            return Err(
                "cipher_suites: has none for TLS 1.2, and max_version leaves no other".into(),
            );
        }
        Ok(Self {
            ciphers: (!ciphers.is_empty()).then_some(ciphers),
            curves,
            versions,
            prefers_own_order,
        })
    }

    pub(super) fn provider(&self) -> CryptoProvider {
        let mut provider = ring::default_provider();
        if let Some(ciphers) = &self.ciphers {
            provider.cipher_suites.retain(|c| c.tls13().is_some());
            let older = ciphers.iter().filter(|c| c.tls13().is_none());
            provider.cipher_suites.extend(older);
        }
        if !self.curves.is_empty() {
            provider.kx_groups.clone_from(&self.curves);
        }
        provider
    }
}

/// Go's HTTP/2 server does not start without one of the two ciphers that the protocol demands.
pub(super) fn check_http2(tls: &TlsSettings) -> Result<(), String> {
    let suites = &tls.suites;
    let demanded = [
        Id::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        Id::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ];
    let has_tls12 = suites
        .versions
        .iter()
        .any(|v| v.version == ProtocolVersion::TLSv1_2);
    let Some(ciphers) = suites.ciphers.as_ref().filter(|_| has_tls12) else {
        return Ok(());
    };
    if ciphers.iter().any(|c| demanded.contains(&c.suite())) {
        return Ok(());
    }
    Err(
        "tls_server_config.cipher_suites: is missing an HTTP/2-required AES_128_GCM_SHA256 cipher (need at least one of \
         TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256); add one, or set \
         http_server_config.http2 to false"
            .into(),
    )
}

fn cipher(name: &str) -> Result<SupportedCipherSuite, String> {
    if LEFT_OUT.contains(&name) {
        return Err(format!(
            "{name} is not offered: its kind of encryption or key exchange is out of date; remove it"
        ));
    }
    // Go says `TLS_` where rustls says `TLS13_`.
    let is_it = |suite: &&SupportedCipherSuite| {
        let ours = format!("{:?}", suite.suite());
        ours.replacen("TLS13_", "TLS_", 1) == name
    };
    let found = ring::ALL_CIPHER_SUITES.iter().find(is_it);
    found
        .copied()
        .ok_or_else(|| format!("unknown cipher: {name}"))
}

fn curve(name: &str) -> Result<&'static dyn rustls::crypto::SupportedKxGroup, String> {
    Ok(match name {
        "CurveP256" => ring::kx_group::SECP256R1,
        "CurveP384" => ring::kx_group::SECP384R1,
        "X25519" => ring::kx_group::X25519,
        "CurveP521" | "X25519MLKEM768" => {
            return Err(format!(
                "{name} is not offered; write CurveP256, CurveP384 or X25519"
            ));
        }
        _ => return Err(format!("unknown curve: {name}")),
    })
}

/// None for what has no value.
pub(super) fn version(key: &str, name: Option<&str>) -> Result<Option<ProtocolVersion>, String> {
    Ok(match name {
        None => None,
        Some("TLS12") => Some(ProtocolVersion::TLSv1_2),
        Some("TLS13") => Some(ProtocolVersion::TLSv1_3),
        Some(old @ ("TLS10" | "TLS11")) => {
            return Err(format!(
                "{key}: {old} is not offered: it is out of date; write TLS12"
            ));
        }
        Some(other) => return Err(format!("{key}: unknown TLS version: {other}")),
    })
}
