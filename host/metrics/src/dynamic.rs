//! Families that nobody described: found at run time in text that others wrote, and replaced as a whole.
//!
//! They are checked as gatherers of client libraries check what comes unannounced: the first one that has a name says
//! what the family is, and what does not agree with it costs itself.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Instant,
};

use crate::{
    desc::Desc,
    family::Family,
    registry::RegisterError,
    sample::{Sample, SampleError},
    scope::Scope,
};

/// Why a family that was found is not on the page, or not all of it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DynamicError {
    /// It is wrong in itself, or somebody else has its name.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// Its samples are.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// It was found before as something else. The first one stays.
    #[error("metric {name:?} was found before {what}, and the first one counts")]
    Inconsistent {
        /// The family.
        name: String,
        /// What differs.
        what: String,
    },
    /// Some of its series were found before, with the same labels. The first ones stay.
    #[error(
        "metric {name:?} has {count} series that were found before with the same labels, and the first ones count"
    )]
    Again {
        /// The family.
        name: String,
        /// How many.
        count: usize,
    },
}

impl DynamicError {
    /// One word for the `reason` label of a metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Register(RegisterError::Desc(_)) => "invalid",
            Self::Register(_) => "clash",
            Self::Sample(error) => error.reason(),
            Self::Inconsistent { .. } => "inconsistent",
            Self::Again { .. } => "duplicate",
        }
    }
}

/// Families of one name become one: with the labels of all, and empty values for those that a series did not have,
/// which is the same to Prometheus.
pub(crate) fn merge(
    found: Vec<(Desc, Vec<Sample>)>,
    errors: &mut Vec<DynamicError>,
) -> Vec<(Desc, Vec<Sample>)> {
    let mut merged: Vec<(Desc, Vec<Sample>)> = Vec::with_capacity(found.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut joined = BTreeSet::new();
    for (desc, samples) in found {
        let Some(place) = places.get(&desc.name).copied() else {
            places.insert(desc.name.clone(), merged.len());
            merged.push((desc, samples));
            continue;
        };
        let (first, all) = &mut merged[place];
        if let Some(what) = difference(first, &desc) {
            let name = desc.name;
            errors.push(DynamicError::Inconsistent { name, what });
            continue;
        }
        joined.insert(place);
        join(first, all, desc.label_names, samples);
    }
    for place in joined {
        let (desc, samples) = &mut merged[place];
        let before = samples.len();
        let mut seen = HashSet::with_capacity(before);
        samples.retain(|sample| seen.insert(sample.label_values.clone()));
        let count = before - samples.len();
        if count > 0 {
            let name = desc.name.clone();
            errors.push(DynamicError::Again { name, count });
        }
    }
    merged
}

/// What keeps two families of one name from being one.
fn difference(first: &Desc, next: &Desc) -> Option<String> {
    let (was, is) = (first.kind.text_name(), next.kind.text_name());
    if was != is {
        Some(format!("as a {was}, and is a {is} now"))
    } else if first.kind != next.kind {
        Some(format!("as a {was} of another kind or with other buckets"))
    } else if first.help != next.help {
        let (was, is) = (&first.help, &next.help);
        Some(format!("with the help text {was:?}, and has {is:?} now"))
    } else if first.unit != next.unit {
        Some("with another unit".to_owned())
    } else {
        None
    }
}

/// Adds samples that have these labels to those of a family, which gets the labels of both.
fn join(desc: &mut Desc, all: &mut Vec<Sample>, names: Vec<String>, samples: Vec<Sample>) {
    if desc.label_names == names {
        return all.extend(samples);
    }
    let mut union = [desc.label_names.as_slice(), &names].concat();
    union.sort_unstable();
    union.dedup();
    let widen = |from: &[String], samples: &mut dyn Iterator<Item = &mut Sample>| {
        for sample in samples {
            let mut values = vec![String::new(); union.len()];
            for (name, value) in from.iter().zip(std::mem::take(&mut sample.label_values)) {
                if let Ok(place) = union.binary_search(name) {
                    values[place] = value;
                }
            }
            sample.label_values = values;
        }
    };
    let mut samples = samples;
    widen(&desc.label_names, &mut all.iter_mut());
    widen(&names, &mut samples.iter_mut());
    all.extend(samples);
    desc.label_names = union;
}

/// Makes the families of a scope, with its prefix and constant labels. One that has no series is left out.
pub(crate) fn build(
    scope: &Scope,
    found: Vec<(Desc, Vec<Sample>)>,
    errors: &mut Vec<DynamicError>,
) -> Vec<Family> {
    let now = Instant::now();
    let limits = scope.limits();
    let limit = limits.max_series;
    let mut room = limit.saturating_sub(scope.described_series());
    let mut families = Vec::with_capacity(found.len());
    for (mut desc, samples) in found {
        desc.name.insert_str(0, scope.prefix());
        let const_names = scope.const_labels().iter().map(|(name, _)| name.as_str());
        if let Err(error) = desc.check(const_names) {
            errors.push(RegisterError::from(error).into());
            continue;
        }
        if samples.len() > room {
            let name = desc.name;
            errors.push(SampleError::SeriesLimit { name, limit }.into());
            continue;
        }
        let fit = |sample| limits.check(&desc, sample);
        if let Err(error) = samples.iter().try_for_each(fit) {
            errors.push(error.into());
            continue;
        }
        let mut family = Family::new(desc, scope.const_labels());
        match family.replace(samples.into_iter(), now, room) {
            Ok(()) if family.len() > 0 => {
                room -= family.len();
                family.sort();
                families.push(family);
            }
            Ok(()) => {}
            Err(error) => errors.push(error.into()),
        }
    }
    families
}
