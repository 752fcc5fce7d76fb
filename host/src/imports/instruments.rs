//! `instruments`: durable series, staged in the instance's session until its call returns.

use meterbox_metrics::{InstrumentError as Refusal, Verb};
use wasmtime::Result;

use crate::engine::{
    State,
    bindings::instruments::{Host, InstrumentError},
};

type Answer<T> = Result<Result<T, InstrumentError>>;

impl State {
    fn stage<T>(
        &mut self,
        change: impl FnOnce(&mut meterbox_metrics::Session) -> Result<T, Refusal>,
    ) -> Answer<T> {
        let outcome = match &mut self.session {
            Some(session) => change(session),
            None => Err(Refusal::UnknownFamily),
        };
        Ok(outcome.map_err(Into::into))
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

impl From<Refusal> for InstrumentError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownFamily => Self::UnknownFamily,
            Refusal::UnknownSeries => Self::UnknownSeries,
            Refusal::WrongKind => Self::WrongKind,
            Refusal::LabelCount => Self::LabelCount,
            Refusal::InvalidValue(what) => Self::InvalidValue(what),
            Refusal::Limit(what) => Self::Limit(what),
        }
    }
}
