//! The page as it grows: families open and close, every line finds its place.

use std::{borrow::Cow, collections::HashSet};

use foldhash::quality::RandomState;

use super::{
    error::Fault,
    identity::Identities,
    kind::{Format, Suffix},
    model::{Exemplar, Label, ParsedFamily, Row},
    number::Timestamp,
    point::Point,
    rules,
};

/// One line with a value, on its way into its family.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    /// Where it begins, in bytes.
    pub(super) at: usize,
    pub(super) name: Cow<'a, str>,
    pub(super) labels: Vec<Label<'a>>,
    /// Where the value begins, in bytes.
    pub(super) value_at: usize,
    pub(super) value: f64,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) exemplar: Option<Box<Exemplar<'a>>>,
}

/// What was read so far.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) format: Format,
    pub(super) closed: Vec<ParsedFamily<'a>>,
    /// The family of the latest line; before the first, one without a name.
    pub(super) open: ParsedFamily<'a>,
    /// Names of families, and of all samples that their kinds can have.
    pub(super) names: HashSet<Cow<'a, str>, RandomState>,
    identities: Identities,
    /// By number of metric, or only the latest where lines are together; empty for kinds whose metrics are one line each.
    points: Vec<Point<'a>>,
    metrics: u32,
}

impl<'a> Page<'a> {
    /// Starts with an empty page.
    pub(super) fn new(format: Format, input: &str) -> Result<Self, Fault> {
        if u32::try_from(input.len()).is_err() {
            return Err(Fault::new(
                0,
                "expected a page of less than 4 GiB, found a longer one",
            ));
        }
        Ok(Self {
            format,
            closed: Vec::new(),
            open: ParsedFamily::new(Cow::Borrowed(""), format),
            names: HashSet::default(),
            identities: Identities::default(),
            points: Vec::new(),
            metrics: 0,
        })
    }

    /// Puts a line where it belongs, and takes its labels and exemplar.
    pub(super) fn add(&mut self, line: &mut Line<'a>) -> Result<(), Fault> {
        let suffix = self.find(line)?;
        let mark = rules::check(&self.open, suffix, line)?;
        let before = if self.is_together() {
            self.identities.follow(&self.open, &line.labels)
        } else {
            self.identities.enter(&self.open, &line.labels)
        };
        let (metric, is_new) = match before {
            Some(row) => {
                let metric = self.open.rows[row as usize].metric;
                (metric, self.check_again(line, row)?)
            }
            None => {
                self.metrics += 1;
                (self.metrics - 1, true)
            }
        };
        if self.has_points() {
            let mut place = metric as usize;
            if self.is_together() {
                place = 0;
                if is_new {
                    self.finish_points()?;
                }
            }
            if is_new {
                self.points.push(Point::new(line.at));
            }
            self.points[place]
                .add(self.format, suffix, mark, line.value)
                .map_err(|message| Fault::new(line.at, message))?;
        }
        let family = &mut self.open;
        family.rows.push(Row {
            value: line.value,
            timestamp: line.timestamp,
            exemplar: line.exemplar.take(),
            // Lengths of parts of a page that is shorter than 4 GiB.
            offset: line.at as u32,
            first_label: family.labels.len() as u32,
            labels: line.labels.len() as u32,
            metric,
            suffix,
        });
        family.labels.append(&mut line.labels);
        Ok(())
    }

    /// Closes the last family.
    pub(super) fn finish(mut self) -> Result<Vec<ParsedFamily<'a>>, Fault> {
        self.close()?;
        if !self.open.name.is_empty() {
            self.closed.push(self.open);
        }
        Ok(self.closed)
    }

    /// The part that the name of a line has in the open family; a family of its own is opened for any other name.
    fn find(&mut self, line: &Line<'a>) -> Result<Suffix, Fault> {
        let suffixes = self.open.kind.suffixes(self.format);
        if let Some(rest) = line.name.strip_prefix(self.open.name.as_ref())
            && let Some(suffix) = suffixes.iter().find(|suffix| suffix.text() == rest)
        {
            return Ok(*suffix);
        }
        if line.name == self.open.name {
            let wanted: Vec<_> = suffixes.iter().map(|suffix| suffix.text()).collect();
            let (kind, name, wanted) = (self.open.kind.name(), &self.open.name, wanted.join(", "));
            let message = format!(
                "expected samples of {kind} {name:?} to end in {wanted}, found none of them"
            );
            return Err(Fault::new(line.at, message));
        }
        self.open(line.name.clone(), line.at)?;
        Ok(Suffix::None)
    }

    pub(super) fn close(&mut self) -> Result<(), Fault> {
        self.finish_points()?;
        self.check_repeated()?;
        self.identities.clear();
        self.metrics = 0;
        Ok(())
    }

    fn finish_points(&mut self) -> Result<(), Fault> {
        for point in &mut self.points {
            if let Err(fault) = point.finish(self.open.kind, self.format, &self.open.name) {
                // Half a metric is more often one whose other half stands elsewhere.
                self.check_repeated()?;
                return Err(fault);
            }
        }
        self.points.clear();
        Ok(())
    }

    fn check_repeated(&mut self) -> Result<(), Fault> {
        let Some(row) = self.identities.repeated(&self.open) else {
            return Ok(());
        };
        let at = self.open.rows[row as usize].offset as usize;
        Err(Fault::new(at, self.repetition()))
    }
}
