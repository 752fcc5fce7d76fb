//! All families of all owners, and the page that they make.

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Instant,
};

use crate::{
    desc::{Desc, DescError, Kind},
    foreign,
    own::{self, CounterVec, GaugeVec, Own},
    page::{Page, PageFamily},
    scope::{Scope, ScopeOptions},
};

/// The scopes of all plugins, the program's own families, and the registries of native code beside them.
#[derive(Debug, Default)]
pub struct Registry {
    scopes: RwLock<Vec<Arc<Scope>>>,
    own: Own,
    natives: Vec<prometheus::Registry>,
}

/// What a page takes of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Every family.
    All,
    /// Not the families that report by samples: the last ones are from another time.
    Instruments,
    /// No family.
    Nothing,
}

/// Why an owner's families were refused. Nothing of them was registered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RegisterError {
    /// A family is wrong in itself.
    #[error(transparent)]
    Desc(#[from] DescError),
    /// A family was described twice.
    #[error("metric {0:?} is described twice")]
    Twice(String),
    /// Somebody else has that family.
    #[error("metric {name:?} is already reported by {by}: {why}")]
    Taken {
        /// The family.
        name: String,
        /// Who has it.
        by: String,
        /// Why the two cannot be one family.
        why: String,
    },
    /// The name of one is what a sample of the other is called.
    #[error("metric {name:?} collides with the samples of {kind} {other:?}, which {by} reports")]
    Suffix {
        /// The new family.
        name: String,
        /// The family that it collides with.
        other: String,
        /// Which of them has the suffixes.
        kind: &'static str,
        /// Who has it.
        by: String,
    },
}

impl Registry {
    /// An empty registry whose page also has what these native registries gather. Where names clash, native code wins.
    pub fn new(natives: Vec<prometheus::Registry>) -> Self {
        Self {
            scopes: RwLock::default(),
            own: Own::default(),
            natives,
        }
    }

