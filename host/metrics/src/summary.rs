//! One series of a summary: quantiles over a sliding window, count and sum over all time.

use std::time::{Duration, Instant};

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
        }
    }

    pub(crate) fn observe(&mut self, value: f64, now: Instant) {
        self.rotate(now);
        self.count += 1;
        self.sum += value;
        for stream in &mut self.streams {
            stream.insert(value);
        }
    }

    /// Pairs of quantile and value, in the order of the objectives; NaN where the window holds nothing.
    pub(crate) fn quantiles(&mut self, now: Instant) -> impl Iterator<Item = (f64, f64)> {
        self.rotate(now);
        let Self {
            quantiles,
            streams,
            head,
            ..
        } = self;
        let mut head = streams.get_mut(*head);
        quantiles.iter().map(move |q| {
            (
                *q,
                head.as_mut().map_or(f64::NAN, |stream| stream.query(*q)),
            )
        })
    }

    fn rotate(&mut self, now: Instant) {
        if self.streams.is_empty() || now < self.head_ends {
            return;
        }
        let late = now.duration_since(self.head_ends).as_nanos() / self.step.as_nanos() + 1;
        let late = u32::try_from(late).unwrap_or(u32::MAX);
        for _ in 0..late.min(self.streams.len() as u32) {
            self.streams[self.head].clear();
            self.head = (self.head + 1) % self.streams.len();
        }
        self.head_ends += self.step * late;
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

    fn median(summary: &mut Summary, now: Instant) -> f64 {
        summary.quantiles(now).next().expect("one objective").1
    }

    #[test]
    fn forgets_step_by_step() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut summary = Summary::new(&options(), start);
        summary.observe(1.0, at(0));
        summary.observe(5.0, at(41));
        assert_eq!(median(&mut summary, at(49)), 1.0);
        assert_eq!(median(&mut summary, at(51)), 5.0);
        assert!(median(&mut summary, at(100)).is_nan());
        assert_eq!((summary.count, summary.sum), (2, 6.0));
    }

    #[test]
    fn a_long_silence_is_one_step() {
        let start = Instant::now();
        let mut summary = Summary::new(&options(), start);
        summary.observe(1.0, start);
        let later = start + Duration::from_secs(1_000_000);
        assert!(median(&mut summary, later).is_nan());
        summary.observe(2.0, later);
        assert_eq!(median(&mut summary, later), 2.0);
    }

    #[test]
    fn without_objectives_there_is_count_and_sum_only() {
        let now = Instant::now();
        let mut summary = Summary::new(&SummaryOptions::default(), now);
        summary.observe(2.5, now);
        assert_eq!(summary.quantiles(now).count(), 0);
        assert_eq!((summary.count, summary.sum), (1, 2.5));
    }
}
