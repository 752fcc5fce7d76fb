//! Files that are as they should be.

use anyhow::Result;

use super::{
    Promtool::{Agrees, Differs},
    check,
};

#[test]
fn accepted() -> Result<()> {
    check(&[
        (Agrees, "", &[]),
        (Agrees, "# nothing\n", &[]),
        (Agrees, "{}\n", &[]),
        (
            Agrees,
            "tls_server_config:\nhttp_server_config:\nbasic_auth_users:\n",
            &[],
        ),
        (Agrees, "TLS:\n", &[]),
        (Agrees, "tls_server_config: {}\n", &[]),
        // No certificate, no TLS: so says the toolkit.
        (Agrees, "tls_server_config: {min_version: TLS13}\n", &[]),
        (Agrees, "TLS:\n  client_auth_type: NoClientCert\n", &[]),
        (Agrees, "TLS:\n  client_auth_type: \"\"\n", &[]),
        (Agrees, "TLS:\n  client_auth_type: RequestClientCert\n", &[]),
        (
            Agrees,
            "TLS:\n  client_auth_type: RequireAnyClientCert\n",
            &[],
        ),
        (Agrees, "TLS:\n  client_auth_type: RequireClientCert\n", &[]),
        (
            Agrees,
            "TLS:\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.pem\n",
            &[],
        ),
        (
            Agrees,
            "TLS:\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n",
            &[],
        ),
        (
            Agrees,
            "TLS:\n  min_version: TLS12\n  max_version: TLS13\n",
            &[],
        ),
        (Agrees, "TLS:\n  min_version: TLS13\n", &[]),
        (Agrees, "TLS:\n  max_version: TLS12\n", &[]),
        (
            Agrees,
            "TLS:\n  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,\n    \
             TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,\n    \
             TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,\n    \
             TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256]\n",
            &[],
        ),
        (
            Agrees,
            "TLS:\n  cipher_suites: []\n  curve_preferences: []\n",
            &[],
        ),
        (
            Agrees,
            "TLS:\n  curve_preferences: [X25519, CurveP256, CurveP384]\n",
            &[],
        ),
        (Agrees, "TLS:\n  prefer_server_cipher_suites: false\n", &[]),
        (Agrees, "TLS:\nhttp_server_config: {http2: false}\n", &[]),
        (Agrees, "http_server_config: {http2: yes}\n", &[]),
        (Agrees, "http_server_config: {headers: {}}\n", &[]),
        (
            Agrees,
            "http_server_config: {headers: {X-Frame-Options: deny, X-XSS-Protection: 1}}\n",
            &[],
        ),
        (
            Agrees,
            "http_server_config: {headers: {X-Content-Type-Options: nosniff}}\n",
            &[],
        ),
        (Agrees, "basic_auth_users: {}\n", &[]),
        (
            Agrees,
            "basic_auth_users:\n  alice: HASH\n  \"b c\": OTHER_HASH\n  7: HASH\n",
            &[],
        ),
        // A YAML anchor.
        (Agrees, "basic_auth_users: {alice: &a HASH, bob: *a}\n", &[]),
        (
            Differs,
            "tls_server_config:\n  cert: INLINE_CERT\n  key: INLINE_KEY\n",
            &[],
        ),
        (
            Differs,
            "tls_server_config:\n  cert: INLINE_CERT\n  key_file: server.key\n",
            &[],
        ),
        (
            Differs,
            "TLS:\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca: INLINE_CA\n",
            &[],
        ),
        (
            Differs,
            "TLS:\n  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a.example]\n",
            &[],
        ),
        (Differs, "rate_limit:\n", &[]),
        (Differs, "rate_limit: {interval: 1s, burst: 20}\n", &[]),
        (Differs, "rate_limit: {interval: 1m30.5s, burst: 1}\n", &[]),
        (Differs, "rate_limit: {interval: 1000000}\n", &[]),
        (Differs, "rate_limit: {interval: 0, burst: 0}\n", &[]),
    ])
}
