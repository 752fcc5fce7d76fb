//! What the lines of one metric say together.

use std::borrow::Cow;

use super::{
    error::Fault,
    kind::{Format, ParsedKind, Suffix},
    rules::Mark,
};

/// The lines of one metric with one timestamp, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct Point<'a> {
    /// Of its first line, in bytes.
    at: usize,
    has_total: bool,
    has_created: bool,
    count: Option<f64>,
    sum: Option<f64>,
    /// The latest `le` or `quantile`, and the count of that bucket.
    bound: Option<f64>,
    cumulative: f64,
    has_negative_bounds: bool,
    /// Quantiles of OpenMetrics, which may come in any order.
    quantiles: Vec<f64>,
    states: Vec<Cow<'a, str>>,
}

impl<'a> Point<'a> {
    pub(super) fn new(at: usize) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    /// Takes a line in. The error is a sentence.
    pub(super) fn add(
        &mut self,
        format: Format,
        suffix: Suffix,
        mark: Mark<'a>,
        value: f64,
    ) -> Result<(), String> {
        let is_first = match (suffix, mark) {
            (Suffix::Bucket, Mark::Bound(bound)) => return self.add_bucket(bound, value),
            (_, Mark::Bound(quantile)) => return self.add_quantile(format, quantile),
            (_, Mark::State(state)) => {
                self.states.push(state);
                true
            }
            (Suffix::Total, _) => !std::mem::replace(&mut self.has_total, true),
            (Suffix::Created, _) => !std::mem::replace(&mut self.has_created, true),
            (Suffix::Count | Suffix::GCount, _) => self.count.replace(value).is_none(),
            (Suffix::Sum | Suffix::GSum, _) => self.sum.replace(value).is_none(),
            _ => true,
        };
        if is_first {
            return Ok(());
        }
        Err("expected each sample once, found it again".to_owned())
    }

    fn add_bucket(&mut self, bound: f64, value: f64) -> Result<(), String> {
        if let Some(before) = self.bound.replace(bound)
            && bound <= before
        {
            return Err(format!(
                "expected buckets in ascending order, found le {bound} after {before}"
            ));
        }
        let before = std::mem::replace(&mut self.cumulative, value);
        if !(value >= before) {
            return Err(format!(
                "expected cumulative buckets, found {value} after {before}"
            ));
        }
        self.has_negative_bounds |= bound < 0.0;
        Ok(())
    }

    fn add_quantile(&mut self, format: Format, quantile: f64) -> Result<(), String> {
        if format == Format::OpenMetrics {
            self.quantiles.push(quantile);
            return Ok(());
        }
        match self.bound.replace(quantile) {
            Some(before) if quantile <= before => Err(format!(
                "expected quantiles in ascending order, found {quantile} after {before}"
            )),
            _ => Ok(()),
        }
    }

    /// Checks what can be said only when all lines are there.
    pub(super) fn finish(
        &mut self,
        kind: ParsedKind,
        format: Format,
        name: &str,
    ) -> Result<(), Fault> {
        let complaint = match kind {
            ParsedKind::Histogram | ParsedKind::GaugeHistogram => {
                self.finish_histogram(kind, format, name)
            }
            ParsedKind::Summary => {
                self.quantiles.sort_unstable_by(f64::total_cmp);
                let twice = self.quantiles.windows(2).find(|pair| pair[0] == pair[1]);
                twice.map(|pair| {
                    format!(
                        "expected each quantile of {name:?} once, found {} twice",
                        pair[0]
                    )
                })
            }
            ParsedKind::StateSet => {
                self.states.sort_unstable();
                let twice = self.states.windows(2).find(|pair| pair[0] == pair[1]);
                twice.map(|pair| {
                    format!(
                        "expected each state of {name:?} once, found {:?} twice",
                        pair[0]
                    )
                })
            }
            ParsedKind::Counter if !self.has_total => Some(format!(
                "expected a sample \"{name}_total\", found only its creation time"
            )),
            _ => None,
        };
        complaint.map_or(Ok(()), |message| Err(Fault::new(self.at, message)))
    }

    fn finish_histogram(&self, kind: ParsedKind, format: Format, name: &str) -> Option<String> {
        let is_gauge = kind == ParsedKind::GaugeHistogram;
        let (count, sum) = if is_gauge {
            ("_gcount", "_gsum")
        } else {
            ("_count", "_sum")
        };
        if self.bound != Some(f64::INFINITY) {
            return Some(format!(
                "expected a bucket with le \"+Inf\" in every histogram of {name:?}"
            ));
        }
        if let Some(found) = self.count.filter(|found| *found != self.cumulative) {
            let wanted = self.cumulative;
            return Some(format!(
                "expected \"{name}{count}\" to be {wanted}, as its +Inf bucket, found {found}"
            ));
        }
        if format == Format::Text {
            return match self.count {
                None => Some(format!(
                    "expected a sample \"{name}{count}\" for every histogram of {name:?}"
                )),
                Some(_) => None,
            };
        }
        match (self.count, self.sum) {
            (None, Some(_)) => Some(format!("expected \"{name}{count}\" beside \"{name}{sum}\"")),
            (Some(_), None) => Some(format!("expected \"{name}{sum}\" beside \"{name}{count}\"")),
            (_, Some(_)) if !is_gauge && self.has_negative_bounds => Some(format!(
                "expected no \"{name}{sum}\" in a histogram with negative buckets, where it could fall"
            )),
            (_, Some(found)) if is_gauge && found < 0.0 && !self.has_negative_bounds => {
                Some(format!(
                    "expected \"{name}{sum}\" not to be negative without negative buckets, found {found}"
                ))
            }
            _ => None,
        }
    }
}
