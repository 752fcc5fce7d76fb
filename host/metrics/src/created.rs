//! When series were opened, which OpenMetrics and protobuf show so that a reader knows a restart from a reset.

use std::time::{Instant, SystemTime};

/// The times at which the series of a block were opened. Series mostly come many at a time, so runs of equal times are
/// kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Created {
    /// Where a run begins, and its time in milliseconds since 1970; `None` for series without one.
    runs: Vec<(u32, Option<i64>)>,
}

impl Created {
    /// Appends the time of the series at `position`, which comes after all others.
    pub(crate) fn push(&mut self, position: usize, millis: Option<i64>) {
        if self.last() != millis {
            self.runs.push((position as u32, millis));
        }
    }

    pub(crate) fn get(&self, position: usize) -> Option<i64> {
        let run = self.runs.partition_point(|run| run.0 as usize <= position);
        self.runs.get(run.checked_sub(1)?)?.1
    }

    fn last(&self) -> Option<i64> {
        self.runs.last()?.1
    }
}

/// Wall-clock time of moments that a monotonic clock gave. What one commit opens has one time, and asks the clock once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    last: Option<(Instant, i64)>,
}

impl Clock {
    /// Milliseconds since 1970.
    pub(crate) fn millis(&mut self, moment: Instant) -> i64 {
        match self.last {
            Some((known, millis)) if known == moment => millis,
            _ => {
                let wall = SystemTime::now().checked_sub(moment.elapsed());
                let since = wall.and_then(|wall| wall.duration_since(SystemTime::UNIX_EPOCH).ok());
                let millis = since.map_or(0, |since| since.as_millis() as i64);
                self.last = Some((moment, millis));
                millis
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_looked_up_by_position() {
        let times = [None, None, Some(5), Some(5), Some(7), None, Some(7)];
        let mut created = Created::default();
        for (position, time) in times.into_iter().enumerate() {
            created.push(position, time);
        }
        assert_eq!(created.runs.len(), 4);
        for (position, time) in times.into_iter().enumerate() {
            assert_eq!(created.get(position), time, "{position}");
        }
    }

    #[test]
    fn one_moment_has_one_time() {
        let mut clock = Clock::default();
        let moment = Instant::now();
        let first = clock.millis(moment);
        std::thread::sleep(std::time::Duration::from_millis(3));
        assert_eq!(clock.millis(moment), first);
        assert!(clock.millis(Instant::now()) > first);
    }
}
