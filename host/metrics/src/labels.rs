//! Label text: the inside of the braces, rendered and escaped once when a series is made.
//!
//! `code="404",method="POST"`, sorted by label name, as every text format writes it. The text is also the identity of
//! a series within its family: names and their order are the family's, so equal text means equal labels.

use std::{borrow::Cow, cmp::Ordering};

use crate::{desc::Desc, name::is_legacy_label_name};

/// Where a family's label values go.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    parts: Box<[Part]>,
}

#[derive(Clone, Debug)]
struct Part {
    /// `,code="` or, first of all, `code="`.
    lead: Box<[u8]>,
    value: PartValue,
}

#[derive(Clone, Debug)]
enum PartValue {
    /// A constant label, escaped.
    Constant(Box<[u8]>),
    /// The place among the values that come with each series.
    Variable(usize),
}

impl Template {
    pub(crate) fn new(desc: &Desc, const_labels: &[(String, String)]) -> Self {
        let constants = const_labels.iter().map(|(name, value)| {
            let mut text = Vec::new();
            push_escaped(&mut text, value);
            (name.as_str(), PartValue::Constant(text.into()))
        });
        let variables = desc
            .label_names
            .iter()
            .enumerate()
            .map(|(place, name)| (name.as_str(), PartValue::Variable(place)));
        let mut labels: Vec<_> = constants.chain(variables).collect();
        labels.sort_by(|a, b| a.0.cmp(b.0));
        let parts = labels
            .into_iter()
            .enumerate()
            .map(|(place, (name, value))| {
                let comma = if place == 0 { "" } else { "," };
                let mut lead = comma.as_bytes().to_vec();
                push_name(&mut lead, name);
                lead.extend_from_slice(b"=\"");
                Part {
                    lead: lead.into(),
                    value,
                }
            });
        Self {
            parts: parts.collect(),
        }
    }

    /// Appends the label text of a series; `values` are as many as the family has label names.
    pub(crate) fn render<S: AsRef<str>>(&self, values: &[S], out: &mut Vec<u8>) {
        for part in &self.parts {
            out.extend_from_slice(&part.lead);
            match &part.value {
                PartValue::Constant(text) => out.extend_from_slice(text),
                PartValue::Variable(place) => push_escaped(out, values[*place].as_ref()),
            }
            out.push(b'"');
        }
    }

    /// Whether no label name needs quotes.
    pub(crate) fn is_legacy(&self) -> bool {
        self.parts
            .iter()
            .all(|part| !part.lead.iter().take(2).any(|byte| *byte == b'"'))
    }

    /// The text that a label has among those of a series with this value.
    pub(crate) fn matcher(name: &str, value: &str) -> Vec<u8> {
        let mut text = Vec::new();
        push_name(&mut text, name);
        text.extend_from_slice(b"=\"");
        push_escaped(&mut text, value);
        text.push(b'"');
        text
    }
}

/// Appends a label value with `\`, `"` and line feeds escaped.
pub(crate) fn push_escaped(out: &mut Vec<u8>, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'"' => out.extend_from_slice(b"\\\""),
            b'\n' => out.extend_from_slice(b"\\n"),
            _ => out.push(byte),
        }
    }
}

/// Appends a label name, in quotes if it is no legacy name.
fn push_name(out: &mut Vec<u8>, name: &str) {
    if is_legacy_label_name(name) {
        out.extend_from_slice(name.as_bytes());
    } else {
        out.push(b'"');
        push_escaped(out, name);
        out.push(b'"');
    }
}

/// Appends what [`push_escaped`] escaped.
pub(crate) fn push_unescaped(out: &mut Vec<u8>, escaped: &[u8]) {
    let mut bytes = escaped.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' if bytes.as_slice().first() == Some(&b'n') => {
                bytes.next();
                b'\n'
            }
            b'\\' => bytes.next().copied().unwrap_or(b'\\'),
            byte => *byte,
        });
    }
}

/// One label of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label<'a> {
    /// All of it: `code="404"`.
    pub(crate) text: &'a [u8],
    /// The name, escaped if it stands in quotes.
    name: &'a [u8],
    is_quoted: bool,
    /// The value, escaped.
    pub(crate) value: &'a [u8],
}

impl<'a> Label<'a> {
    /// The name as it was given.
    pub(crate) fn name(&self) -> Cow<'a, [u8]> {
        if self.is_quoted {
            let mut name = Vec::new();
            push_unescaped(&mut name, self.name);
            name.into()
        } else {
            self.name.into()
        }
    }
}

/// The labels of a text, one after the other.
pub(crate) fn pairs(text: &[u8]) -> impl Iterator<Item = Label<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_quoted = *rest.first()? == b'"';
        let name_start = usize::from(is_quoted);
        let name_end = if is_quoted {
            closing_quote(rest, 1)?
        } else {
            rest.iter().position(|byte| *byte == b'=')?
        };
        // Behind the name, its quote, `=` and a quote.
        let value_start = name_end + name_start + 2;
        let value_end = closing_quote(rest, value_start)?;
        let label = Label {
            text: &rest[..=value_end],
            name: &rest[name_start..name_end],
            is_quoted,
            value: &rest[value_start..value_end],
        };
        rest = rest.get(value_end + 2..).unwrap_or_default();
        Some(label)
    })
}

