//! What stands before the value of a sample: its name and labels, in braces or not.

use std::borrow::Cow;

use super::{
    cursor::Cursor,
    error::Fault,
    kind::Format,
    model::Label,
    strings::{OtherEscapes, quoted, unescape},
};

impl Format {
    pub(super) fn other_escapes(self) -> OtherEscapes {
        match self {
            Self::Text => OtherEscapes::Refused,
            Self::OpenMetrics => OtherEscapes::Literal,
        }
    }

    /// Moves past blanks where format 0.0.4 allows them and OpenMetrics does not.
    fn skip_blanks(self, cursor: &mut Cursor<'_>) {
        if self == Self::Text {
            cursor.skip_blanks();
        }
    }
}

/// Reads a metric name as `# TYPE` lines have it: bare, or in quotes if it may be any text.
pub(super) fn name<'a>(cursor: &mut Cursor<'a>, format: Format) -> Result<Cow<'a, str>, Fault> {
    if cursor.peek() != Some(b'"') {
        return cursor.metric_name().map(Cow::Borrowed);
    }
    let at = cursor.at();
    let name = quoted(cursor, format.other_escapes(), "the metric name")?;
    if name.is_empty() {
        return Err(Fault::new(at, "expected a metric name, found an empty one"));
    }
    Ok(unescape(name))
}

/// Reads `name{label="value",…}` or `{"name",label="value",…}`; `labels` is replaced.
pub(super) fn head<'a>(
    cursor: &mut Cursor<'a>,
    format: Format,
    labels: &mut Vec<Label<'a>>,
) -> Result<Cow<'a, str>, Fault> {
    labels.clear();
    let start = cursor.at();
    if !cursor.eat(b'{') {
        let name = cursor.metric_name()?;
        format.skip_blanks(cursor);
        if cursor.eat(b'{') {
            format.skip_blanks(cursor);
            pairs(cursor, format, labels, start)?;
        }
        return Ok(Cow::Borrowed(name));
    }
    format.skip_blanks(cursor);
    let at = cursor.at();
    if cursor.peek() != Some(b'"') {
        return Err(cursor.expected("a metric name in quotes, first in the braces"));
    }
    let name = name(cursor, format)?;
    format.skip_blanks(cursor);
    match cursor.peek() {
        Some(b'}') => cursor.skip(),
        Some(b',') => {
            cursor.skip();
            format.skip_blanks(cursor);
            if format == Format::OpenMetrics && cursor.peek() == Some(b'}') {
                return Err(cursor.expected("a label after the comma"));
            }
            pairs(cursor, format, labels, start)?;
        }
        Some(b'=') => {
            let message =
                "expected a metric name before the braces or first in them, found a label";
            return Err(Fault::new(at, message));
        }
        _ => return Err(cursor.expected("',' or '}' after the metric name")),
    }
    Ok(name)
}

/// Reads the labels of an exemplar, braces included.
pub(super) fn exemplar<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<Label<'a>>, Fault> {
    let start = cursor.at();
    cursor.expect(b'{', "'{' before the labels of the exemplar")?;
    let mut labels = Vec::new();
    pairs(cursor, Format::OpenMetrics, &mut labels, start)?;
    Ok(labels)
}

/// Reads `label="value",…` and the closing brace; `start` is where the error of a repeated label points to.
fn pairs<'a>(
    cursor: &mut Cursor<'a>,
    format: Format,
    labels: &mut Vec<Label<'a>>,
    start: usize,
) -> Result<(), Fault> {
    if cursor.eat(b'}') {
        return Ok(());
    }
    // Most writers sort labels by name, and then none can come twice.
    let mut is_sorted = true;
    let mut before = "";
    loop {
        let at = cursor.at();
        let raw_name = label_name(cursor, format)?;
        if raw_name.starts_with("__") {
            let message =
                format!("expected a label name without the reserved '__', found {raw_name:?}");
            return Err(Fault::new(at, message));
        }
        format.skip_blanks(cursor);
        cursor.expect(b'=', "'=' after the label name")?;
        format.skip_blanks(cursor);
        let raw_value = quoted(cursor, format.other_escapes(), "the label value")?;
        labels.push(Label {
            raw_name,
            raw_value,
        });
        is_sorted = is_sorted && precedes(before, raw_name);
        before = raw_name;
        format.skip_blanks(cursor);
        if cursor.eat(b'}') {
            break;
        }
        cursor.expect(b',', "',' or '}' after the label value")?;
        format.skip_blanks(cursor);
        // Only format 0.0.4 allows a comma after the last label.
        if format == Format::Text && cursor.eat(b'}') {
            break;
        }
    }
    if is_sorted {
        return Ok(());
    }
    check_unique(labels, start)
}

/// Whether a label name stands before another in the order of bytes; the first bytes nearly always say so. Names with
/// escapes are not known to.
fn precedes(a: &str, b: &str) -> bool {
    a.as_bytes().first() < b.as_bytes().first() || a < b && !a.contains('\\') && !b.contains('\\')
}

fn label_name<'a>(cursor: &mut Cursor<'a>, format: Format) -> Result<&'a str, Fault> {
    if cursor.peek() != Some(b'"') {
        return cursor.label_name();
    }
    let at = cursor.at();
    let name = quoted(cursor, format.other_escapes(), "the label name")?;
    if name.is_empty() {
        return Err(Fault::new(at, "expected a label name, found an empty one"));
    }
    Ok(name)
}

fn check_unique(labels: &[Label<'_>], at: usize) -> Result<(), Fault> {
    let mut names: Vec<_> = labels.iter().map(Label::name).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Fault::new(
            at,
            format!("expected each label once, found {:?} twice", pair[0]),
        )),
        None => Ok(()),
    }
}
