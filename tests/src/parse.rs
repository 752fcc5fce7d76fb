//! A strict reader of text format 0.0.4, written apart from the encoder that it judges.
//!
//! Stricter than the format: families stand in the order of their names with TYPE (and HELP, if any) before samples,
//! series in client_golang's order (fewer labels first, then by label values), no blank lines, no other comments.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result, bail, ensure};

use crate::{Family, Sample};

/// All families of a page.
pub(crate) fn families(text: &str) -> Result<Vec<Family>> {
    ensure!(
        text.is_empty() || text.ends_with('\n'),
        "the last line does not end"
    );
    let mut families: Vec<Family> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        take(&mut families, line).with_context(|| format!("line {}: {line}", number + 1))?;
    }
    let mut seen = HashSet::new();
    for family in &families {
        check(family).with_context(|| format!("family {}", family.name))?;
        for sample in &family.samples {
            ensure!(
                seen.insert(sample.series()),
                "{:?} occurs twice",
                sample.series()
            );
        }
    }
    for pair in families.windows(2) {
        ensure!(
            pair[0].name < pair[1].name,
            "{} stands before {}",
            pair[0].name,
            pair[1].name
        );
    }
    Ok(families)
}

/// One line, into the family that it belongs to.
fn take(families: &mut Vec<Family>, line: &str) -> Result<()> {
    if let Some(help) = line.strip_prefix("# HELP ") {
        let (name, help) = help.split_once(' ').context("HELP without a text")?;
        families.push(Family {
            name: name.into(),
            help: unescape(help, false)?,
            ..Family::default()
        });
    } else if let Some(rest) = line.strip_prefix("# TYPE ") {
        let (name, kind) = rest.split_once(' ').context("TYPE without a type")?;
        ensure!(
            matches!(
                kind,
                "counter" | "gauge" | "histogram" | "summary" | "untyped"
            ),
            "unknown type"
        );
        match families.last_mut() {
            Some(last) if last.name == name => ensure!(last.kind.is_empty(), "a second TYPE"),
            _ => families.push(Family {
                name: name.into(),
                ..Family::default()
            }),
        }
        families.last_mut().context("just pushed")?.kind = kind.into();
    } else {
        let family = families.last_mut().context("a sample before any family")?;
        ensure!(!family.kind.is_empty(), "a sample before TYPE");
        family.samples.push(sample(line)?);
    }
    let family = families.last_mut().context("just taken")?;
    family.text.push_str(line);
    family.text.push('\n');
    Ok(())
}

/// `name{label="value",...} value [timestamp]`
fn sample(line: &str) -> Result<Sample> {
    let end = line.find(['{', ' ']).context("no value")?;
    let (name, mut rest) = line.split_at(end);
    ensure!(is_name(name, ":_"), "a bad name");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").context("a label without a value")?;
            ensure!(is_name(label, "_"), "a bad label name {label:?}");
            let end = closing_quote(after).context("a quote stays open")?;
            let value = unescape(&after[..end], true)?;
            ensure!(
                labels.insert(label.to_owned(), value).is_none(),
                "label {label} twice"
            );
            rest = &after[end + 1..];
            match rest.split_at_checked(1) {
                Some((",", after)) => rest = after,
                Some(("}", after)) => break rest = after,
                _ => bail!("neither a comma nor a brace after a label"),
            }
        }
    }
    let mut words = rest.strip_prefix(' ').context("no value")?.split(' ');
    let printed = words.next().unwrap_or_default().to_owned();
    let value = number(&printed)?;
    let timestamp = words
        .next()
        .map(str::parse)
        .transpose()
        .context("a bad timestamp")?;
    ensure!(words.next().is_none(), "more than a value and a timestamp");
    Ok(Sample {
        name: name.into(),
        labels,
        printed,
        value,
        timestamp,
    })
}

/// Names, order and buckets of one family.
fn check(family: &Family) -> Result<()> {
    ensure!(is_name(&family.name, ":_"), "a bad name");
    ensure!(!family.kind.is_empty(), "no TYPE");
    ensure!(!family.samples.is_empty(), "no samples");
    let extra = match &*family.kind {
        "histogram" => "le",
        "summary" => "quantile",
        _ => "",
    };
    // Samples of one series stand together; `le` and `quantile` tell them apart.
    let mut series: Vec<(Key, Vec<&Sample>)> = Vec::new();
    for sample in &family.samples {
        let suffix = sample
            .name
            .strip_prefix(&*family.name)
            .context("a sample of another family")?;
        let fits = match (&*family.kind, suffix) {
            ("histogram", "_bucket") | ("summary", "") => sample.labels.contains_key(extra),
            ("histogram" | "summary", "_sum" | "_count") => !sample.labels.contains_key(extra),
            ("counter" | "gauge" | "untyped", "") => true,
            _ => false,
        };
        ensure!(fits, "{} does not belong to a {}", sample.name, family.kind);
        let key = key(sample, extra);
        match series.last_mut() {
            Some((last, samples)) if *last == key => samples.push(sample),
            _ => series.push((key, vec![sample])),
        }
    }
    for pair in series.windows(2) {
        ensure!(
            pair[0].0 < pair[1].0,
            "{:?} stands before {:?}",
            pair[0].0,
            pair[1].0
        );
    }
    if !extra.is_empty() {
        for (key, samples) in &series {
            distribution(samples, extra).with_context(|| format!("series {key:?}"))?;
        }
    }
    Ok(())
}

/// How client_golang sorts series.
type Key = (usize, Vec<String>, Option<i64>);

