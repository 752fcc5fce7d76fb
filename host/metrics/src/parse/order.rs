//! Which lines of a family may follow each other.

use super::{
    error::Fault,
    kind::{Format, ParsedKind},
    page::{Line, Page},
};

impl Page<'_> {
    /// Whether the lines of each metric of the open family are together. OpenMetrics wants it so, but the labels of an info
    /// are those of its metric and its own, in one.
    pub(super) fn is_together(&self) -> bool {
        match self.format {
            Format::Text => !self.open.kind.is_compound(),
            Format::OpenMetrics => self.open.kind != ParsedKind::Info,
        }
    }

    /// What is wrong with a metric that comes again.
    pub(super) fn repetition(&self) -> &'static str {
        match self.format {
            Format::Text => "expected each series once, found it again",
            Format::OpenMetrics => {
                "expected the lines of each metric together, found this one again after others"
            }
        }
    }

    /// Whether lines of the open family have to agree with each other.
    pub(super) fn has_points(&self) -> bool {
        match self.open.kind {
            ParsedKind::Counter | ParsedKind::StateSet => self.format == Format::OpenMetrics,
            kind => kind.is_compound(),
        }
    }

    /// Checks a line whose metric has lines already, the latest of them `row`. Returns whether a new point begins.
    pub(super) fn check_again(&self, line: &Line<'_>, row: u32) -> Result<bool, Fault> {
        let fault = |message: &str| Err(Fault::new(line.at, message));
        let before = &self.open.rows[row as usize];
        let is_same_time = before.timestamp == line.timestamp;
        if self.format == Format::Text {
            return match (self.has_points(), is_same_time) {
                (true, true) => Ok(false),
                (true, false) => {
                    fault("expected the same timestamp in all lines of one metric, found another")
                }
                (false, _) => fault(self.repetition()),
            };
        }
        match (before.timestamp, line.timestamp) {
            (Some(before), Some(now)) if now > before => Ok(true),
            (Some(before), Some(now)) if now < before => fault(
                "expected the points of each metric in the order of their timestamps, found an earlier one",
            ),
            (Some(_), None) | (None, Some(_)) => {
                fault("expected all points of one metric with a timestamp, or none")
            }
            _ if self.has_points() => Ok(false),
            _ => fault("expected each series once, found it again"),
        }
    }
}
