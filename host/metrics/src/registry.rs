//! All families of all owners, and the page that they make.

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Instant,
};

use crate::{
    desc::{Desc, DescError, Kind},
    dynamic::{self, Claims, DynamicError},
    family::Family,
    foreign,
    own::{self, CounterVec, GaugeVec, Own},
    page::{Page, PageFamily},
    sample::Sample,
    scope::{Scope, ScopeOptions},
};

/// The scopes of all plugins, the program's own families, and the registries of native code beside them. A clone is the
/// same registry.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    scopes: Arc<RwLock<Vec<Arc<Scope>>>>,
    own: Own,
    natives: Arc<[prometheus::Registry]>,
}

/// What a page takes of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Every family.
    All,
    /// Not the families that report by samples, nor those that were found at run time: they are from another time.
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
            scopes: Arc::default(),
            own: Own::default(),
            natives: natives.into(),
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
        let mut claims = Claims::default();
        for family in scope.lock().iter() {
            claims.add(&family.desc, Some(&scope), "");
        }
        for owner in scopes.iter() {
            evict(owner, &claims);
        }
        scopes.push(Arc::clone(&scope));
        Ok(scope)
    }

    /// Replaces the families of a scope that were found at run time, all at once. They get its prefix and its constant
    /// labels, and count towards its limit of series after those that were described.
    ///
    /// Several of one name become one family, if they agree in type, help and unit; of equal series the first one counts.
    /// Whoever has described a family keeps its name, and so does native code; among families that were not described
    /// the owner who registered first does. What returns says what is left out, and why; the rest is on the page.
    pub fn replace_dynamic(
        &self,
        scope: &Arc<Scope>,
        found: Vec<(Desc, Vec<Sample>)>,
    ) -> Vec<DynamicError> {
        let mut errors = Vec::new();
        let found = dynamic::merge(found, &mut errors);
        // Nobody waits for this: the registry is locked only to compare names.
        let mut families = dynamic::build(scope, found, &mut errors);
        let mut claims = Claims::default();
        for family in foreign::gather(&self.natives) {
            claims.add(&family.desc, None, own::OWNER);
        }
        for desc in self.own.descs() {
            claims.add(&desc, None, own::OWNER);
        }
        let scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let mut is_before = true;
        for owner in scopes.iter() {
            let is_own = Arc::ptr_eq(owner, scope);
            is_before &= !is_own;
            let by = format!("plugin {:?}", owner.owner());
            let claim = |claims: &mut Claims, families: &[Family]| {
                for family in families {
                    claims.add(&family.desc, (!is_own).then_some(owner), &by);
                }
            };
            claim(&mut claims, &owner.lock());
            if is_before {
                claim(&mut claims, &owner.lock_dynamic());
            }
        }
        let mut own = Claims::default();
        families.retain(|family| {
            let checked = claims
                .check(&family.desc, scope)
                .and_then(|()| own.check(&family.desc, scope));
            match checked {
                Ok(()) => own.add(&family.desc, Some(scope), "the same text"),
                Err(ref error) => errors.push(error.clone().into()),
            }
            checked.is_ok()
        });
        let after = scopes.iter().skip_while(|owner| !Arc::ptr_eq(owner, scope));
        after.skip(1).for_each(|owner| evict(owner, &own));
        *scope.lock_dynamic() = families;
        errors
    }

    /// Takes an owner's families off the page, and lets others have their names.
    pub fn unregister(&self, scope: &Arc<Scope>) {
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        scopes.retain(|other| !Arc::ptr_eq(other, scope));
    }

    /// Everything as it is now: every family that has series, ascending by name. `view` says what to take of each scope.
    /// Updates wait for as long as it takes to share the blocks, not to sort, copy or render them.
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
            for family in scope.lock_sorted().iter_mut() {
                let stale = family.is_sampled() && view == View::Instruments;
                if family.len() > 0 && !stale {
                    scoped.push(PageFamily::new(family));
                }
            }
            if view == View::All {
                scoped.extend(scope.lock_dynamic().iter_mut().map(PageFamily::new));
            }
        }
        natives.retain(|family| family.len() > 0);
        natives.iter_mut().for_each(Family::sort);
        Page::new(
            natives.iter_mut().map(PageFamily::new).collect(),
            scoped,
            Instant::now(),
        )
    }
}

/// Takes off the page what was found at run time and cannot stand beside these. Its owner hears of it when it next
/// replaces its families.
fn evict(owner: &Scope, claims: &Claims) {
    let mut dynamic = owner.lock_dynamic();
    dynamic.retain(|family| claims.check(&family.desc, owner).is_ok());
}

/// Two owners may share a family, as two instances of one plugin do, if it is the same in all but the values of the
/// constant labels.
pub(crate) fn check_shared(
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
    for (sample, of) in [(desc, other), (other, desc)] {
        if has_sample(of, &sample.name) {
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

/// Whether one of a family's samples is called this in any format, but not what the family is called.
fn has_sample(desc: &Desc, name: &str) -> bool {
    let suffix = name.strip_prefix(desc.name.as_str());
    if suffix.is_some_and(|suffix| desc.kind.suffixes().contains(&suffix)) {
        return true;
    }
    // OpenMetrics says when `a_total` began in `a_created`.
    let base = match desc.kind {
        Kind::Counter => desc.name.strip_suffix("_total").unwrap_or(&desc.name),
        _ => &desc.name,
    };
    desc.kind.has_created() && name.strip_suffix("_created") == Some(base)
}
