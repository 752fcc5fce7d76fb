//! `instruments`: durable series, staged in the instance's session until its call returns.

use meterbox_metrics::{InstrumentError as Refusal, Quota, Verb};
use wasmtime::Result;

use crate::{
    engine::{
        Identity, State,
        bindings::instruments::{Host, InstrumentError},
    },
    limits::Limit,
};

pub(super) type Answer<T> = Result<Result<T, InstrumentError>>;

impl State {
    pub(super) fn stage<T>(
        &mut self,
        change: impl FnOnce(&mut meterbox_metrics::Session) -> Result<T, Refusal>,
    ) -> Answer<T> {
        self.meter.host_call()?;
        let outcome = match &mut self.session {
            Some(session) => change(session),
            None => Err(Refusal::UnknownFamily),
        };
        Ok(outcome.map_err(|refusal| self.explain(refusal)))
    }

    fn explain(&self, refusal: Refusal) -> InstrumentError {
        match refusal {
            Refusal::UnknownFamily => InstrumentError::UnknownFamily,
            Refusal::UnknownSeries => InstrumentError::UnknownSeries,
            Refusal::WrongKind => InstrumentError::WrongKind,
            Refusal::LabelCount => InstrumentError::LabelCount,
            Refusal::InvalidValue(what) => InstrumentError::InvalidValue(what),
            Refusal::Limit(quota) => {
                let limit = match quota {
                    Quota::Series | Quota::Exemplars => Limit::Series,
                    Quota::Handles => Limit::Handles,
                    Quota::LabelBytes => Limit::LabelBytes,
                    Quota::Buckets => Limit::Buckets,
                };
                let Identity {
                    name,
                    limits,
                    usage,
                    ..
                } = &*self.identity;
                usage.deny(limit);
                let (allowed, remedy) = (limit.show(limits), limit.remedy(name));
                InstrumentError::Limit(format!("{refusal} ({limit} = {allowed}); {remedy}"))
            }
        }
    }
}

impl Host for State {
    fn open(&mut self, family: u32, label_values: Vec<String>) -> Answer<u32> {
        self.stage(|session| session.open(family, &label_values))
    }

    fn remove(&mut self, family: u32, label_values: Vec<String>) -> Answer<bool> {
        self.stage(|session| session.remove(family, &label_values))
    }

    fn remove_matching(&mut self, family: u32, labels: Vec<(String, String)>) -> Answer<u32> {
        self.stage(|session| session.remove_matching(family, &labels))
    }

    fn clear(&mut self, family: u32) -> Answer<()> {
        self.stage(|session| session.clear(family))
    }

    fn add(&mut self, series: Vec<u32>, by: Vec<f64>) -> Answer<()> {
        self.stage(|session| session.update(Verb::Add, series, by))
    }

    fn set(&mut self, series: Vec<u32>, to: Vec<f64>) -> Answer<()> {
        self.stage(|session| session.update(Verb::Set, series, to))
    }

    fn observe(&mut self, series: Vec<u32>, values: Vec<f64>) -> Answer<()> {
        self.stage(|session| session.update(Verb::Observe, series, values))
    }
}
