//! One series of a summary: quantiles over a sliding window, count and sum over all time.

use std::{
    borrow::Cow,
    sync::OnceLock,
    time::{Duration, Instant},
};

use crate::{desc::SummaryOptions, quantile::Stream};

/// Every observation goes into each of the window's streams. The head has seen the whole window; when its time is over
/// it is emptied and the next becomes the head.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    quantiles: Box<[f64]>,
    streams: Box<[Stream]>,
    head: usize,
    head_ends: Instant,
    step: Duration,
    /// The quantiles as long as nothing is observed and the head stays.
    known: OnceLock<Box<[(f64, f64)]>>,
}

impl Summary {
    pub(crate) fn new(options: &SummaryOptions, now: Instant) -> Self {
        let steps = if options.objectives.is_empty() {
            0
        } else {
            options.age_buckets as usize
        };
        let step = (options.max_age / options.age_buckets.max(1)).max(Duration::from_nanos(1));
        Self {
            count: 0,
            sum: 0.0,
            quantiles: options
                .objectives
                .iter()
                .map(|objective| objective.0)
                .collect(),
            streams: vec![Stream::new(&options.objectives); steps].into(),
            head: 0,
            head_ends: now + step,
            step,
            known: OnceLock::new(),
        }
    }

    pub(crate) fn observe(&mut self, value: f64, now: Instant) {
        self.rotate(now);
        self.known.take();
        self.count += 1;
        self.sum += value;
        for stream in &mut self.streams {
            stream.insert(value);
        }
    }

    /// The quantiles in the order of the objectives; NaN where the window holds nothing. Computed when somebody asks for the
    /// first time after an observation.
    pub(crate) fn quantiles(&self, now: Instant) -> Cow<'_, [(f64, f64)]> {
        if self.streams.is_empty() || now < self.head_ends {
            let compute = || self.query(self.streams.get(self.head));
            return self.known.get_or_init(compute).as_ref().into();
        }
        let passed = self.passed(now);
        let head = (self.head + passed as usize) % self.streams.len();
        let is_left = (passed as usize) < self.streams.len();
        Vec::from(self.query(self.streams.get(head).filter(|_| is_left))).into()
    }

    /// When the quantiles change though nothing is observed; `None` where the window is empty, or there is none.
    pub(crate) fn lasts_until(&self, now: Instant) -> Option<Instant> {
        if now < self.head_ends {
            return (!self.streams.is_empty()).then_some(self.head_ends);
        }
        let passed = self.passed(now);
        let is_left = (passed as usize) < self.streams.len();
        is_left.then(|| self.head_ends + self.step * passed)
    }

    fn query(&self, stream: Option<&Stream>) -> Box<[(f64, f64)]> {
        // Asking sorts what came last.
        let mut stream = stream.cloned();
        let mut value = |quantile| {
            let stream = stream.as_mut();
            stream.map_or(f64::NAN, |stream| stream.query(quantile))
        };
        self.quantiles
            .iter()
            .map(|quantile| (*quantile, value(*quantile)))
            .collect()
    }

    fn rotate(&mut self, now: Instant) {
        if self.streams.is_empty() || now < self.head_ends {
            return;
        }
        let late = self.passed(now);
        for _ in 0..late.min(self.streams.len() as u32) {
            self.streams[self.head].clear();
            self.head = (self.head + 1) % self.streams.len();
        }
        self.head_ends += self.step * late;
    }

    /// How many steps are over; the head's is.
    fn passed(&self, now: Instant) -> u32 {
        let late = now.duration_since(self.head_ends).as_nanos() / self.step.as_nanos() + 1;
        u32::try_from(late).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> SummaryOptions {
        SummaryOptions {
            objectives: vec![(0.5, 0.05)],
            max_age: Duration::from_secs(50),
            age_buckets: 5,
        }
    }

    fn median(summary: &Summary, now: Instant) -> f64 {
        summary.quantiles(now)[0].1
    }

    #[test]
    fn forgets_step_by_step() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut summary = Summary::new(&options(), start);
        summary.observe(1.0, at(0));
        summary.observe(5.0, at(41));
        assert_eq!(median(&summary, at(49)), 1.0);
        assert_eq!(median(&summary, at(51)), 5.0);
        assert!(median(&summary, at(100)).is_nan());
        let lasts = [0, 49, 50, 89, 90, 1000].map(|seconds| summary.lasts_until(at(seconds)));
        let ends = [Some(50), Some(50), Some(60), Some(90), None, None];
        assert_eq!(lasts, ends.map(|seconds| seconds.map(at)));
        assert_eq!((summary.count, summary.sum), (2, 6.0));
    }

    #[test]
    fn what_was_computed_is_forgotten_with_the_next_observation() {
        let now = Instant::now();
        let mut summary = Summary::new(&options(), now);
        summary.observe(1.0, now);
        assert_eq!(median(&summary, now), 1.0);
        let page = summary.clone();
        summary.observe(0.0, now);
        assert_eq!((median(&page, now), median(&summary, now)), (1.0, 0.0));
        // Observations that are not asked for move the window on all the same.
        assert!(median(&page, now + Duration::from_secs(60)).is_nan());
    }

    #[test]
    fn a_long_silence_is_one_step() {
        let start = Instant::now();
        let mut summary = Summary::new(&options(), start);
        summary.observe(1.0, start);
        let later = start + Duration::from_secs(1_000_000);
        assert!(median(&summary, later).is_nan());
        summary.observe(2.0, later);
        assert_eq!(median(&summary, later), 2.0);
    }

    #[test]
    fn without_objectives_there_is_count_and_sum_only() {
        let now = Instant::now();
        let mut summary = Summary::new(&SummaryOptions::default(), now);
        summary.observe(2.5, now);
        assert_eq!(summary.quantiles(now).len(), 0);
        assert_eq!((summary.count, summary.sum), (1, 2.5));
    }
}