    /// A family of counters that the program itself counts. The same description again is the same family; a plugin cannot
    /// have the name any more, and a native registry that has it wins.
    pub fn own_counter<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
    ) -> Result<CounterVec<N>, RegisterError> {
        let desc = Desc::new(name, help, Kind::Counter).with_labels(labels);
        let _scopes = self.check_own(&desc)?;
        self.own.counter(desc)
    }

    /// A family of gauges that the program itself sets; see [`Registry::own_counter`].
    pub fn own_gauge<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
    ) -> Result<GaugeVec<N>, RegisterError> {
        let desc = Desc::new(name, help, Kind::Gauge).with_labels(labels);
        let _scopes = self.check_own(&desc)?;
        self.own.gauge(desc)
    }

    /// Deletes every series with this label from the program's own families, as when what it is about has gone.
    pub fn remove_own(&self, label: &str, value: &str) {
        self.own.remove_matching(label, value);
    }

    /// Checks one of the program's families against the plugins', of which none comes while the answer is held.
    fn check_own(
        &self,
        desc: &Desc,
    ) -> Result<RwLockReadGuard<'_, Vec<Arc<Scope>>>, RegisterError> {
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        for owner in scopes.iter() {
            let by = format!("plugin {:?}", owner.owner());
            for other in owner.lock().iter() {
                if other.desc.name == desc.name {
                    return Err(taken(desc, &by, "rename one of them"));
                }
                check_suffixes(desc, &other.desc, &by)?;
            }
        }
        Ok(scopes)
    }

    /// Registers an owner's families, or says which one cannot be and why.
    pub fn register(
        &self,
        options: &ScopeOptions,
        descs: Vec<Desc>,
    ) -> Result<Arc<Scope>, RegisterError> {
        let scope = Scope::new(options, descs);
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let natives = foreign::gather(&self.natives);
        let natives = natives.iter().map(|family| Arc::clone(&family.desc));
        let natives: Vec<_> = natives.chain(self.own.descs()).collect();
        let const_names = || scope.const_labels().iter().map(|(name, _)| name.as_str());
        let families = scope.lock();
        for (place, family) in families.iter().enumerate() {
            let desc = &family.desc;
            desc.check(const_names())?;
            let before = &families[..place];
            if before.iter().any(|other| other.desc.name == desc.name) {
                return Err(RegisterError::Twice(desc.name.clone()));
            }
            for other in before {
                check_suffixes(desc, &other.desc, "this plugin")?;
            }
            for other in &natives {
                if other.name == desc.name {
                    return Err(taken(desc, own::OWNER, "rename one of them"));
                }
                check_suffixes(desc, other, own::OWNER)?;
            }
            for owner in scopes.iter() {
                let by = format!("plugin {:?}", owner.owner());
                for other in owner.lock().iter() {
                    if other.desc.name == desc.name {
                        check_shared(desc, &scope, &other.desc, owner, &by)?;
                    }
                    check_suffixes(desc, &other.desc, &by)?;
                }
            }
        }
        drop(families);
        let scope = Arc::new(scope);
        scopes.push(Arc::clone(&scope));
        Ok(scope)
    }

    /// Takes an owner's families off the page, and lets others have their names.
    pub fn unregister(&self, scope: &Arc<Scope>) {
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        scopes.retain(|other| !Arc::ptr_eq(other, scope));
    }

    /// Everything as it is now: every family that has series, ascending by name. `view` says what to take of each scope.
    /// Updates wait for as long as it takes to share the blocks, not to copy or render them.
    pub fn page(&self, view: impl Fn(&Scope) -> View) -> Page {
        let mut natives = foreign::gather(&self.natives);
        let scopes = self
            .scopes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut scoped = Vec::new();
        self.own.page(&mut scoped);
        for scope in scopes {
            let view = view(&scope);
            if view == View::Nothing {
                continue;
            }
            for family in scope.lock().iter_mut() {
                let stale = family.is_sampled() && view == View::Instruments;
                if family.len() > 0 && !stale {
                    scoped.push(PageFamily::new(family));
                }
            }
        }
        let natives = natives.iter_mut().filter(|family| family.len() > 0);
        Page::new(
            natives.map(PageFamily::new).collect(),
            scoped,
            Instant::now(),
        )
    }
}

/// Two owners may share a family, as two instances of one plugin do, if it is the same in all but the values of the
/// constant labels.
fn check_shared(
    desc: &Desc,
    scope: &Scope,
    other: &Desc,
    owner: &Scope,
    by: &str,
) -> Result<(), RegisterError> {
    let names = |scope: &Scope| -> Vec<String> {
        scope
            .const_labels()
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    };
    let remedy = "give one of them a prefix";
    let why = if desc.kind != other.kind {
        format!(
            "as a {} with other options or of another type; {remedy}",
            other.kind.text_name()
        )
    } else if desc.help != other.help || desc.unit != other.unit {
        format!("with another help text or unit; {remedy}")
    } else if desc.label_names != other.label_names || names(scope) != names(owner) {
        format!("with other label names; {remedy}")
    } else if scope.const_labels() == owner.const_labels() {
        format!("{remedy}, or constant labels whose values differ")
    } else {
        return Ok(());
    };
    Err(taken(desc, by, &why))
}

fn taken(desc: &Desc, by: &str, why: &str) -> RegisterError {
    RegisterError::Taken {
        name: desc.name.clone(),
        by: by.to_owned(),
        why: why.to_owned(),
    }
}

/// Refuses what would make two samples of one name: `a` beside a histogram `a` is clear, `a_count` is not.
pub(crate) fn check_suffixes(desc: &Desc, other: &Desc, by: &str) -> Result<(), RegisterError> {
    for (long, short) in [(desc, other), (other, desc)] {
        let suffix = long.name.strip_prefix(short.name.as_str());
        if suffix.is_some_and(|suffix| short.kind.suffixes().contains(&suffix)) {
            return Err(RegisterError::Suffix {
                name: desc.name.clone(),
                other: other.name.clone(),
                kind: short.kind.text_name(),
                by: by.to_owned(),
            });
        }
    }
    Ok(())
}
