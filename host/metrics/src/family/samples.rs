//! A family that a collector replaces at each scrape.

use std::time::Instant;

use super::{Family, Source};
use crate::{
    column::Shape,
    sample::{self, Sample, SampleError},
};

impl Family {
    /// Replaces all series by these samples, or removes all and says why not.
    pub(crate) fn replace(
        &mut self,
        samples: impl ExactSizeIterator<Item = Sample>,
        now: Instant,
        limit: usize,
    ) -> Result<(), SampleError> {
        let outcome = self.try_replace(samples, now, limit);
        if outcome.is_err() && self.is_sampled() {
            self.clear();
        }
        outcome
    }

    fn try_replace(
        &mut self,
        samples: impl ExactSizeIterator<Item = Sample>,
        now: Instant,
        limit: usize,
    ) -> Result<(), SampleError> {
        match self.source {
            Source::Instruments => {
                return Err(SampleError::Mixed {
                    name: self.desc.name.clone(),
                });
            }
            Source::Nobody => {
                self.source = Source::Samples;
                self.shape = Shape::samples(&self.desc);
            }
            Source::Samples => {}
        }
        if samples.len() > limit {
            return Err(SampleError::SeriesLimit {
                name: self.desc.name.clone(),
                limit,
            });
        }
        self.round = self.round.wrapping_add(1);
        let count = samples.len();
        let mut text = Vec::new();
        for sample in samples {
            sample::check(&self.desc, &sample)?;
            text.clear();
            self.template.render(&sample.label_values, &mut text);
            let series = self.open(&text, now);
            self.seen
                .resize(self.places.len(), self.round.wrapping_sub(1));
            if std::mem::replace(&mut self.seen[series.id as usize], self.round) == self.round {
                return Err(SampleError::Duplicate {
                    name: self.desc.name.clone(),
                    labels: String::from_utf8_lossy(&text).into_owned(),
                });
            }
            let place = self.places[series.id as usize];
            let position = place.position as usize;
            // Much of what is collected is what it was.
            if self.blocks[place.block as usize].has(position, &sample) {
                continue;
            }
            let (column, _) = self.column(place.block);
            column.write(position, sample.value);
            column.set_timestamp(position, sample.timestamp_ms);
            column.set_created(position, sample.created_ms);
        }
        if self.len() > count {
            let Self {
                index, seen, round, ..
            } = self;
            let gone: Vec<u32> = index
                .extract_if(|id| seen[*id as usize] != *round)
                .collect();
            gone.into_iter().for_each(|id| self.retire(id));
        }
        Ok(())
    }
}
