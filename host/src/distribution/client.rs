//! One server, asked with bounds: how long it may take to connect and between two bytes, how many bytes it may send, and
//! whom it may send us to. How long all of it may take is the caller's to say.
//!
//! A client of our own for pulls, as oci-client reads manifests, tokens and errors to their end, however long they are.

use std::{collections::HashMap, error::Error as _, time::Duration};

use http_auth::ChallengeParser;
use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, WWW_AUTHENTICATE},
};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::FetchError;
use crate::{
    config::{RegistryConfig, Secret},
    trust,
};

pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// Between two bytes.
pub(super) const IDLE: Duration = Duration::from_secs(30);
/// Registries send blobs from elsewhere, once or twice.
const MOST_REDIRECTS: usize = 5;
const MOST_TOKEN_BYTES: u64 = 64 << 10;

/// A registry, or a server with files.
pub(super) struct Client {
    /// For messages, such as `registry ghcr.io`.
    pub(super) name: String,
    /// Such as `https://ghcr.io`.
    pub(super) base: String,
    http: reqwest::Client,
    insecure: bool,
    user: Option<(String, Secret)>,
    /// What it wants to see, for each scope.
    passes: Mutex<HashMap<String, Pass>>,
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) url: &'a str,
    pub(super) accept: &'a str,
    /// What a token is to be good for; empty for servers without tokens.
    pub(super) scope: &'a str,
    /// Bytes that the answer may have, and what to do if it has more.
    pub(super) most: (u64, &'a str),
    /// For messages: what is asked for.
    pub(super) stage: &'a str,
}

