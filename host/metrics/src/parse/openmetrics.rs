//! The lines of OpenMetrics 1.0.0.

use super::{
    cursor::Cursor,
    error::Fault,
    kind::{Format, ParsedKind},
    labels,
    model::{Exemplar, ParsedFamily},
    number::{Timestamp, float},
    page::{Line, Page},
    strings,
};

const FORMAT: Format = Format::OpenMetrics;

/// How many characters the labels of an exemplar may have, names and values together.
const MAX_EXEMPLAR_CHARS: usize = 128;

pub(super) fn read(input: &str) -> Result<Vec<ParsedFamily<'_>>, Fault> {
    let mut cursor = Cursor::new(input);
    let mut page = Page::new(FORMAT, input)?;
    let mut line = Line::default();
    loop {
        match cursor.peek() {
            None => return Err(cursor.expected("a last line '# EOF'")),
            Some(b'#') => {
                if descriptor(&mut cursor, &mut page)? {
                    break;
                }
            }
            Some(_) => {
                sample(&mut cursor, &mut line)?;
                page.add(&mut line)?;
            }
        }
        cursor.expect(b'\n', "the end of the line")?;
    }
    cursor.eat(b'\n');
    if !cursor.is_at_end() {
        return Err(cursor.expected("the end of the page after '# EOF'"));
    }
    page.finish()
}

/// Reads `name{labels} value timestamp # exemplar` up to the end of its line.
fn sample<'a>(cursor: &mut Cursor<'a>, line: &mut Line<'a>) -> Result<(), Fault> {
    line.at = cursor.at();
    line.name = labels::head(cursor, FORMAT, &mut line.labels)?;
    cursor.expect(b' ', "one blank before the value")?;
    line.value_at = cursor.at();
    line.value = value(cursor)?;
    line.timestamp = None;
    line.exemplar = None;
    if !cursor.eat(b' ') {
        return Ok(());
    }
    if cursor.peek() != Some(b'#') {
        line.timestamp = Some(timestamp(cursor)?);
        if !cursor.eat(b' ') {
            return Ok(());
        }
    }
    cursor.expect(b'#', "'#' before an exemplar")?;
    cursor.expect(b' ', "one blank before the labels of the exemplar")?;
    line.exemplar = Some(Box::new(exemplar(cursor)?));
    Ok(())
}

fn exemplar<'a>(cursor: &mut Cursor<'a>) -> Result<Exemplar<'a>, Fault> {
    let at = cursor.at();
    let labels = labels::exemplar(cursor)?;
    let chars: usize = labels
        .iter()
        .map(|label| label.name().chars().count() + label.value().chars().count())
        .sum();
    if chars > MAX_EXEMPLAR_CHARS {
        let message = format!(
            "expected at most {MAX_EXEMPLAR_CHARS} characters in the labels of an exemplar, found {chars}"
        );
        return Err(Fault::new(at, message));
    }
    cursor.expect(b' ', "one blank before the value of the exemplar")?;
    let value = value(cursor)?;
    let timestamp = if cursor.eat(b' ') {
        Some(timestamp(cursor)?)
    } else {
        None
    };
    Ok(Exemplar {
        labels,
        value,
        timestamp,
    })
}

fn value(cursor: &mut Cursor<'_>) -> Result<f64, Fault> {
    let at = cursor.at();
    match cursor.word() {
        "" => Err(cursor.expected("a value")),
        word => float(word)
            .ok_or_else(|| Fault::new(at, format!("expected a number as value, found {word:?}"))),
    }
}

fn timestamp(cursor: &mut Cursor<'_>) -> Result<Timestamp, Fault> {
    let at = cursor.at();
    match cursor.word() {
        "" => Err(cursor.expected("a timestamp")),
        word => Timestamp::from_seconds_text(word).ok_or_else(|| {
            Fault::new(at, format!("expected seconds as timestamp, found {word:?}"))
        }),
    }
}

/// Reads a line that begins with `#` up to its end. Returns whether it was `# EOF`.
fn descriptor<'a>(cursor: &mut Cursor<'a>, page: &mut Page<'a>) -> Result<bool, Fault> {
    let at = cursor.at();
    cursor.skip();
    cursor.expect(b' ', "one blank after '#'")?;
    let keyword_at = cursor.at();
    let keyword = cursor.word();
    if keyword == "EOF" {
        return Ok(true);
    }
    if !matches!(keyword, "HELP" | "TYPE" | "UNIT") {
        let message = format!("expected HELP, TYPE, UNIT or EOF, found {keyword:?}");
        return Err(Fault::new(keyword_at, message));
    }
    cursor.expect(b' ', "one blank before the metric name")?;
    let name = labels::name(cursor, FORMAT)?;
    cursor.expect(b' ', "one blank after the metric name")?;
    let family = page.describe(name, at)?;
    let is_second = match keyword {
        "HELP" => family.help.is_some(),
        "TYPE" => family.typed,
        _ => family.unit.is_some(),
    };
    if is_second {
        let message = format!(
            "expected one {keyword} line, found a second one for {:?}",
            family.name
        );
        return Err(Fault::new(at, message));
    }
    let text_at = cursor.at();
    if keyword == "HELP" {
        family.help = Some(strings::help(cursor, FORMAT.other_escapes())?);
        return Ok(false);
    }
    let word = cursor.rest_of_line();
    if keyword == "TYPE" {
        let Some(kind) = ParsedKind::from_word(word, FORMAT) else {
            let message = format!(
                "expected counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown, found {word:?}"
            );
            return Err(Fault::new(text_at, message));
        };
        page.set_kind(kind, text_at)?;
    } else {
        family.unit = Some(word.into());
    }
    page.check_unit(text_at)?;
    Ok(false)
}
