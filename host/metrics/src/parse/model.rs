//! What a page says, as it says it.

use std::{borrow::Cow, fmt};

use super::{
    kind::{Format, ParsedKind, Suffix},
    number::Timestamp,
    strings::unescape,
};

/// A family of a page.
#[derive(Clone, Debug)]
pub struct ParsedFamily<'a> {
    /// As in its `# TYPE` line; in OpenMetrics that is without `_total` or `_info`.
    pub name: Cow<'a, str>,
    /// The text of the `# HELP` line; `None` without one.
    pub help: Option<Cow<'a, str>>,
    /// The type; untyped without a `# TYPE` line.
    pub kind: ParsedKind,
    /// The text of the `# UNIT` line of OpenMetrics.
    pub unit: Option<Cow<'a, str>>,
    /// Whether there was a `# TYPE` line.
    pub(super) typed: bool,
    pub(super) format: Format,
    pub(super) rows: Vec<Row<'a>>,
    /// The labels of all rows, one after the other: one allocation for a million series.
    pub(super) labels: Vec<Label<'a>>,
}

/// One label of a sample or exemplar. It borrows from the page; escapes are undone when it is asked.
#[derive(Clone, Copy)]
pub struct Label<'a> {
    pub(super) raw_name: &'a str,
    pub(super) raw_value: &'a str,
}

/// What a single event that a counter or bucket counted looked like.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar<'a> {
    /// At most 128 characters, names and values together.
    pub labels: Vec<Label<'a>>,
    /// What was observed.
    pub value: f64,
    /// When.
    pub timestamp: Option<Timestamp>,
}

/// One line of a page that holds a value.
#[derive(Clone, Copy, Debug)]
pub struct ParsedSample<'f, 'a> {
    /// The name of the family.
    pub family: &'f str,
    /// What the name of the sample has after that of the family, such as `_bucket`; often nothing.
    pub suffix: &'static str,
    /// In the order of the line; `le` and `quantile` are among them.
    pub labels: &'f [Label<'a>],
    /// The number.
    pub value: f64,
    /// When the value was read, if the line says so.
    pub timestamp: Option<Timestamp>,
    /// Of OpenMetrics.
    pub exemplar: Option<&'f Exemplar<'a>>,
    /// Where the line begins, in bytes from the begin of the page.
    pub offset: usize,
}

/// A sample as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub(super) value: f64,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) exemplar: Option<Box<Exemplar<'a>>>,
    /// In bytes; pages are shorter than 4 GiB.
    pub(super) offset: u32,
    pub(super) first_label: u32,
    pub(super) labels: u32,
    /// Which metric of the family, counted from 0 in the order of first lines.
    pub(super) metric: u32,
    pub(super) suffix: Suffix,
}

impl<'a> ParsedFamily<'a> {
    pub(super) fn new(name: Cow<'a, str>, format: Format) -> Self {
        Self {
            name,
            help: None,
            kind: ParsedKind::Untyped,
            unit: None,
            typed: false,
            format,
            rows: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// The lines of the family, in the order of the page.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = ParsedSample<'_, 'a>> {
        self.rows.iter().map(|row| ParsedSample {
            family: &self.name,
            suffix: row.suffix.text(),
            labels: self.row_labels(row),
            value: row.value,
            timestamp: row.timestamp,
            exemplar: row.exemplar.as_deref(),
            offset: row.offset as usize,
        })
    }

    pub(super) fn row_labels(&self, row: &Row<'_>) -> &[Label<'a>] {
        let first = row.first_label as usize;
        &self.labels[first..first + row.labels as usize]
    }
}

impl<'f> ParsedSample<'f, '_> {
    /// The name of the sample, suffix included.
    pub fn name(&self) -> Cow<'f, str> {
        match self.suffix {
            "" => Cow::Borrowed(self.family),
            suffix => Cow::Owned(format!("{}{suffix}", self.family)),
        }
    }
}

impl<'a> Label<'a> {
    /// Without quotes and escapes.
    pub fn name(&self) -> Cow<'a, str> {
        unescape(self.raw_name)
    }

    /// Without quotes and escapes.
    pub fn value(&self) -> Cow<'a, str> {
        unescape(self.raw_value)
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.raw_name == name || self.raw_name.contains('\\') && self.name() == name
    }
}

impl PartialEq for Label<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.value() == other.value()
    }
}

impl Eq for Label<'_> {}

impl fmt::Debug for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}={:?}", self.name(), self.value())
    }
}
