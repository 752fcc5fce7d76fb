//! What one line may say, given its family.

use std::borrow::Cow;

use super::{
    error::Fault,
    kind::{Format, ParsedKind, Suffix},
    model::ParsedFamily,
    number::float,
    page::Line,
};

/// What tells a line from the others of its metric.
#[derive(Debug)]
pub(super) enum Mark<'a> {
    None,
    /// `le` or `quantile`.
    Bound(f64),
    /// The state of a state set.
    State(Cow<'a, str>),
}

/// Checks a line by itself.
pub(super) fn check<'a>(
    family: &ParsedFamily<'a>,
    suffix: Suffix,
    line: &Line<'a>,
) -> Result<Mark<'a>, Fault> {
    if family.format == Format::OpenMetrics {
        check_value(family.kind, suffix, line)?;
    }
    let find = |name: &str| line.labels.iter().find(|label| label.is_named(name));
    let refuse = |message: String| Err(Fault::new(line.at, message));
    let (own, has_own) = match family.kind {
        ParsedKind::Histogram | ParsedKind::GaugeHistogram => ("le", suffix == Suffix::Bucket),
        ParsedKind::Summary => ("quantile", suffix == Suffix::None),
        ParsedKind::StateSet => {
            let Some(state) = find(&family.name) else {
                return refuse(format!(
                    "expected a label {:?}, the state, in every sample of state set {:?}",
                    family.name, family.name,
                ));
            };
            return Ok(Mark::State(state.value()));
        }
        _ => return Ok(Mark::None),
    };
    match (find(own), has_own) {
        (Some(label), true) => bound(family.format, own, &label.value())
            .map(Mark::Bound)
            .map_err(|wanted| {
                let value = label.value();
                Fault::new(
                    line.at,
                    format!(
                        "expected {wanted} in label {own:?} of {:?}, found {value:?}",
                        line.name
                    ),
                )
            }),
        (None, true) => refuse(format!("expected a label {own:?} in every {:?}", line.name)),
        (Some(_), false) => refuse(format!("expected no label {own:?} in {:?}", line.name)),
        (None, false) => Ok(Mark::None),
    }
}

/// Reads `le` or `quantile`; the error is what was expected instead.
fn bound(format: Format, label: &str, text: &str) -> Result<f64, &'static str> {
    let value = float(text).ok_or("a number")?;
    if label == "quantile" {
        return if (0.0..=1.0).contains(&value) {
            Ok(value)
        } else {
            Err("a number from 0 to 1")
        };
    }
    if value.is_nan() {
        return Err("a number");
    }
    if format == Format::OpenMetrics && value == f64::INFINITY && text != "+Inf" {
        return Err("the spelling \"+Inf\"");
    }
    Ok(value)
}

/// The values that OpenMetrics allows.
fn check_value(kind: ParsedKind, suffix: Suffix, line: &Line<'_>) -> Result<(), Fault> {
    let value = line.value;
    let is_whole = value.fract() == 0.0;
    let (fits, wanted) = match (kind, suffix) {
        (_, Suffix::Bucket | Suffix::Count | Suffix::GCount) => {
            (is_whole && value >= 0.0, "a whole number, not negative")
        }
        (_, Suffix::Total | Suffix::Sum) => (value >= 0.0, "a number that is not negative"),
        (_, Suffix::GSum) => (!value.is_nan(), "a number"),
        (_, Suffix::Created) => (value.is_finite(), "a time in seconds"),
        (ParsedKind::Summary, Suffix::None) => (!(value < 0.0), "a quantile that is not negative"),
        (ParsedKind::Info, _) => (value == 1.0, "1, the value of every info"),
        (ParsedKind::StateSet, _) => (
            value == 0.0 || value == 1.0,
            "0 or 1, the values of a state",
        ),
        _ => (true, ""),
    };
    if !fits {
        let message = format!(
            "expected {wanted}, as value of {:?}, found {value}",
            line.name
        );
        return Err(Fault::new(line.value_at, message));
    }
    if line.exemplar.is_some() && !matches!(suffix, Suffix::Total | Suffix::Bucket) {
        let message = format!(
            "expected no exemplar, which only buckets and counters have, at {:?}",
            line.name
        );
        return Err(Fault::new(line.value_at, message));
    }
    Ok(())
}