/// Where the quoted string that begins at `start` ends.
fn closing_quote(text: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    while *text.get(end)? != b'"' {
        end += if text[end] == b'\\' { 2 } else { 1 };
    }
    Some(end)
}

/// Whether a label text contains all of these labels, each as [`Template::matcher`] writes it.
pub(crate) fn has_all(text: &[u8], labels: &[Vec<u8>]) -> bool {
    labels
        .iter()
        .all(|wanted| pairs(text).any(|label| label.text == wanted.as_slice()))
}

/// The order in which client_golang writes the series of a family: by label values, in the order of label names. Both
/// texts have the same label names.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    // Eight bytes at a time, for they mostly begin alike.
    let alike = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    let alike = 8 * alike.take_while(|(x, y)| x == y).count();
    let mut rest = a[alike..].iter().zip(&b[alike..]);
    let Some(at) = rest.position(|(x, y)| x != y) else {
        return a.len().cmp(&b.len());
    };
    let at = alike + at;
    let escapes = a[..at]
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count();
    let within_escape = escapes % 2 == 1;
    value_byte(a, at, within_escape).cmp(&value_byte(b, at, within_escape))
}

/// The byte of the label value that the text shows at this place; `None` where the value ends, which sorts first.
fn value_byte(text: &[u8], at: usize, within_escape: bool) -> Option<u8> {
    match (within_escape, text[at]) {
        (true, b'n') => Some(b'\n'),
        (true, byte) => Some(byte),
        (false, b'"') => None,
        (false, b'\\') => value_byte(text, at + 1, true),
        (false, byte) => Some(byte),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::desc::Kind;

    fn template(names: &[&str], constants: &[(&str, &str)]) -> Template {
        let desc = Desc::new("x", "", Kind::Gauge).with_labels(names.iter().copied());
        let constants: Vec<_> = constants
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        Template::new(&desc, &constants)
    }

    fn render(template: &Template, values: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        template.render(values, &mut out);
        out
    }

    #[test]
    fn sorted_by_name_and_escaped() {
        let template = template(&["method", "code"], &[("zone", "a\"b")]);
        assert_eq!(
            String::from_utf8(render(&template, &["P\\O\nST", "404"])).expect("UTF-8"),
            r#"code="404",method="P\\O\nST",zone="a\"b""#
        );
    }

    #[test]
    fn splits_into_labels() {
        let text = render(&template(&["a", "b"], &[]), &["x\",b=\"y\\", ""]);
        let labels: Vec<_> = pairs(&text).map(|label| label.text).collect();
        assert_eq!(
            labels,
            [br#"a="x\",b=\"y\\""#.as_slice(), br#"b="""#.as_slice()]
        );
        assert_eq!(pairs(b"").count(), 0);
    }

    #[test]
    fn quotes_names_that_need_it() {
        let template = template(&["my.label", "a\"b\n", "c"], &[]);
        assert!(!template.is_legacy());
        let text = render(&template, &["1\n", "2", "3"]);
        assert_eq!(
            String::from_utf8_lossy(&text),
            r#""a\"b\n"="2",c="3","my.label"="1\n""#
        );
        let pairs: Vec<_> = pairs(&text)
            .map(|label| {
                let mut value = Vec::new();
                push_unescaped(&mut value, label.value);
                let name = String::from_utf8(label.name().into_owned());
                (name.expect("UTF-8"), value)
            })
            .collect();
        let wanted = [("a\"b\n", "2"), ("c", "3"), ("my.label", "1\n")];
        let wanted = wanted.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        assert_eq!(pairs, wanted);
    }

    proptest! {
        #[test]
        fn compares_as_the_values_do(
            a in prop::collection::vec(r#"[a-c" !\\\n\u{e9}]{0,4}"#, 2),
            b in prop::collection::vec(r#"[a-c" !\\\n\u{e9}]{0,4}"#, 2),
        ) {
            let template = template(&["one", "two"], &[]);
            let text = |values: &[String]| {
                let mut out = Vec::new();
                template.render(values, &mut out);
                out
            };
            prop_assert_eq!(compare(&text(&a), &text(&b)), a.cmp(&b));
        }

        #[test]
        fn split_undoes_joining(values in prop::collection::vec(r#"[a",= \\\n]{0,5}"#, 3)) {
            let template = template(&["a", "b", "c"], &[]);
            let mut text = Vec::new();
            template.render(&values, &mut text);
            let labels: Vec<Vec<u8>> = pairs(&text).map(|label| label.text.to_vec()).collect();
            let wanted: Vec<Vec<u8>> = ["a", "b", "c"]
                .iter()
                .zip(&values)
                .map(|(name, value)| Template::matcher(name, value))
                .collect();
            prop_assert_eq!(labels, wanted);
        }
    }
}
