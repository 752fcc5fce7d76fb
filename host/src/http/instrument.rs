//! What the metrics page says about its own requests: promhttp's metrics of itself, under our names.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use meterbox_metrics::{Counter, CounterVec, Gauge, RegisterError, Registry};

/// Codes that are on the page from the start, so that a rate over the first failure is seen.
const EXPECTED: [&str; 3] = ["200", "500", "503"];

/// The self-metrics of the metrics page. Clones count into the same series.
#[derive(Clone, Debug)]
pub(crate) struct HttpMetrics {
    requests: CounterVec<1>,
    /// The series of nearly every answer.
    ok: Counter,
    in_flight: Gauge,
    dropped: Counter,
    probes: CounterVec<1>,
    /// Families whose loss was logged.
    logged: Arc<Mutex<HashSet<String>>>,
}

impl HttpMetrics {
    /// Describes its families.
    pub(crate) fn new(registry: &Registry) -> Result<Self, RegisterError> {
        let requests = registry.own_counter(
            "meterbox_http_metrics_requests_total",
            "Requests for the metrics page that were answered, by HTTP status code.",
            ["code"],
        )?;
        let in_flight = registry.own_gauge(
            "meterbox_http_metrics_requests_in_flight",
            "Requests for the metrics page that are being answered, this one included.",
            [],
        )?;
        let dropped = registry.own_counter(
            "meterbox_http_metrics_dropped_families_total",
            "Families left out of a page because another one has their name once names are escaped.",
            [],
        )?;
        let probes = registry.own_counter(
            "meterbox_http_probe_requests_total",
            "Requests for probes that were answered, by HTTP status code.",
            ["code"],
        )?;
        let [ok, ..] = EXPECTED.map(|code| requests.with([code]));
        Ok(Self {
            requests,
            ok,
            in_flight: in_flight.with([]),
            dropped: dropped.with([]),
            probes,
            logged: Arc::default(),
        })
    }

    /// Whether more than one request is being answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight.get() > 1.0
    }

    /// A request for a probe was answered.
    pub(super) fn probed(&self, code: http::StatusCode) {
        self.probes.with([code.as_str()]).inc();
    }

    /// These families are not on a page. Each is logged once: it happens again at every scrape.
    pub(super) fn dropped(&self, families: &[String]) {
        if families.is_empty() {
            return;
        }
        self.dropped.add(families.len() as f64);
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        for family in families.iter().filter(|name| !logged.contains(*name)) {
            tracing::warn!(
                family,
                "left out of pages with escaped names: escaped, it or two of its labels have a name that is taken; \
                 rename it in its plugin, or let the scraper ask for escaping=allow-utf-8"
            );
        }
        logged.extend(families.iter().cloned());
    }

    /// A request came in.
    pub(super) fn enter(&self) -> InFlight {
        self.in_flight.add(1.0);
        InFlight {
            metrics: self.clone(),
            code: None,
        }
    }
}

/// A request in flight: until the last byte of its answer is handed over, or the peer goes away.
#[derive(Debug)]
pub(super) struct InFlight {
    metrics: HttpMetrics,
    code: Option<http::StatusCode>,
}

impl InFlight {
    /// The answer is known. It is counted when it is over, so a page never counts itself.
    pub(super) fn answered(&mut self, code: http::StatusCode) {
        self.code = Some(code);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.metrics.in_flight.add(-1.0);
        match self.code {
            Some(http::StatusCode::OK) => self.metrics.ok.inc(),
            Some(code) => self.metrics.requests.with([code.as_str()]).inc(),
            // Whoever left before there was an answer got none.
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use http::StatusCode;

    use super::*;

    fn counts(metrics: &HttpMetrics) -> [f64; 3] {
        EXPECTED.map(|code| metrics.requests.with([code]).get())
    }

    #[test]
    fn an_answer_counts_when_it_is_over() {
        let metrics = HttpMetrics::new(&Registry::default()).unwrap();
        let mut one = metrics.enter();
        let mut other = metrics.enter();
        one.answered(StatusCode::OK);
        other.answered(StatusCode::SERVICE_UNAVAILABLE);
        let now = |metrics: &HttpMetrics| (metrics.in_flight.get(), counts(metrics));
        assert_eq!(now(&metrics), (2.0, [0.0, 0.0, 0.0]));
        drop(one);
        assert_eq!(now(&metrics), (1.0, [1.0, 0.0, 0.0]));
        drop(other);
        drop(metrics.enter());
        assert_eq!(now(&metrics), (0.0, [1.0, 0.0, 1.0]));
    }

    #[test]
    fn a_dropped_family_is_remembered() {
        let metrics = HttpMetrics::new(&Registry::default()).unwrap();
        metrics.dropped(&[]);
        for _ in 0..2 {
            metrics.dropped(&["a.b".to_owned(), "c.d".to_owned()]);
        }
        assert_eq!(metrics.dropped.get(), 4.0);
        assert_eq!(metrics.logged.lock().unwrap().len(), 2);
    }
}