fn key(sample: &Sample, extra: &str) -> Key {
    let values: Vec<_> = sample
        .labels
        .iter()
        .filter(|(name, _)| *name != extra)
        .map(|(_, v)| v.clone())
        .collect();
    (values.len(), values, sample.timestamp)
}

/// Buckets or quantiles ascending, then sum, then count, which equals the last bucket.
fn distribution(samples: &[&Sample], extra: &str) -> Result<()> {
    let [parts @ .., sum, count] = samples else {
        bail!("no sum and count")
    };
    ensure!(
        sum.name.ends_with("_sum") && count.name.ends_with("_count"),
        "sum and count do not come last"
    );
    let bounds = parts
        .iter()
        .map(|part| number(part.label(extra)))
        .collect::<Result<Vec<_>>>()?;
    ensure!(bounds.is_sorted_by(|a, b| a < b), "{extra} does not ascend");
    if extra == "le" {
        ensure!(bounds.last() == Some(&f64::INFINITY), "no +Inf bucket");
        ensure!(
            parts.is_sorted_by(|a, b| a.value <= b.value),
            "buckets are not cumulative"
        );
        ensure!(
            parts.last().is_some_and(|last| last.value == count.value),
            "the +Inf bucket is not the count"
        );
    }
    Ok(())
}

/// A float as Go prints it.
fn number(text: &str) -> Result<f64> {
    match text {
        "NaN" => Ok(f64::NAN),
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        _ => {
            ensure!(
                text.bytes()
                    .all(|b| b.is_ascii_digit() || b"+-.e".contains(&b)),
                "not a number: {text:?}"
            );
            text.parse()
                .with_context(|| format!("not a number: {text:?}"))
        }
    }
}

fn is_name(name: &str, marks: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || marks.as_bytes().contains(&b);
    !name.is_empty() && name.bytes().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// The position of the first quote that is not escaped.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|b| {
        let closes = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        closes
    })
}

fn unescape(text: &str, in_quotes: bool) -> Result<String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if in_quotes => '"',
                other => bail!("an unknown escape: {other:?}"),
            },
            c => c,
        });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::families;

    const GOOD: &str = r#"# HELP a Help with a \\ and a \n.
# TYPE a counter
a 1
a{x="1"} 1e+06
a{x="quote \" slash \\ line \n"} NaN 1700000000000
# TYPE h histogram
h_bucket{x="1",le="0.5"} 1
h_bucket{x="1",le="+Inf"} 2
h_sum{x="1"} 3.5
h_count{x="1"} 2
# TYPE s summary
s{quantile="0.5"} 1
s_sum 3
s_count 2
"#;

    #[test]
    fn a_good_page_is_read() -> anyhow::Result<()> {
        let families = families(GOOD)?;
        assert_eq!(
            families.iter().map(|f| &*f.name).collect::<Vec<_>>(),
            ["a", "h", "s"]
        );
        assert_eq!(families[0].help, "Help with a \\ and a \n.");
        assert_eq!(
            families[0].samples[2].label("x"),
            "quote \" slash \\ line \n"
        );
        assert_eq!(families[0].samples[2].timestamp, Some(1_700_000_000_000));
        assert_eq!(families.iter().map(|f| &*f.text).collect::<String>(), GOOD);
        Ok(())
    }

    /// Each replacement spoils the good page in one way.
    #[test]
    fn spoilt_pages_are_refused() {
        for (from, to) in [
            ("s_count 2\n", "s_count 2"),
            ("# TYPE s summary\n", ""),
            ("# TYPE s summary", "# TYPE s gauge"),
            ("# TYPE s summary", "# TYPE s summery"),
            (
                "# TYPE h histogram",
                "# TYPE h histogram\n# TYPE h histogram",
            ),
            ("# TYPE h histogram", "# TYPE h histogram\n\n"),
            ("# TYPE h histogram", "# a remark\n# TYPE h histogram"),
            ("# TYPE a counter", "# TYPE b counter"),
            ("a 1\n", "a 1\na 1\n"),
            ("a 1\n", "a  1\n"),
            ("a 1\n", "a{} 1\n"),
            ("a 1\n", "a inf\n"),
            ("a 1\n", "a 1 soon\n"),
            ("a 1\na{x=\"1\"} 1e+06\n", "a{x=\"1\"} 1e+06\na 1\n"),
            ("a{x=\"1\"} 1e+06", "a{x=\"1\",} 1e+06"),
            ("a{x=\"1\"} 1e+06", "a{x=\"1\",x=\"2\"} 1e+06"),
            ("a{x=\"1\"} 1e+06", "a{1x=\"1\"} 1e+06"),
            ("a{x=\"1\"} 1e+06", "a{x=\"\\t\"} 1e+06"),
            (
                "h_bucket{x=\"1\",le=\"0.5\"} 1",
                "h_bucket{x=\"1\",le=\"0.5\"} 3",
            ),
            ("h_bucket{x=\"1\",le=\"+Inf\"} 2\n", ""),
            ("h_count{x=\"1\"} 2", "h_count{x=\"1\"} 3"),
            ("h_sum{x=\"1\"} 3.5\n", ""),
            ("h_sum", "g_sum"),
            (
                "# TYPE s summary",
                "# TYPE a counter\na 7\n# TYPE s summary",
            ),
        ] {
            let spoilt = GOOD.replacen(from, to, 1);
            assert_ne!(spoilt, GOOD, "{from:?} is not in the page");
            assert!(families(&spoilt).is_err(), "{from:?} -> {to:?} was taken");
        }
    }
}
