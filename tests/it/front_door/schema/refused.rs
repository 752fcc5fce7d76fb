//! Files that are not.

use anyhow::Result;

use super::{
    Promtool::{Agrees, Differs},
    check,
};

#[test]
fn keys_and_types_that_are_refused() -> Result<()> {
    check(&[
        (Agrees, "nonsense\n", &["line 1"]),
        (Agrees, "- a\n", &["line 1"]),
        (Agrees, "a: [\n", &[":"]),
        (
            Agrees,
            "tls_server_config: [a]\n",
            &["mapping", "line 1, column 20"],
        ),
        (
            Agrees,
            "tls_config: {}\n",
            &["tls_config", "tls_server_config"],
        ),
        (
            Agrees,
            "TLS:\n  cert_filse: a\n",
            &["cert_filse", "cert_file"],
        ),
        (
            Agrees,
            "http_server_config: {http3: true}\n",
            &["http3", "http2"],
        ),
        (Differs, "rate_limit: {rate: 1}\n", &["rate", "interval"]),
        (Agrees, "TLS:\n  cert_file: server.pem\n", &["cert_file"]),
        (
            Agrees,
            "http_server_config: {http2: maybe}\n",
            &["boolean", "line 1, column 29"],
        ),
        (
            Agrees,
            "http_server_config: {http2: 2}\n",
            &["boolean", "line 1, column 29"],
        ),
        (
            Agrees,
            "http_server_config: {headers: [a]}\n",
            &["mapping", "line 1, column 31"],
        ),
        (
            Agrees,
            "TLS:\n  cipher_suites: TLS_AES_128_GCM_SHA256\n",
            &["sequence", "line 4"],
        ),
        (
            Agrees,
            "TLS:\n  cipher_suites: {a: b}\n",
            &["sequence", "line 4"],
        ),
        (
            Agrees,
            "TLS:\n  prefer_server_cipher_suites: 2\n",
            &["boolean", "line 4"],
        ),
        (
            Differs,
            "TLS:\n  client_allowed_sans: a.example\n",
            &["sequence", "line 4"],
        ),
        (
            Differs,
            "rate_limit: {burst: many}\n",
            &["i64", "line 1, column 21"],
        ),
        (
            Differs,
            "rate_limit: {interval: 1 second}\n",
            &["1 second", "1s"],
        ),
        (Differs, "rate_limit: {interval: 1d}\n", &["1d", "1s"]),
        (
            Differs,
            "rate_limit: 10\n",
            &["mapping", "line 1, column 13"],
        ),
        (
            Agrees,
            "basic_auth_users: [alice]\n",
            &["mapping", "line 1"],
        ),
        (
            Agrees,
            "basic_auth_users: {alice: {a: b}}\n",
            &["string", "line 1"],
        ),
    ])
}

