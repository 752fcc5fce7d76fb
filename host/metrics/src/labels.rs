//! Label text: the inside of the braces, rendered and escaped once when a series is made.
//!
//! `code="404",method="POST"`, sorted by label name, as every text format writes it. The text is also the identity of
//! a series within its family: names and their order are the family's, so equal text means equal labels.

use std::cmp::Ordering;

use crate::desc::Desc;

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
                Part {
                    lead: format!("{comma}{name}=\"").into_bytes().into(),
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

    /// The text that a label has among those of a series with this value.
    pub(crate) fn matcher(name: &str, value: &str) -> Vec<u8> {
        let mut text = format!("{name}=\"").into_bytes();
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

/// The labels of a text, one after the other: `code="404"`.
pub(crate) fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let open = rest.iter().position(|byte| *byte == b'"')? + 1;
        let mut end = open;
        while *rest.get(end)? != b'"' {
            end += if rest[end] == b'\\' { 2 } else { 1 };
        }
        let label = rest.get(..=end)?;
        rest = rest.get(end + 2..).unwrap_or_default();
        Some(label)
    })
}

/// Whether a label text contains all of these labels, each as [`Template::matcher`] writes it.
pub(crate) fn has_all(text: &[u8], labels: &[Vec<u8>]) -> bool {
    labels
        .iter()
        .all(|wanted| split(text).any(|label| label == wanted.as_slice()))
}

/// The order in which client_golang writes the series of a family: by label values, in the order of label names. Both
/// texts have the same label names.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let Some(at) = a.iter().zip(b).position(|(x, y)| x != y) else {
        return a.len().cmp(&b.len());
    };
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
        let labels: Vec<_> = split(&text).collect();
        assert_eq!(
            labels,
            [br#"a="x\",b=\"y\\""#.as_slice(), br#"b="""#.as_slice()]
        );
        assert_eq!(split(b"").count(), 0);
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
            let labels: Vec<Vec<u8>> = split(&text).map(<[u8]>::to_vec).collect();
            let wanted: Vec<Vec<u8>> = ["a", "b", "c"]
                .iter()
                .zip(&values)
                .map(|(name, value)| Template::matcher(name, value))
                .collect();
            prop_assert_eq!(labels, wanted);
        }
    }
}
