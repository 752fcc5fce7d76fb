//! `exemplars`: events behind durable series, staged beside them.

use meterbox_metrics::{Exemplar, InstrumentError as Refusal};

use super::instruments::Answer;
use crate::engine::{
    State,
    bindings::exemplars::{Exemplar as Given, Host},
};

impl Host for State {
    fn attach(&mut self, series: u32, given: Given) -> Answer<()> {
        let timestamp_ms = given.timestamp_ms.map(|millis| millis as i64);
        self.stage(|session| {
            let exemplar = Exemplar::new(&given.labels, given.value, timestamp_ms)
                .map_err(|error| Refusal::InvalidValue(error.to_string()))?;
            session.attach(series, exemplar)
        })
    }
}
