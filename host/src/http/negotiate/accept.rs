//! The grammar of `Accept`, read as prometheus/common reads it (its goautoneg): what is malformed is skipped, never an
//! error.

use std::cmp::Ordering;

/// One clause of an `Accept` header: `type/subtype;name=value;q=0.5`.
#[derive(Clone, Debug)]
pub(super) struct Clause<'a> {
    media_type: &'a str,
    subtype: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    weight: f32,
}

impl<'a> Clause<'a> {
    /// Reads one clause; `None` where it names no type, or refuses the one that it names.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';');
        let media_range = parts.next()?.trim();
        let (media_type, subtype) = match media_range.split_once('/') {
            Some((media_type, subtype)) => (media_type.trim(), subtype.trim()),
            // Old Java clients write it so.
            None if media_range == "*" => ("*", "*"),
            None => return None,
        };
        if subtype.is_empty() || subtype.contains('/') {
            return None;
        }
        let mut clause = Self {
            media_type,
            subtype,
            parameters: Vec::new(),
            weight: 1.0,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let (name, value) = (name.trim(), value.trim());
            if name == "q" {
                clause.weight = weight(value)?;
            } else if !value.contains('=') {
                clause.parameters.push((name, value));
            }
        }
        Some(clause)
    }

    pub(super) fn is(&self, media_type: &str, subtype: &str) -> bool {
        self.media_type == media_type && self.subtype == subtype
    }

    /// A parameter's value, empty if it was not said. Of two with one name the last counts.
    pub(super) fn parameter(&self, name: &str) -> &'a str {
        let mut said = self.parameters.iter().rev();
        said.find(|(said, _)| *said == name)
            .map_or("", |(_, value)| value)
    }

    fn is_wildcard(&self) -> bool {
        self.media_type == "*" || self.subtype == "*"
    }

    /// What is named stands before what is only allowed, then the heavier before the lighter.
    fn preference(&self, other: &Self) -> Ordering {
        let wildcards = self.is_wildcard().cmp(&other.is_wildcard());
        wildcards.then_with(|| other.weight.total_cmp(&self.weight))
    }
}

/// `None` for a weight of zero, which means "not this one". A weight that is no number only puts its clause behind all
/// others: whoever wrote it did name a type.
fn weight(value: &str) -> Option<f32> {
    let weight = value.parse().unwrap_or(f32::NAN);
    if weight.is_nan() {
        return Some(0.0);
    }
    (weight != 0.0).then_some(weight)
}

/// The clauses of a header, the most wanted first; those that are wanted alike keep their order.
pub(super) fn clauses(header: &str) -> Vec<Clause<'_>> {
    let mut clauses: Vec<_> = header.split(',').filter_map(Clause::parse).collect();
    clauses.sort_by(Clause::preference);
    clauses
}
