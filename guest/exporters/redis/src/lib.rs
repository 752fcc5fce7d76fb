//! Redis from its INFO, with the names, types and help texts of redis_exporter.
//!
//! | config | |
//! |---|---|
//! | `address` | `HOST:PORT`; `127.0.0.1:6379` |
//! | `username`, `password` | of AUTH; none |
//! | `timeout-seconds` | for all that a scrape asks; 3 |

mod fields;
mod info;
mod names;
mod resp;
mod session;

use std::collections::BTreeMap;

use meterbox_plugin::prelude::*;
use meterbox_plugin::tcp::{Connection, PeerError};
use names::Kind;
use session::{Login, Told};

const ADDRESS: &str = "127.0.0.1:6379";

/// Less than `limits.timeout`, so that the plugin says what is wrong before the host stops it.
const TIMEOUT_SECONDS: f64 = 3.0;

struct Redis {
    address: String,
    login: Option<Login>,
    timeout: Duration,
    families: BTreeMap<&'static str, (Kind, Family)>,
    /// Why the last scrape failed: each reason is logged once.
    failure: Option<String>,
}

impl Collector for Redis {
    fn register(registry: &mut Registry) -> Result<Self> {
        let seconds = config::parse("timeout-seconds")?.unwrap_or(TIMEOUT_SECONDS);
        let timeout = Duration::try_from_secs_f64(seconds)
            .map_err(|error| format!("config timeout-seconds = {seconds}: {error}"))?;
        let username = config::get("username");
        let password = config::get("password");
        if username.is_some() && password.is_none() {
            return Err("config username is set without config password".into());
        }
        let families = names::descs().map(|(name, kind, desc)| (name, (kind, registry.desc(desc))));
        Ok(Self {
            address: address(),
            login: password.map(|password| Login { username, password }),
            timeout,
            families: families.collect(),
            failure: None,
        })
    }

    /// Redis being down is no error but `redis_up` 0; what the operator has to grant is one.
    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        match self.ask() {
            Ok(Told { info, databases }) => {
                self.failure = None;
                for point in info::points(&info, databases) {
                    let labels: Vec<&str> = point.labels.iter().map(String::as_str).collect();
                    self.add(samples, point.family, &labels, point.value);
                }
                self.add(samples, "up", &[], 1.0);
                self.add(samples, "exporter_last_scrape_error", &[""], 0.0);
                Ok(())
            }
            Err(error @ PeerError::Denied(_)) => Err(error.into()),
            Err(error) => {
                let reason = error.to_string();
                self.add(samples, "up", &[], 0.0);
                self.add(samples, "exporter_last_scrape_error", &[&reason], 1.0);
                if self.failure.as_ref() != Some(&reason) {
                    log::warn(format_args!("Redis is not up: {reason}"));
                    self.failure = Some(reason);
                }
                Ok(())
            }
        }
    }
}

impl Redis {
    fn ask(&self) -> Result<Told, PeerError> {
        let connection = Connection::open(&self.address, self.timeout)?;
        let told = session::ask(connection, self.login.as_ref());
        told.map_err(|error| PeerError::Failed(format!("{}: {error}", self.address)))
    }

    fn add(&self, samples: &mut Samples, name: &str, labels: &[&str], value: f64) {
        let (kind, family) = &self.families[name];
        match kind {
            Kind::Counter => samples.counter(family, labels, value),
            Kind::Gauge => samples.gauge(family, labels, value),
            Kind::Info => samples.info(family, labels),
        };
    }
}

impl Wants for Redis {
    fn wants() -> Vec<Want> {
        vec![Want::needed("tcp", address(), "asks Redis for its INFO")]
    }
}

fn address() -> String {
    config::get("address").unwrap_or_else(|| ADDRESS.to_owned())
}

meterbox_plugin::export!(Redis: Collector, Wants);
