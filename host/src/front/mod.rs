//! The front door: who may come in, and how. What an operator writes for any Prometheus exporter in the file of
//! `--web.config.file` (exporter-toolkit's schema): TLS, clients' certificates, users, response headers, a rate limit.
//!
//! - [`Front`]: one such file, read again for every connection and every request
//! - [`crate::serve::Listener::secured`]: TLS by it
//! - [`Guarded`]: everything else of it, around any tower service
//!
//! docs/web-config.md has the schema, and what differs from Go's.

mod client_certificate;
mod error;
mod go_duration;
mod guard;
mod latest;
mod rate;
mod san;
mod schema;
mod settings;
mod suites;
mod tls;
mod users;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use rustls::ServerConfig;

pub use self::{error::WebConfigError, guard::Guarded};
use self::{
    latest::{Latest, Reading},
    rate::Bucket,
    settings::Settings,
    tls::Tls,
    users::Users,
};

/// A web config file that could be used when it was opened. Clones share one state.
///
/// What it says is read again for every handshake (certificates, clients) and for every request (users, headers), so that
/// what is rotated takes effect at once. Whether there is TLS at all, HTTP/2 and the rate limit are those of the start. A
/// file that is broken later on refuses handshakes and answers requests with 500, and the log has it once.
#[derive(Clone, Debug)]
pub struct Front {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Whether there was a certificate at the start.
    is_tls: bool,
    http2: bool,
    rate: Option<Mutex<Bucket>>,
    settings: Latest<Settings>,
    tls: Latest<Tls>,
    users: Users,
}

impl Front {
    /// Reads the file, the certificates that it names, and checks all of it. It blocks on the disk.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, WebConfigError> {
        let path = path.into();
        let settings = Settings::read(&path)?;
        let refused = |problem| WebConfigError::invalid(&path, problem);
        users::check(&settings.users).map_err(refused)?;
        let http2 = settings.http2;
        let tls = Tls::read(&settings, http2).map_err(refused)?;
        if tls.is_some() && http2 {
            suites::check_http2(&settings.tls).map_err(refused)?;
        }
        let rate = Bucket::new(&settings.rate, Instant::now()).map(Mutex::new);
        let inner = Inner {
            is_tls: tls.is_some(),
            http2,
            rate,
            settings: Latest::new(),
            tls: Latest::new(),
            users: Users::new(),
            path,
        };
        let inner = Arc::new(inner);
        Ok(Self { inner })
    }

    /// Whether such a file could be used to start with.
    pub fn check(path: impl AsRef<Path>) -> Result<(), WebConfigError> {
        Self::open(path.as_ref()).map(drop)
    }

    /// Whether connections begin with a TLS handshake.
    pub fn is_tls(&self) -> bool {
        self.inner.is_tls
    }

    /// Whether peers of a TLS connection may choose HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.inner.is_tls && self.inner.http2
    }

    /// The file as it is now.
    async fn settings(&self) -> Reading<Settings> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .settings
            .get(move |last| Settings::again(&inner.path, last))
            .await
    }

    /// What the next handshake goes by.
    pub(crate) async fn server_config(&self) -> Result<Arc<ServerConfig>, Arc<WebConfigError>> {
        let settings = self.settings().await?;
        let inner = Arc::clone(&self.inner);
        let tls = self.inner.tls.get(move |last| {
            let read = Tls::again(&settings, inner.http2, last);
            read.map_err(|problem| Arc::new(WebConfigError::invalid(&inner.path, problem)))
        });
        Ok(Arc::clone(&tls.await?.config))
    }

    /// Whether the rate limit lets one more request in.
    fn has_room(&self) -> bool {
        self.inner.rate.as_ref().is_none_or(|bucket| {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.take(Instant::now())
        })
    }
}
