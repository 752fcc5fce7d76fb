//! How pushing goes.

use std::time::{SystemTime, UNIX_EPOCH};

use meterbox_metrics::{Counter, Gauge, RegisterError, Registry};

#[derive(Clone, Debug)]
pub(crate) struct PushMetrics {
    accepted: Counter,
    refused: Counter,
    dropped: Counter,
    retries: Counter,
    queue: Gauge,
    success: Gauge,
}

impl PushMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, RegisterError> {
        let requests = registry.own_counter(
            "meterbox_push_requests_total",
            "Requests to the receiver that came to an end, by outcome: accepted, refused by it, or dropped because the queue was full.",
            ["outcome"],
        )?;
        let gauge = |name, help| {
            let family = registry.own_gauge(name, help, [])?;
            Ok::<_, RegisterError>(family.with([]))
        };
        let retries = registry.own_counter(
            "meterbox_push_retries_total",
            "How often a request was to be sent again, because the receiver was not there or asked for it.",
            [],
        )?;
        Ok(Self {
            accepted: requests.with(["accepted"]),
            refused: requests.with(["refused"]),
            dropped: requests.with(["dropped"]),
            retries: retries.with([]),
            queue: gauge(
                "meterbox_push_queue_bytes",
                "Compressed bytes that wait to be sent.",
            )?,
            success: gauge(
                "meterbox_push_last_success_timestamp_seconds",
                "When the receiver last accepted a request, in seconds since 1970; 0 before.",
            )?,
        })
    }

    pub(super) fn accepted(&self) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        self.success.set(since.unwrap_or_default().as_secs_f64());
        self.accepted.inc();
    }

    pub(super) fn refused(&self) {
        self.refused.inc();
    }

    pub(super) fn dropped(&self, requests: u64) {
        self.dropped.add(requests as f64);
    }

    pub(super) fn retried(&self) {
        self.retries.inc();
    }

    pub(super) fn waiting(&self, bytes: u64) {
        self.queue.set(bytes as f64);
    }
}
