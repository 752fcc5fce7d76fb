//! What the metrics page says about its own requests: promhttp's metrics of itself, under our names.

use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

/// Codes that are on the page from the start, so that a rate over the first failure is seen.
const EXPECTED: [&str; 3] = ["200", "500", "503"];

/// The self-metrics of the metrics page. Clones count into the same series.
#[derive(Clone, Debug)]
pub(crate) struct HttpMetrics {
    requests: IntCounterVec,
    in_flight: IntGauge,
}

impl HttpMetrics {
    /// Registers both families. Fails where the registry has one of these names already.
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let requests = IntCounterVec::new(
            Opts::new(
                "meterbox_http_metrics_requests_total",
                "Requests for the metrics page that were answered, by HTTP status code.",
            ),
            &["code"],
        )?;
        let in_flight = IntGauge::new(
            "meterbox_http_metrics_requests_in_flight",
            "Requests for the metrics page that are being answered, this one included.",
        )?;
        for code in EXPECTED {
            requests.with_label_values(&[code]);
        }
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        Ok(Self {
            requests,
            in_flight,
        })
    }

    /// A request came in.
    pub(super) fn enter(&self) -> InFlight {
        self.in_flight.inc();
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
        self.metrics.in_flight.dec();
        // Whoever left before there was an answer got none.
        if let Some(code) = self.code {
            self.metrics
                .requests
                .with_label_values(&[code.as_str()])
                .inc();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use http::StatusCode;

    use super::*;

    fn counts(metrics: &HttpMetrics) -> [u64; 3] {
        EXPECTED.map(|code| metrics.requests.with_label_values(&[code]).get())
    }

    #[test]
    fn an_answer_counts_when_it_is_over() {
        let registry = Registry::new();
        let metrics = HttpMetrics::new(&registry).unwrap();
        let series: usize = registry.gather().iter().map(|f| f.get_metric().len()).sum();
        assert_eq!(series, EXPECTED.len() + 1, "all are there from the start");

        let mut one = metrics.enter();
        let mut other = metrics.enter();
        one.answered(StatusCode::OK);
        other.answered(StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!((metrics.in_flight.get(), counts(&metrics)), (2, [0, 0, 0]));
        drop(one);
        assert_eq!((metrics.in_flight.get(), counts(&metrics)), (1, [1, 0, 0]));
        drop(other);
        drop(metrics.enter());
        assert_eq!((metrics.in_flight.get(), counts(&metrics)), (0, [1, 0, 1]));
    }

    #[test]
    fn names_are_taken_once() {
        let registry = Registry::new();
        HttpMetrics::new(&registry).unwrap();
        assert!(HttpMetrics::new(&registry).is_err());
    }
}
