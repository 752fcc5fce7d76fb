//! A probe of a plugin that is tried out.

use std::time::{Duration, Instant};

use meterbox_metrics::Page;

use super::Trial;
use crate::{
    engine::{Fault, guard},
    plugin::ProbeRequest,
};

/// What became of one probe.
#[derive(Clone, Debug)]
pub struct Probed {
    /// Whether the target is as it should be; not if the plugin failed.
    pub success: bool,
    /// How long it took, with the start of an instance for it.
    pub took: Duration,
    /// What a scraper would get.
    pub page: Page,
    /// Why the plugin failed, if it did.
    pub fault: Option<Fault>,
    /// Families whose samples were refused and left out, with the reason, a sentence each.
    pub refused: Vec<String>,
}

impl Trial {
    /// Has a fresh instance probe a target, as for a scraper that waits this long. `None` unless the config allows it.
    pub async fn probe(
        &mut self,
        target: impl Into<String>,
        parameters: Vec<(String, String)>,
        patience: Duration,
    ) -> Option<Probed> {
        let probes = self.probes.as_ref()?;
        let begin = Instant::now();
        let request = ProbeRequest {
            target: target.into(),
            parameters,
            deadline: begin + patience,
        };
        let call = async {
            let mut instance = self.template.again(&self.scope).await?;
            instance.probe(&request).await
        };
        let (measured, fault) = match guard("probe", call).await {
            Ok(measured) => (measured, None),
            Err(fault) => ((false, Vec::new()), Some(fault)),
        };
        let took = begin.elapsed();
        let success = measured.0;
        let (page, refused) = probes.page(measured, took);
        self.measure();
        Some(Probed {
            success,
            took,
            page,
            fault,
            refused: refused.iter().map(|(_, error)| error.to_string()).collect(),
        })
    }
}