#[test]
fn values_that_are_refused() -> Result<()> {
    check(&[
        (
            Agrees,
            "tls_server_config: {cert_file: server.pem}\n",
            &["missing one of key or key_file"],
        ),
        (
            Agrees,
            "tls_server_config: {key_file: server.key}\n",
            &["missing one of cert or cert_file"],
        ),
        (
            Agrees,
            "tls_server_config: {cert_file: \"\", key_file: server.key}\n",
            &["missing one of cert"],
        ),
        (
            Agrees,
            "tls_server_config: {client_ca_file: ca.pem}\n",
            &["missing one of cert"],
        ),
        (
            Agrees,
            "tls_server_config: {client_auth_type: RequestClientCert}\n",
            &["missing one of cert"],
        ),
        (
            Agrees,
            "tls_server_config: {cert_file: none.pem, key_file: server.key}\n",
            &["cert_file", "none.pem"],
        ),
        (
            Agrees,
            "tls_server_config: {cert_file: server.pem, key_file: none.key}\n",
            &["key_file", "none.key"],
        ),
        (
            Agrees,
            "tls_server_config: {cert_file: server.key, key_file: server.key}\n",
            &["no certificate in PEM"],
        ),
        (
            Agrees,
            "tls_server_config: {cert_file: server.pem, key_file: server.pem}\n",
            &["no private key"],
        ),
        (
            Agrees,
            "tls_server_config: {cert_file: server.pem, key_file: client.key}\n",
            &["certificate and key"],
        ),
        (
            Agrees,
            "tls_server_config: {cert_file: web.yml, key_file: server.key}\n",
            &["no certificate"],
        ),
        (
            Agrees,
            "tls_server_config: {cert_file: ., key_file: server.key}\n",
            &["cert_file", "directory"],
        ),
        (
            Differs,
            "TLS:\n  cert: INLINE_CERT\n",
            &["cert", "remove one"],
        ),
        (Differs, "TLS:\n  key: INLINE_KEY\n", &["key", "remove one"]),
        (
            Differs,
            "TLS:\n  client_auth_type: RequireAnyClientCert\n  client_ca_file: ca.pem\n  client_ca: INLINE_CA\n",
            &["client_ca", "remove one"],
        ),
        (
            Agrees,
            "TLS:\n  client_auth_type: Always\n",
            &["client_auth_type", "invalid ClientAuth: Always"],
        ),
        (
            Agrees,
            "TLS:\n  client_ca_file: ca.pem\n",
            &["client CA's have been configured without a Client Auth Policy"],
        ),
        (
            Agrees,
            "TLS:\n  client_ca_file: ca.pem\n  client_auth_type: NoClientCert\n",
            &["without a Client Auth Policy"],
        ),
        (
            Agrees,
            "TLS:\n  client_ca_file: none.pem\n  client_auth_type: RequireAndVerifyClientCert\n",
            &["client_ca_file", "none.pem"],
        ),
        // Go's pool would be the system's, or empty.
        (
            Differs,
            "TLS:\n  client_auth_type: RequireAndVerifyClientCert\n",
            &["client_auth_type", "client_ca_file"],
        ),
        (
            Differs,
            "TLS:\n  client_ca_file: server.key\n  client_auth_type: VerifyClientCertIfGiven\n",
            &["client_ca", "no certificate in PEM"],
        ),
        (
            Differs,
            "TLS:\n  client_allowed_sans: [a.example]\n",
            &["client_allowed_sans", "client_auth_type"],
        ),
        (
            Agrees,
            "TLS:\n  min_version: TLS14\n",
            &["min_version", "unknown TLS version: TLS14"],
        ),
        (
            Agrees,
            "TLS:\n  max_version: 1.3\n",
            &["max_version", "unknown TLS version: 1.3"],
        ),
        (
            Differs,
            "TLS:\n  min_version: TLS10\n",
            &["min_version", "TLS10 is not offered"],
        ),
        (
            Differs,
            "TLS:\n  max_version: TLS11\n",
            &["max_version", "TLS11 is not offered"],
        ),
        (
            Differs,
            "TLS:\n  min_version: TLS13\n  max_version: TLS12\n",
            &["min_version", "max_version"],
        ),
        (
            Agrees,
            "TLS:\n  cipher_suites: [TLS_NOTHING]\n",
            &["cipher_suites", "unknown cipher: TLS_NOTHING"],
        ),
        (
            Differs,
            "TLS:\n  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n",
            &[
                "cipher_suites",
                "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA is not offered",
            ],
        ),
        // At its start Go's server says so, too.
        (
            Differs,
            "TLS:\n  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n",
            &["cipher_suites", "HTTP/2-required", "http2"],
        ),
        (
            Differs,
            "TLS:\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n  max_version: TLS12\n",
            &["cipher_suites", "max_version"],
        ),
        (
            Agrees,
            "TLS:\n  curve_preferences: [CurveP257]\n",
            &["curve_preferences", "unknown curve: CurveP257"],
        ),
        (
            Differs,
            "TLS:\n  curve_preferences: [CurveP521]\n",
            &["curve_preferences", "CurveP521 is not offered"],
        ),
        (
            Agrees,
            "http_server_config: {headers: {Content-Type: a}}\n",
            &[
                "headers",
                "HTTP header \"Content-Type\" can not be configured",
            ],
        ),
        (
            Agrees,
            "http_server_config: {headers: {x-frame-options: deny}}\n",
            &["x-frame-options", "can not be"],
        ),
        (
            Agrees,
            "http_server_config: {headers: {X-Frame-Options: DENY}}\n",
            &["X-Frame-Options", "deny", "DENY"],
        ),
        (
            Agrees,
            "http_server_config: {headers: {X-Content-Type-Options: sniff}}\n",
            &["nosniff", "sniff"],
        ),
        (
            Differs,
            "http_server_config: {headers: {X-XSS-Protection: \"a\\nb\"}}\n",
            &["X-XSS-Protection", "characters"],
        ),
        (
            Agrees,
            "basic_auth_users: {alice: secret}\n",
            &["basic_auth_users.alice", "no bcrypt hash"],
        ),
        (
            Agrees,
            "basic_auth_users: {alice: }\n",
            &["basic_auth_users.alice", "no bcrypt hash"],
        ),
        (
            Agrees,
            "basic_auth_users: {alice: \"$2y$99$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm\"}\n",
            &["basic_auth_users.alice", "cost"],
        ),
        (
            Agrees,
            "basic_auth_users: {alice: HASH, alice: HASH}\n",
            &["alice"],
        ),
    ])
}
