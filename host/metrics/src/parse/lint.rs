//! What Prometheus' own linter (promlint, which `promtool check metrics` runs) says of a page that is in order.

use std::fmt;

use super::{
    kind::ParsedKind,
    model::{Label, ParsedFamily},
};

/// Advice about one family; the text is promlint's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// [`ParsedFamily::full_name`].
    pub metric: String,
    /// What to do about it.
    pub text: String,
}

impl fmt::Display for Problem {
    /// As promtool prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.metric, self.text)
    }
}

/// Units and the base unit to use in place of each, which may be itself.
const UNITS: [(&str, &str); 24] = [
    ("amperes", "amperes"),
    ("bytes", "bytes"),
    ("celsius", "celsius"),
    ("grams", "grams"),
    ("joules", "joules"),
    ("kelvin", "kelvin"),
    ("meters", "meters"),
    ("metres", "metres"),
    ("seconds", "seconds"),
    ("volts", "volts"),
    ("minutes", "seconds"),
    ("hours", "seconds"),
    ("days", "seconds"),
    ("weeks", "seconds"),
    ("kelvins", "kelvin"),
    ("fahrenheit", "celsius"),
    ("rankine", "celsius"),
    ("inches", "meters"),
    ("yards", "meters"),
    ("miles", "meters"),
    ("bits", "bytes"),
    ("calories", "joules"),
    ("pounds", "grams"),
    ("ounces", "grams"),
];

/// As promlint has them, "mibi" included.
const PREFIXES: [&str; 18] = [
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega",
    "mibi", "giga", "gibi", "tera", "tebi", "peta", "pebi",
];

const ABBREVIATIONS: [&str; 14] = [
    "s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d",
];

const TYPES: [&str; 5] = [
    "counter",
    "gauge",
    "summary",
    "histogram",
    "gauge_histogram",
];

/// Checks families against the naming conventions, sorted by family and text, each once. Families without samples are
/// passed over, as promtool does.
pub fn lint(families: &[ParsedFamily<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for family in families.iter().filter(|family| !family.rows.is_empty()) {
        let name = family.full_name();
        let mut report = |text: String| {
            let metric = name.clone().into_owned();
            problems.push(Problem { metric, text });
        };
        if family.help.as_deref().unwrap_or_default().is_empty() {
            report("no help text".to_owned());
        }
        lint_unit(&name, &mut report);
        lint_suffixes(family.kind, &name, &mut report);
        lint_words(&name, &mut report);
        // A family of a million series has few label names.
        let mut last = Vec::new();
        for row in &family.rows {
            let labels = family.row_labels(row);
            let names = || labels.iter().map(Label::name);
            if !names().eq(last.iter().cloned()) {
                last.clear();
                last.extend(names());
                last.iter()
                    .for_each(|label| lint_label(family.kind, label, &mut report));
            }
        }
    }
    problems.sort_unstable();
    problems.dedup();
    problems
}

fn lint_unit(name: &str, report: &mut impl FnMut(String)) {
    let found = name.split('_').find_map(|word| {
        let base = UNITS.iter().find_map(|(unit, base)| {
            let prefix = word.strip_suffix(unit)?;
            (prefix.is_empty() || PREFIXES.contains(&prefix)).then_some(*base)
        })?;
        (word != base).then_some((word, base))
    });
    if let Some((word, base)) = found {
        report(format!("use base unit {base:?} instead of {word:?}"));
    }
}

fn lint_suffixes(kind: ParsedKind, name: &str, report: &mut impl FnMut(String)) {
    let has_total = name.ends_with("_total");
    if kind == ParsedKind::Counter && !has_total {
        report("counter metrics should have \"_total\" suffix".to_owned());
    }
    // Nobody knows what an untyped metric should be called.
    if kind == ParsedKind::Untyped {
        return;
    }
    if kind != ParsedKind::Counter && has_total {
        report("non-counter metrics should not have \"_total\" suffix".to_owned());
    }
    let is_histogram = kind == ParsedKind::Histogram;
    if !is_histogram && name.ends_with("_bucket") {
        report("non-histogram metrics should not have \"_bucket\" suffix".to_owned());
    }
    if is_histogram || kind == ParsedKind::Summary {
        return;
    }
    for suffix in ["_count", "_sum"] {
        if name.ends_with(suffix) {
            report(format!(
                "non-histogram and non-summary metrics should not have {suffix:?} suffix"
            ));
        }
    }
}

fn lint_words(name: &str, report: &mut impl FnMut(String)) {
    let lower = name.to_ascii_lowercase();
    let has_word = |word: &str| {
        lower
            .split_once('_')
            .is_some_and(|(_, rest)| format!("_{rest}_").contains(&format!("_{word}_")))
    };
    for word in TYPES {
        if has_word(word) {
            report(format!("metric name should not include type '{word}'"));
        }
    }
    if name.contains(':') {
        report("metric names should not contain ':'".to_owned());
    }
    if is_camel_case(name) {
        report("metric names should be written in 'snake_case' not 'camelCase'".to_owned());
    }
    if ABBREVIATIONS.into_iter().any(has_word) {
        report("metric names should not contain abbreviated units".to_owned());
    }
}

fn lint_label(kind: ParsedKind, label: &str, report: &mut impl FnMut(String)) {
    let is_untyped = kind == ParsedKind::Untyped;
    let has_le = matches!(kind, ParsedKind::Histogram | ParsedKind::GaugeHistogram);
    if label == "le" && !has_le && !is_untyped {
        report("non-histogram metrics should not have \"le\" label".to_owned());
    }
    if label == "quantile" && kind != ParsedKind::Summary && !is_untyped {
        report("non-summary metrics should not have \"quantile\" label".to_owned());
    }
    if is_camel_case(label) {
        report("label names should be written in 'snake_case' not 'camelCase'".to_owned());
    }
}

fn is_camel_case(name: &str) -> bool {
    name.as_bytes()
        .windows(2)
        .any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}
