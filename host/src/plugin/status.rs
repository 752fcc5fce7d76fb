//! What a plugin has to tell about itself, read where it is kept: nothing is counted for it.

use super::{Plugin, collects::Past};
use crate::{
    inspect::hexadecimal,
    limits::Limit,
    own::WATCHED,
    status::{LimitStatus, PluginStatus, wall},
};

impl Plugin {
    /// How it is doing, without what only its own page shows.
    pub(crate) fn summary(&self) -> PluginStatus {
        let identity = self.template.identity();
        let config = &self.made_of.config;
        let (state, retry) = self.journal.state_until();
        let Past { ended, collects } = self.collects.past();
        let collector = &self.metrics.collector;
        PluginStatus {
            up: collector.up.get() == 1.0,
            retry: retry.map(wall),
            digest: hexadecimal(&self.made_of.digest),
            sdk: self.sdk.as_deref().map(str::to_owned),
            exports: self.template.exports(),
            interval: config.interval,
            log_level: config.log_level,
            routes: config.routes.clone(),
            last_collect: ended.map(wall),
            collect_success: collector.succeeded(),
            collects: collects.into(),
            series: collector.series.get() as u64,
            memory_bytes: identity.usage.used(Limit::Memory),
            memory_limit_bytes: identity.limits.memory as u64,
            cpu: identity.usage.cpu(),
            start_duration: self.metrics.start_duration(),
            restarts: self.metrics.restarts(),
            faults_total: self.metrics.faults(),
            ..PluginStatus::new(&identity.name, config.source.clone(), state)
        }
    }

    /// All of it.
    pub(crate) fn status(&self) -> PluginStatus {
        let identity = self.template.identity();
        PluginStatus {
            faults: self.journal.faults(),
            limits: self.limit_statuses(),
            wants: self.wants.clone(),
            grants: identity.grants.status(),
            log: identity.recent.lines(),
            log_lines_dropped: identity.log.dropped(),
            ..self.summary()
        }
    }

    /// Those that are watched, and those that were met.
    fn limit_statuses(&self) -> Vec<LimitStatus> {
        let identity = self.template.identity();
        let used = |limit| {
            let is_watched = WATCHED.contains(&limit);
            is_watched.then(|| self.metrics.used(identity, limit))
        };
        let all = Limit::ALL.iter().map(|limit| LimitStatus {
            limit: *limit,
            most: identity.limits.get(*limit),
            used: used(*limit),
            denials: identity.usage.denied(*limit),
        });
        all.filter(|status| status.used.is_some() || status.denials > 0)
            .collect()
    }
}
