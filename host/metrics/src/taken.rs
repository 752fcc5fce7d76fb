//! Who has which name: what families that come are checked against.

use std::{collections::HashMap, sync::Arc};

use crate::{desc::Desc, registry::RegisterError, scope::Scope};

/// What any kind puts behind the name of a family.
const SUFFIXES: [&str; 3] = ["_bucket", "_count", "_sum"];

/// Families by name.
#[derive(Debug, Default)]
pub(crate) struct Taken(HashMap<String, Owned>);

/// One name, and the family that has it.
#[derive(Debug)]
struct Owned {
    desc: Arc<Desc>,
    by: Owner,
    /// Owners who share the name, by the values of their constant labels, in which they have to differ. `None` if it is
    /// not shared.
    sharers: Option<Sharers>,
}

type Sharers = HashMap<Vec<(String, String)>, Arc<Scope>>;

/// Who has a family, for messages.
#[derive(Clone, Debug)]
enum Owner {
    Named(&'static str),
    Plugin(Arc<Scope>),
}

impl Owner {
    fn name(&self) -> String {
        match self {
            Self::Named(name) => (*name).to_owned(),
            Self::Plugin(scope) => format!("plugin {:?}", scope.owner()),
        }
    }
}

impl Taken {
    /// A family whose name nobody may share.
    pub(crate) fn keep(&mut self, desc: &Arc<Desc>, by: &'static str) {
        self.0.insert(
            desc.name.clone(),
            Owned {
                desc: Arc::clone(desc),
                by: Owner::Named(by),
                sharers: None,
            },
        );
    }

    /// A family of a scope, which others may share.
    pub(crate) fn share(&mut self, desc: &Arc<Desc>, scope: &Arc<Scope>) {
        let owned = self.0.entry(desc.name.clone()).or_insert_with(|| Owned {
            desc: Arc::clone(desc),
            by: Owner::Plugin(Arc::clone(scope)),
            sharers: Some(HashMap::new()),
        });
        if let Some(sharers) = &mut owned.sharers {
            sharers.insert(scope.const_labels().to_vec(), Arc::clone(scope));
        }
    }

    /// What a scope has described.
    pub(crate) fn share_all(&mut self, scope: &Arc<Scope>) {
        for desc in scope.full_descs() {
            self.share(desc, scope);
        }
    }

    /// Says which of the families that a new scope describes cannot be.
    pub(crate) fn check_all(&self, scope: &Scope) -> Result<(), RegisterError> {
        let mut own = Self::default();
        for desc in scope.full_descs() {
            desc.check(scope.const_labels().iter().map(|(name, _)| name.as_str()))?;
            if own.0.contains_key(&desc.name) {
                return Err(RegisterError::Twice(desc.name.clone()));
            }
            own.check_names(desc, &sample_names(desc))?;
            own.check_names(desc, &created_names(desc))?;
            self.check_names(desc, &created_names(desc))?;
            self.check(desc, scope)?;
            own.keep(desc, "this plugin");
        }
        Ok(())
    }

    /// Whether a family of this scope can stand beside all of these. `_created` samples are not looked at: libraries write
    /// them as families into text of format 0.0.4, and the encoder of OpenMetrics gives way to those.
    pub(crate) fn check(&self, desc: &Desc, scope: &Scope) -> Result<(), RegisterError> {
        if let Some(owned) = self.0.get(&desc.name) {
            owned.check_shared(desc, scope)?;
        }
        self.check_names(desc, &sample_names(desc))
    }

    fn check_names(&self, desc: &Desc, others: &[String]) -> Result<(), RegisterError> {
        for owned in others.iter().filter_map(|other| self.0.get(other)) {
            check_pair(desc, &owned.desc, &owned.by.name())?;
        }
        Ok(())
    }
}

/// What families are called whose samples may have this name, or that may be called as one of its samples.
fn sample_names(desc: &Desc) -> Vec<String> {
    let name = desc.name.as_str();
    let mut others = Vec::with_capacity(2 * SUFFIXES.len());
    for suffix in SUFFIXES {
        others.push(format!("{name}{suffix}"));
        others.extend(name.strip_suffix(suffix).map(str::to_owned));
    }
    others
}

/// What families are called that may have a `_created` sample of this name, or whose name this one's may have.
fn created_names(desc: &Desc) -> Vec<String> {
    let name = desc.name.as_str();
    let stem = name.strip_suffix("_total").unwrap_or(name);
    let mut others = vec![format!("{name}_created"), format!("{stem}_created")];
    if let Some(stem) = name.strip_suffix("_created") {
        others.extend([stem.to_owned(), format!("{stem}_total")]);
    }
    others
}

impl Owned {
    /// Two owners may share a family, as two instances of one plugin do, if it is the same in all but the values of the
    /// constant labels.
    fn check_shared(&self, desc: &Desc, scope: &Scope) -> Result<(), RegisterError> {
        fn names(scope: &Scope) -> impl Iterator<Item = &str> {
            scope.const_labels().iter().map(|(name, _)| name.as_str())
        }
        let taken = |by: &Owner, why: String| {
            Err(RegisterError::Taken {
                name: desc.name.clone(),
                by: by.name(),
                why,
            })
        };
        let (Some(sharers), Owner::Plugin(first)) = (&self.sharers, &self.by) else {
            return taken(&self.by, "rename one of them".to_owned());
        };
        let other = &self.desc;
        let remedy = "give one of them a prefix";
        if desc.kind != other.kind {
            let kind = other.kind.text_name();
            let why = format!("as a {kind} with other options or of another type; {remedy}");
            return taken(&self.by, why);
        }
        if desc.help != other.help || desc.unit != other.unit {
            let why = format!("with another help text or unit; {remedy}");
            return taken(&self.by, why);
        }
        if desc.label_names != other.label_names || !names(scope).eq(names(first)) {
            return taken(&self.by, format!("with other label names; {remedy}"));
        }
        match sharers.get(scope.const_labels()) {
            Some(same) => {
                let why = format!("{remedy}, or constant labels whose values differ");
                taken(&Owner::Plugin(Arc::clone(same)), why)
            }
            None => Ok(()),
        }
    }
}

/// Refuses what would make two samples of one name: `a` beside a histogram `a` is clear, `a_count` is not.
pub(crate) fn check_pair(desc: &Desc, other: &Desc, by: &str) -> Result<(), RegisterError> {
    for (sample, of) in [(desc, other), (other, desc)] {
        if of.has_sample(&sample.name) {
            return Err(RegisterError::Suffix {
                name: desc.name.clone(),
                other: other.name.clone(),
                kind: of.kind.text_name(),
                by: by.to_owned(),
            });
        }
    }
    Ok(())
}
