//! Pages of format 0.0.4 as scripts write them, put in order.

use std::collections::{HashMap, HashSet};

use super::{
    ParseError,
    cursor::Cursor,
    error::Fault,
    kind::{Format, ParsedKind},
    labels,
    model::Label,
    number::float,
};

/// A page in order, and where its lines come from.
#[derive(Clone, Debug)]
pub struct Tidy {
    /// The page, without blank lines and comments.
    pub text: String,
    /// By line of `text`: the line of the original, from 1.
    lines: Vec<usize>,
    /// Lines of the original, from 1, that are left out because an earlier line has the same name and labels.
    pub repeated: Vec<usize>,
}

impl Tidy {
    /// The place that an error in the text has in the original.
    pub fn locate(&self, error: ParseError) -> ParseError {
        ParseError {
            line: self.line(error.line),
            ..error
        }
    }

    /// The line of the original, from 1, that a line of the text, from 1, was.
    pub fn line(&self, line: usize) -> usize {
        let original = line.checked_sub(1).and_then(|place| self.lines.get(place));
        original.copied().unwrap_or(line)
    }
}

/// Brings the lines of each family together, its `# HELP` line first, and leaves out series that come again: the first
/// one counts. prometheus/common's parser and client_golang's gatherer, and so node_exporter, take such pages in the same
/// way. What [`text()`](super::text()) takes it takes afterwards too, and finds the same in it.
///
/// # Errors
///
/// A line of which not even the name and the labels can be read.
pub fn tidy(input: &str) -> Result<Tidy, ParseError> {
    let mut families = Families::default();
    let mut repeated = Vec::new();
    let mut seen = HashSet::new();
    let mut offset = 0;
    for (place, line) in input.split_inclusive('\n').enumerate() {
        let number = place + 1;
        let fault = |fault: Fault| {
            let error = fault.locate(line);
            ParseError {
                line: number,
                ..error
            }
        };
        let head = head(line).map_err(fault)?;
        if !line.ends_with('\n') && !matches!(head, Head::Nothing) {
            let message = "expected the end of the line, found the end of the page";
            return Err(fault(Fault::new(line.len(), message)));
        }
        match head {
            Head::Nothing => {}
            Head::Help(name) => families.of(name).help.push((number, offset)),
            Head::Type(name, kind) => {
                let family = families.of(name);
                family.kind = family.kind.or(kind);
                family.rest.push((number, offset));
            }
            Head::Sample { series, is_plain } => {
                let family = families.of_sample(&series.0);
                // What is no plain number is for the reader to refuse.
                if seen.insert(series) || !is_plain {
                    family.rest.push((number, offset));
                } else {
                    repeated.push(number);
                }
            }
        }
        offset += line.len();
    }
    let mut text = String::with_capacity(input.len() + 1);
    let mut lines = Vec::new();
    for (number, start) in families.all.iter().flat_map(Family::lines) {
        let line = &input[*start..];
        text.push_str(line.split_inclusive('\n').next().unwrap_or_default());
        lines.push(*number);
    }
    Ok(Tidy {
        text,
        lines,
        repeated,
    })
}

/// Pairs of line number and offset.
type Lines = Vec<(usize, usize)>;

#[derive(Debug, Default)]
struct Families {
    all: Vec<Family>,
    by_name: HashMap<String, usize>,
}

#[derive(Debug, Default)]
struct Family {
    kind: Option<ParsedKind>,
    help: Lines,
    rest: Lines,
}

impl Family {
    fn lines(&self) -> impl Iterator<Item = &(usize, usize)> {
        self.help.iter().chain(&self.rest)
    }
}

impl Families {
    fn of(&mut self, name: String) -> &mut Family {
        let place = *self.by_name.entry(name).or_insert_with(|| {
            self.all.push(Family::default());
            self.all.len() - 1
        });
        &mut self.all[place]
    }

    /// The family of a sample: one of its own name, or a histogram or summary that has such samples.
    fn of_sample(&mut self, name: &str) -> &mut Family {
        let has = |kind: ParsedKind, suffix: &str| {
            let known = kind.suffixes(Format::Text);
            known.iter().any(|each| each.text() == suffix)
        };
        let base = ["_bucket", "_count", "_sum"]
            .into_iter()
            .find_map(|suffix| {
                let base = name.strip_suffix(suffix)?;
                let kind = self.all[*self.by_name.get(base)?].kind?;
                has(kind, suffix).then_some(base)
            });
        match base {
            Some(base) if !self.by_name.contains_key(name) => self.of(base.to_owned()),
            _ => self.of(name.to_owned()),
        }
    }
}

/// Name and labels of a line, sorted, without those that are empty.
type Series = (String, Vec<(String, String)>);

enum Head {
    /// A blank line or a comment.
    Nothing,
    Help(String),
    Type(String, Option<ParsedKind>),
    Sample {
        series: Series,
        /// Whether a number follows and nothing else.
        is_plain: bool,
    },
}

fn head(line: &str) -> Result<Head, Fault> {
    let mut cursor = Cursor::new(line);
    cursor.skip_blanks();
    match cursor.peek() {
        None | Some(b'\n') => return Ok(Head::Nothing),
        Some(b'#') => {}
        Some(_) => {
            let mut labels = Vec::new();
            let name = labels::head(&mut cursor, Format::Text, &mut labels)?;
            let present = labels.iter().filter(|label| !label.raw_value.is_empty());
            let pair = |label: &Label<'_>| (label.name().into_owned(), label.value().into_owned());
            let mut pairs: Vec<_> = present.map(pair).collect();
            pairs.sort_unstable();
            cursor.skip_blanks();
            let is_number = float(cursor.word()).is_some();
            cursor.skip_blanks();
            return Ok(Head::Sample {
                series: (name.into_owned(), pairs),
                is_plain: is_number && cursor.peek() == Some(b'\n'),
            });
        }
    }
    cursor.skip();
    cursor.skip_blanks();
    let keyword = cursor.word();
    if !matches!(keyword, "HELP" | "TYPE") {
        return Ok(Head::Nothing);
    }
    cursor.skip_blanks();
    let name = labels::name(&mut cursor, Format::Text)?.into_owned();
    if keyword == "HELP" {
        return Ok(Head::Help(name));
    }
    cursor.skip_blanks();
    let kind = ParsedKind::from_word(cursor.word(), Format::Text);
    Ok(Head::Type(name, kind))
}