#[derive(Clone)]
enum Pass {
    Basic,
    Bearer(String),
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Client {
    /// May read files.
    pub(super) fn new(
        kind: &str,
        host: &str,
        config: Option<&RegistryConfig>,
    ) -> Result<Self, FetchError> {
        let wrong = |key: &str, why: String| FetchError::Config {
            what: format!("[registries.{host:?}] {key}"),
            why,
        };
        let none = RegistryConfig::default();
        let config = config.unwrap_or(&none);
        let mut roots = trust::machine();
        if let Some(path) = &config.ca_file {
            trust::add(&mut roots, path).map_err(|why| {
                wrong(
                    "ca-file",
                    format!("{why}; it has to be certificates in PEM"),
                )
            })?;
        }
        let name = format!("{kind} {host}");
        if roots.is_empty() && !config.insecure {
            let why = trust::NOBODY.to_owned();
            return Err(FetchError::Config { what: name, why });
        }
        let tls = trust::client(roots).map_err(|why| wrong("ca-file", why))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(!config.insecure)
            .redirect(reqwest::redirect::Policy::limited(MOST_REDIRECTS))
            .connect_timeout(CONNECT)
            .read_timeout(IDLE)
            .user_agent(concat!("meterbox/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| wrong("insecure", chain(&error)))?;
        let user = match (&config.username, &config.password) {
            (Some(user), Some(password)) => {
                let password = password.look_up().map_err(|why| wrong("password", why))?;
                Some((user.clone(), password))
            }
            _ => None,
        };
        let scheme = if config.insecure { "http" } else { "https" };
        // Its registry has another name than its images have.
        let at = if host == "docker.io" {
            "registry-1.docker.io"
        } else {
            host
        };
        Ok(Self {
            name,
            base: format!("{scheme}://{at}"),
            http,
            insecure: config.insecure,
            user,
            passes: Mutex::default(),
        })
    }

    /// What it answers; nothing if it does not have it.
    pub(super) async fn get(&self, ask: Ask<'_>) -> Result<Option<Vec<u8>>, FetchError> {
        let known = self.passes.lock().await.get(ask.scope).cloned();
        let mut response = self.send(ask, known).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(pass) = self.pass(&response, ask).await?
        {
            let mut passes = self.passes.lock().await;
            passes.insert(ask.scope.to_owned(), pass.clone());
            drop(passes);
            response = self.send(ask, Some(pass)).await?;
        }
        let status = response.status();
        let why = match status {
            StatusCode::OK => {
                let (most, remedy) = ask.most;
                return self.body(response, most, remedy, ask.stage).await.map(Some);
            }
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.user.is_none() => {
                "it wants to know who asks, or has no such thing; write username and password into the [registries] table of its host"
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                "it refuses the user and the password of the [registries] table of its host; correct them, or have the user allowed to pull"
            }
            StatusCode::TOO_MANY_REQUESTS => "it is asked too often; try again later",
            _ if status.is_server_error() => "it is in trouble; try again later",
            _ => "that is no answer to the question; check the source",
        };
        Err(self.failed(ask.stage, format!("status {}: {why}", status.as_u16())))
    }

    async fn send(&self, ask: Ask<'_>, pass: Option<Pass>) -> Result<Response, FetchError> {
        let mut request = self.http.get(ask.url).header(ACCEPT, ask.accept);
        match (pass, &self.user) {
            (Some(Pass::Basic), Some((user, password))) => {
                request = request.basic_auth(user, Some(password.get()));
            }
            (Some(Pass::Bearer(token)), _) => request = request.bearer_auth(token),
            _ => {}
        }
        let sent = request.send().await;
        sent.map_err(|error| self.lost(ask.stage, &error))
    }

    /// What it asks for, if we have it.
    async fn pass(&self, response: &Response, ask: Ask<'_>) -> Result<Option<Pass>, FetchError> {
        // Somebody that it sent us to is told nothing.
        let ours = reqwest::Url::parse(&self.base);
        if ours.is_ok_and(|ours| ours.origin() != response.url().origin()) {
            return Ok(None);
        }
        for header in response.headers().get_all(WWW_AUTHENTICATE) {
            let Ok(header) = header.to_str() else {
                continue;
            };
            for challenge in ChallengeParser::new(header).map_while(Result::ok) {
                if challenge.scheme.eq_ignore_ascii_case("basic") && self.user.is_some() {
                    return Ok(Some(Pass::Basic));
                }
                if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    let value = |name: &str| {
                        let mut params = challenge.params.iter();
                        let found = params.find(|(key, _)| key.eq_ignore_ascii_case(name));
                        found.map(|(_, value)| value.to_unescaped())
                    };
                    let Some(realm) = value("realm") else {
                        continue;
                    };
                    let token = self.token(&realm, value("service"), ask).await?;
                    return Ok(Some(Pass::Bearer(token)));
                }
            }
        }
        Ok(None)
    }

    async fn token(
        &self,
        realm: &str,
        service: Option<String>,
        ask: Ask<'_>,
    ) -> Result<String, FetchError> {
        let stage = "a token";
        let no_url = || {
            self.failed(
                stage,
                format!("it names {realm:?}, which is no URL for one"),
            )
        };
        let mut url = reqwest::Url::parse(realm).map_err(|_| no_url())?;
        if url.scheme() != "https" && !self.insecure {
            return Err(no_url());
        }
        url.query_pairs_mut()
            .extend_pairs(service.map(|service| ("service", service)))
            .append_pair("scope", ask.scope);
        let mut request = self.http.get(url);
        if let Some((user, password)) = &self.user {
            request = request.basic_auth(user, Some(password.get()));
        }
        let sent = request.send().await;
        let response = sent.map_err(|error| self.lost(stage, &error))?;
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            return Err(self.failed(
                stage,
                format!("status {status}: check the source, and username and password in the [registries] table of its host"),
            ));
        }
        let body = self.body(response, MOST_TOKEN_BYTES, "no token is that long", stage);
        let token: Option<Token> = serde_json::from_slice(&body.await?).ok();
        token
            .and_then(|token| token.token.or(token.access_token))
            .ok_or_else(|| self.failed(stage, "what came is none".to_owned()))
    }

    async fn body(
        &self,
        mut response: Response,
        most: u64,
        remedy: &str,
        stage: &str,
    ) -> Result<Vec<u8>, FetchError> {
        let too_much = || self.failed(stage, format!("it sends more than {most} bytes; {remedy}"));
        let announced = response.content_length().unwrap_or_default();
        if announced > most {
            return Err(too_much());
        }
        // What is announced need not come.
        let mut bytes = Vec::with_capacity(announced.min(1 << 20) as usize);
        loop {
            let chunk = response.chunk().await;
            match chunk.map_err(|error| self.lost(stage, &error))? {
                None => return Ok(bytes),
                Some(chunk) if bytes.len() as u64 + chunk.len() as u64 > most => {
                    return Err(too_much());
                }
                Some(chunk) => bytes.extend_from_slice(&chunk),
            }
        }
    }

    pub(super) fn failed(&self, stage: &str, why: String) -> FetchError {
        FetchError::Pull {
            from: self.name.clone(),
            stage: stage.to_owned(),
            why,
        }
    }

    pub(super) fn lied(&self, stage: &str, why: String) -> FetchError {
        FetchError::Verify {
            from: self.name.clone(),
            stage: stage.to_owned(),
            why,
        }
    }

    fn lost(&self, stage: &str, error: &reqwest::Error) -> FetchError {
        let what = if error.is_connect() {
            "it cannot be reached"
        } else if error.is_timeout() {
            "it hangs"
        } else if error.is_redirect() {
            "it sends us around"
        } else if error.is_body() || error.is_decode() {
            "it breaks off"
        } else {
            "it does not answer"
        };
        let why = chain(error);
        self.failed(
            stage,
            format!("{what} ({why}); check it and the network, and try again"),
        )
    }
}

/// The root of an error's causes, without the URL, which may have a secret in it.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    match causes.last() {
        Some(root) => root.clone(),
        None if error.is_timeout() => "no byte for too long".to_owned(),
        None => "no reason is known".to_owned(),
    }
}
