//! The lines of text format 0.0.4.

use super::{
    cursor::Cursor,
    error::Fault,
    kind::{Format, ParsedKind},
    labels,
    model::ParsedFamily,
    number::{Timestamp, float},
    page::{Line, Page},
    strings,
};

const FORMAT: Format = Format::Text;

pub(super) fn read(input: &str) -> Result<Vec<ParsedFamily<'_>>, Fault> {
    let mut cursor = Cursor::new(input);
    let mut page = Page::new(FORMAT, input)?;
    let mut line = Line::default();
    loop {
        cursor.skip_blanks();
        match cursor.peek() {
            None => return page.finish(),
            Some(b'\n') => {}
            Some(b'#') => comment(&mut cursor, &mut page)?,
            Some(_) => {
                sample(&mut cursor, &mut line)?;
                page.add(&mut line)?;
            }
        }
        cursor.expect(b'\n', "the end of the line")?;
    }
}

/// Reads `name{labels} value timestamp` up to the end of its line.
fn sample<'a>(cursor: &mut Cursor<'a>, line: &mut Line<'a>) -> Result<(), Fault> {
    line.at = cursor.at();
    line.name = labels::head(cursor, FORMAT, &mut line.labels)?;
    cursor.skip_blanks();
    line.value_at = cursor.at();
    let word = cursor.word();
    line.value = match float(word) {
        Some(value) => value,
        None if word.is_empty() => return Err(cursor.expected("a value")),
        None => {
            let message = format!("expected a number as value, found {word:?}");
            return Err(Fault::new(line.value_at, message));
        }
    };
    cursor.skip_blanks();
    let at = cursor.at();
    let word = cursor.word();
    line.timestamp = None;
    if !word.is_empty() {
        let Ok(millis) = word.parse() else {
            let message = format!("expected whole milliseconds as timestamp, found {word:?}");
            return Err(Fault::new(at, message));
        };
        line.timestamp = Some(Timestamp::from_millis(millis));
        cursor.skip_blanks();
    }
    Ok(())
}

/// Reads a line that begins with `#`, up to its end.
fn comment<'a>(cursor: &mut Cursor<'a>, page: &mut Page<'a>) -> Result<(), Fault> {
    let at = cursor.at();
    cursor.skip();
    cursor.skip_blanks();
    let keyword = cursor.word();
    if !matches!(keyword, "HELP" | "TYPE") {
        cursor.rest_of_line();
        return Ok(());
    }
    cursor.skip_blanks();
    let name = labels::name(cursor, FORMAT)?;
    if !matches!(cursor.peek(), None | Some(b' ' | b'\t' | b'\n')) {
        return Err(cursor.expected("a blank after the metric name"));
    }
    cursor.skip_blanks();
    if keyword == "HELP" {
        let family = page.describe(name, at)?;
        if family.help.is_some() {
            let message = format!(
                "expected one HELP line, found a second one for {:?}",
                family.name
            );
            return Err(Fault::new(at, message));
        }
        family.help = Some(strings::help(cursor, FORMAT.other_escapes())?);
        return Ok(());
    }
    let family = page.describe(name, at)?;
    if family.typed {
        let message = format!(
            "expected one TYPE line, found a second one for {:?}",
            family.name
        );
        return Err(Fault::new(at, message));
    }
    let kind_at = cursor.at();
    let word = cursor.word();
    let Some(kind) = ParsedKind::from_word(word, FORMAT) else {
        return Err(Fault::new(
            kind_at,
            format!("expected counter, gauge, histogram, summary or untyped, found {word:?}"),
        ));
    };
    cursor.skip_blanks();
    page.set_kind(kind, kind_at)
}
