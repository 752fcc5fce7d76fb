//! Names for readers that did not ask for UTF-8: the escaping schemes of prometheus/common.
//!
//! Escaping happens before an encoder sees the page: it gets families whose names, and series whose label texts, are
//! what the reader may see. As in prometheus/common a legacy name stays as it is under every scheme.

mod names;

use std::{collections::HashSet, sync::Arc};

use names::escape_label;
pub use names::{escape_name, unescape_name};

use super::{Escaping, Kept};
use crate::{
    block::{Slice, Texts},
    desc::Desc,
    labels,
    name::is_legacy_label_name,
    page::{Page, PageFamily},
};

/// The page with its names escaped, and the names of the families that had to be left out because another one has their
/// name then.
/// A page of legacy names, which is nearly every one, is returned as it came.
pub(super) fn page(page: Page, scheme: Escaping) -> (Page, Vec<String>) {
    if scheme == Escaping::AllowUtf8 || !page.families.iter().any(|family| needs_escaping(family)) {
        return (page, Vec::new());
    }
    let mut taken = HashSet::new();
    let mut dropped = Vec::new();
    // Who keeps its name has the first right to it.
    for family in page
        .families
        .iter()
        .filter(|family| !needs_escaping(family))
    {
        taken.extend(sample_names(&family.desc));
    }
    let mut families = Vec::with_capacity(page.families.len());
    for family in page.families.iter() {
        if !needs_escaping(family) {
            families.push(Arc::clone(family));
            continue;
        }
        let escaped = self::family(family, scheme).filter(|escaped| {
            let names = sample_names(&escaped.desc);
            let free = names.iter().all(|name| !taken.contains(name));
            taken.extend(names);
            free
        });
        match escaped {
            Some(escaped) => families.push(Arc::new(escaped)),
            None => dropped.push(family.desc.name.clone()),
        }
    }
    families.sort_by(|a, b| a.desc.name.cmp(&b.desc.name));
    let page = Page {
        families: Arc::new(families),
        ..page
    };
    (page, dropped)
}

fn needs_escaping(family: &PageFamily) -> bool {
    !family.legacy_labels || !family.legacy_name
}

/// The family's name, and those of its samples.
fn sample_names(desc: &Desc) -> Vec<String> {
    let suffixes = desc.kind.suffixes().iter().copied();
    suffixes
        .chain([""])
        .map(|suffix| format!("{}{suffix}", desc.name))
        .collect()
}

/// `None` if two of its labels have one name then.
fn family(family: &PageFamily, scheme: Escaping) -> Option<PageFamily> {
    let mut desc = Desc::clone(&family.desc);
    if !family.legacy_name {
        desc.name = escape_name(&desc.name, scheme);
    }
    let relabel = |slices: &Vec<Slice>| {
        if family.legacy_labels {
            return Some(slices.clone());
        }
        relabel(slices, scheme)
    };
    Some(PageFamily {
        taken: family.taken,
        until: family.until,
        desc: Arc::new(desc),
        head: Arc::default(),
        first: relabel(&family.first)?,
        others: family.others.iter().map(relabel).collect::<Option<_>>()?,
        legacy_labels: true,
        legacy_name: true,
        kept: Kept::default(),
    })
}

/// The same series with their label texts rendered anew. This takes the memory of the texts once more, for as long as
/// the page is being read; only families with such labels pay it.
fn relabel(slices: &[Slice], scheme: Escaping) -> Option<Vec<Slice>> {
    let relabel = |slice: &Slice| {
        let mut texts = Texts::default();
        let mut text = Vec::new();
        for position in 0..slice.texts.len() {
            text.clear();
            let mut names: Vec<String> = Vec::new();
            for label in labels::pairs(slice.texts.get(position)) {
                if !names.is_empty() {
                    text.push(b',');
                }
                // Only strings were ever rendered.
                let mut name = String::from_utf8_lossy(&label.name()).into_owned();
                if !is_legacy_label_name(&name) {
                    name = escape_label(&name, scheme);
                }
                text.extend_from_slice(name.as_bytes());
                text.extend_from_slice(b"=\"");
                text.extend_from_slice(label.value);
                text.push(b'"');
                if names.contains(&name) {
                    return None;
                }
                names.push(name);
            }
            texts.push(&text, slice.texts.created(position));
        }
        Some(Slice {
            texts: Arc::new(texts),
            column: Arc::clone(&slice.column),
        })
    };
    slices.iter().map(relabel).collect()
}
