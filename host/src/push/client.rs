//! One HTTP request to the receiver, and what came of it.

use std::time::Duration;

use ::http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use reqwest::{Response, redirect::Policy};
use rustls::{ClientConfig, RootCertStore};

use crate::{
    config::{PushConfig, Value},
    trust,
};

/// As much of a refusal as is worth reading, in bytes.
const REASON: usize = 512;

pub(super) struct Client {
    url: String,
    http: reqwest::Client,
}

pub(super) enum Outcome {
    Accepted,
    /// It will not be accepted later either.
    Refused(String),
    /// Why not now, and when the receiver wants to be asked again.
    Later(String, Option<Duration>),
}

impl Client {
    /// Reads files. The error says which key is to be changed, and no secret.
    pub(super) fn new(config: &PushConfig) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(config)?)
            .default_headers(headers(config)?)
            .timeout(config.timeout)
            // Whoever is at the URL of the config gets the metrics, and nobody else.
            .redirect(Policy::none())
            .no_proxy();
        Ok(Self {
            url: config.url.clone(),
            http: client.build().map_err(|error| format!("[push]: {error}"))?,
        })
    }

    pub(super) async fn send(&self, request: Bytes) -> Outcome {
        let answer = match self.http.post(&self.url).body(request).send().await {
            Ok(answer) => answer,
            Err(error) => return Outcome::Later(reason_of(&error), None),
        };
        let status = answer.status();
        if status.is_success() {
            return Outcome::Accepted;
        }
        let wish = answer.headers().get(RETRY_AFTER);
        let wish = wish.and_then(|wish| wish.to_str().ok()?.parse().ok());
        let why = format!("{status}: {}", said(answer).await);
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Outcome::Later(why, wish.map(Duration::from_secs));
        }
        Outcome::Refused(why)
    }
}

/// An error with its causes, without the URL: the log has it, and causes say more.
fn reason_of(error: &reqwest::Error) -> String {
    let mut cause = std::error::Error::source(error);
    let mut reason = String::new();
    while let Some(error) = cause {
        reason = error.to_string();
        cause = error.source();
    }
    match reason.is_empty() {
        true if error.is_timeout() => "no answer in time".to_owned(),
        true => "the request failed".to_owned(),
        false => reason,
    }
}

/// The begin of a refusal, on one line.
async fn said(mut answer: Response) -> String {
    let mut text = Vec::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        text.extend_from_slice(&piece);
        if text.len() >= REASON {
            break;
        }
    }
    text.truncate(REASON);
    let text = String::from_utf8_lossy(&text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn headers(config: &PushConfig) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-protobuf"),
    );
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("snappy"));
    let version = HeaderName::from_static("x-prometheus-remote-write-version");
    headers.insert(version, HeaderValue::from_static("0.1.0"));
    let agent = concat!("meterbox/", env!("CARGO_PKG_VERSION"));
    headers.insert(::http::header::USER_AGENT, HeaderValue::from_static(agent));
    for (name, value) in &config.headers {
        let key = format!("headers.{name}");
        let header = HeaderName::try_from(name.as_str());
        let header = header.map_err(|_| format!("[push] {key}: this cannot name a header"))?;
        headers.insert(header, secret(&key, value, "")?);
    }
    if let Some(token) = &config.bearer_token {
        headers.insert(AUTHORIZATION, secret("bearer-token", token, "Bearer ")?);
    }
    if let (Some(user), Some(password)) = (&config.username, &config.password) {
        let password = PushConfig::look_up("password", password)?;
        let both = BASE64_STANDARD.encode(format!("{user}:{}", password.get()));
        headers.insert(AUTHORIZATION, secret("password", &both.into(), "Basic ")?);
    }
    Ok(headers)
}

fn secret(key: &str, value: &Value, before: &str) -> Result<HeaderValue, String> {
    let value = PushConfig::look_up(key, value)?;
    let header = HeaderValue::try_from(format!("{before}{}", value.get()));
    let mut header =
        header.map_err(|_| format!("[push] {key}: a header cannot have this value"))?;
    header.set_sensitive(true);
    Ok(header)
}

fn tls(config: &PushConfig) -> Result<ClientConfig, String> {
    let roots = match &config.ca_file {
        Some(path) => {
            let wrong = |why: String| format!("[push] ca-file: {why}");
            let mut roots = RootCertStore::empty();
            trust::add(&mut roots, path).map_err(wrong)?;
            if roots.is_empty() {
                let path = path.display();
                return Err(wrong(format!("{path}: it has no certificate in PEM")));
            }
            roots
        }
        None => {
            let roots = trust::machine();
            if roots.is_empty() && config.url.starts_with("https:") {
                let remedy = "install its CA certificates, or write push.ca-file";
                return Err(format!("[push]: the machine trusts nobody: {remedy}"));
            }
            roots
        }
    };
    trust::client(roots)
}
