//! The page to a system that nobody scrapes for: remote write 1.0, which Prometheus and most that are like it take.
//!
//! One task asks the plugins at the interval and puts requests into a bounded queue; another sends them, one after the other,
//! so that the samples of a series arrive in their order. What could not be delivered is sent again until it is too old for
//! the queue; what the receiver refuses is dropped, since it would refuse it again.

mod client;
mod metrics;
mod queue;

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use meterbox_metrics::{Page, RegisterError, Registry};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval_at},
};

pub(crate) use self::metrics::PushMetrics;
use self::{
    client::{Client, Outcome},
    queue::Queue,
};
use crate::{
    config::PushConfig,
    host::{Host, Inner},
};

/// Pauses before a request is sent again: the first, and what doubling ends at. As Prometheus has them, but for the first.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// No receiver may ask for more patience.
const LONGEST_WISH: Duration = Duration::from_secs(60);

/// What is needed to push, before there is anything to be pushed.
pub(crate) struct Push {
    config: PushConfig,
    client: Client,
    metrics: PushMetrics,
}

impl Push {
    /// Errors are the config's, or the machine's: a file that is missing, nobody that is trusted.
    pub(crate) async fn new(config: PushConfig, registry: &Registry) -> Result<Self, String> {
        let fail = |error: RegisterError| error.to_string();
        let metrics = PushMetrics::new(registry).map_err(fail)?;
        let made = tokio::task::spawn_blocking(move || {
            let client = Client::new(&config)?;
            Ok::<_, String>((config, client))
        });
        let (config, client) = made.await.map_err(|crash| crash.to_string())??;
        Ok(Self {
            config,
            client,
            metrics,
        })
    }

    /// Pushes for as long as there is a host, and the tasks are not dropped.
    pub(crate) fn begin(self, host: &Arc<Inner>) -> JoinSet<()> {
        let Self {
            config,
            client,
            metrics,
        } = self;
        tracing::info!(url = config.url, interval = ?config.interval, "metrics are pushed");
        let queue = Arc::new(Queue::new(config.queue, metrics.clone()));
        let mut tasks = JoinSet::new();
        tasks.spawn(send(client, Arc::clone(&queue), metrics));
        tasks.spawn(gather(Arc::downgrade(host), config, queue));
        tasks
    }
}

/// Asks the plugins at the interval, at once for the first time.
async fn gather(host: Weak<Inner>, config: PushConfig, queue: Arc<Queue>) {
    let mut due = interval_at(tokio::time::Instant::now(), config.interval);
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let labels: Vec<_> = config.labels.into_iter().collect();
    loop {
        due.tick().await;
        let Some(inner) = host.upgrade() else {
            return;
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let timestamp = since.unwrap_or_default().as_millis() as i64;
        let host = Host { inner };
        // A page that is late would meet the next one.
        let page = host
            .gather(Instant::now() + config.interval, |_| true)
            .await;
        drop(host);
        let (labels, queue) = (labels.clone(), Arc::clone(&queue));
        let written = tokio::task::spawn_blocking(move || write(&page, labels, timestamp, &queue));
        if written.await.is_err() {
            tracing::error!("a page could not be written for the receiver");
        }
    }
}

/// Puts a page into the queue, as requests of a bearable size.
fn write(page: &Page, labels: Vec<(String, String)>, timestamp: i64, queue: &Queue) {
    let mut frames = page.write_requests(labels, timestamp);
    let mut compressor = snap::raw::Encoder::new();
    let mut message = Vec::new();
    while frames.append(&mut message) {
        match compressor.compress_vec(&message) {
            Ok(compressed) => queue.put(compressed.into()),
            // Only for messages of gigabytes.
            Err(error) => tracing::error!(%error, "a request to the receiver cannot be compressed"),
        }
        message.clear();
    }
}

/// Sends what is in the queue.
async fn send(client: Client, queue: Arc<Queue>, metrics: PushMetrics) {
    loop {
        let request = queue.take().await;
        deliver(&client, request, &metrics).await;
    }
}

/// Returns when the receiver has the request, or does not want it.
async fn deliver(client: &Client, request: Bytes, metrics: &PushMetrics) {
    let mut pause = FIRST_PAUSE;
    let mut is_away = false;
    loop {
        let (why, wish) = match client.send(request.clone()).await {
            Outcome::Accepted => {
                metrics.accepted();
                if is_away {
                    tracing::info!("the receiver of pushed metrics is back");
                }
                return;
            }
            Outcome::Refused(why) => {
                metrics.refused();
                tracing::error!(
                    error = why,
                    "the receiver refuses pushed metrics; they are dropped"
                );
                return;
            }
            Outcome::Later(why, wish) => (why, wish),
        };
        metrics.retried();
        if !is_away {
            is_away = true;
            tracing::warn!(
                error = why,
                "pushed metrics cannot be delivered; they wait in the queue"
            );
        }
        let wish = wish.unwrap_or_default().min(LONGEST_WISH);
        tokio::time::sleep(pause.max(wish)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
