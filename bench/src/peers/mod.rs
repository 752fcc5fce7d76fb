//! Who is compared: one file each, and what they have in common.

mod bound;
mod metrics_exporter;
mod prometheus;
mod prometheus_client;

use std::sync::Arc;

use anyhow::{Result, bail};

pub use self::{
    bound::{Bound, PIECE},
    metrics_exporter::MetricsExporter,
    prometheus::Prometheus,
    prometheus_client::PrometheusClient,
};
use crate::workload::Workload;

/// Something that renders a page.
pub trait Peer: Send + Sync + 'static {
    /// Renders the page in memory in the cheapest way that the peer's interface has; how many bytes it is. `kept` is the
    /// caller's from scrape to scrape, since fresh memory for a large page can cost more than the page.
    fn render(&self, kept: &mut Vec<u8>) -> usize;

    /// The page as a service sends it.
    fn page(self: Arc<Self>) -> Page {
        let mut page = Vec::new();
        self.render(&mut page);
        Page::Whole(page)
    }
}

/// A page on its way out.
pub enum Page {
    Whole(Vec<u8>),
    /// Rendered piece by piece, as the peer takes them.
    Pieces(Box<dyn Iterator<Item = Vec<u8>> + Send>),
    /// Meterbox's own, of which its host makes a body.
    Frames(meterbox_body::Frames),
}

/// The peers, in the order of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    Meterbox,
    Bound,
    BoundHyper,
    PrometheusClient,
    Prometheus,
    MetricsExporter,
    ClientGolang,
}

impl Name {
    pub const ALL: [Self; 7] = [
        Self::Meterbox,
        Self::Bound,
        Self::BoundHyper,
        Self::PrometheusClient,
        Self::Prometheus,
        Self::MetricsExporter,
        Self::ClientGolang,
    ];

    /// As it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meterbox => "meterbox",
            Self::Bound => "bound",
            Self::BoundHyper => "bound-hyper",
            Self::PrometheusClient => "prometheus-client",
            Self::Prometheus => "prometheus",
            Self::MetricsExporter => "metrics-exporter-prometheus",
            Self::ClientGolang => "client_golang",
        }
    }

    pub fn named(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|peer| peer.name() == name) {
            Some(peer) => Ok(peer),
            None => bail!("no peer {name:?}: {}", Self::ALL.map(Self::name).join(", ")),
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Meterbox => "**Meterbox**",
            Self::Bound => "*bound*",
            Self::BoundHyper => "*bound* behind hyper",
            Self::PrometheusClient => "`prometheus-client`",
            Self::Prometheus => "`prometheus`",
            Self::MetricsExporter => "`metrics-exporter-prometheus`",
            Self::ClientGolang => "client_golang",
        }
    }

    /// A crate that has no compressor of its own: an application adds one, and may choose it well or not.
    pub fn application_compresses(self) -> bool {
        matches!(
            self,
            Self::PrometheusClient | Self::Prometheus | Self::MetricsExporter
        )
    }

    /// Registers the workload with a peer that is served like most.
    pub fn build(self, workload: Workload) -> Result<Arc<dyn Peer>> {
        Ok(match self {
            Self::BoundHyper => Arc::new(Bound::new(workload)?),
            Self::PrometheusClient => Arc::new(PrometheusClient::new(workload)?),
            Self::Prometheus => Arc::new(Prometheus::new(workload)?),
            Self::MetricsExporter => Arc::new(MetricsExporter::new(workload)?),
            Self::Meterbox | Self::Bound | Self::ClientGolang => {
                bail!("{} has a server of its own", self.name())
            }
        })
    }
}
