//! All families of all owners, and the page that they make.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use crate::{
    desc::{Desc, DescError, Kind},
    dynamic::{self, DynamicError},
    family::Family,
    foreign,
    own::{self, CounterVec, GaugeVec, Own},
    page::Page,
    sample::Sample,
    scope::{Scope, ScopeOptions},
    taken::{Taken, check_pair},
};

/// The scopes of all plugins, the program's own families, and the registries of native code beside them. A clone is the
/// same registry.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    pub(crate) scopes: Arc<RwLock<Vec<Arc<Scope>>>>,
    pub(crate) own: Own,
    pub(crate) natives: Arc<[prometheus::Registry]>,
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
        self.describe_own(desc).map(CounterVec)
    }

    /// A family of gauges that the program itself sets; see [`Registry::own_counter`].
    pub fn own_gauge<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
    ) -> Result<GaugeVec<N>, RegisterError> {
        let desc = Desc::new(name, help, Kind::Gauge).with_labels(labels);
        self.describe_own(desc).map(GaugeVec)
    }

    /// Deletes every series with this label from the program's own families, as when what it is about has gone.
    pub fn remove_own(&self, label: &str, value: &str) {
        self.own.remove_matching(label, value);
    }

    /// From now on pages have of the program's own families only these. The others keep their names and their numbers.
    pub fn show_own_only(&self, names: &'static [&'static str]) {
        self.own.show_only(names);
    }

    fn describe_own(&self, desc: Desc) -> Result<own::Series, RegisterError> {
        // Each plugin asks for the families about plugins; only the first one has to be compared with all plugins'.
        if let Some(series) = self.own.find(&desc) {
            return Ok(series);
        }
        // Held to the end: no plugin comes in between.
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        for owner in scopes.iter() {
            let by = format!("plugin {:?}", owner.owner());
            for other in owner.full_descs() {
                if other.name == desc.name {
                    return Err(RegisterError::Taken {
                        name: desc.name.clone(),
                        by,
                        why: "rename one of them".to_owned(),
                    });
                }
                check_pair(&desc, other, &by)?;
            }
        }
        self.own.describe(desc)
    }

    /// Registers an owner's families, or says which one cannot be and why.
    pub fn register(
        &self,
        options: &ScopeOptions,
        descs: Vec<Desc>,
    ) -> Result<Arc<Scope>, RegisterError> {
        let one = vec![(options.clone(), descs)];
        let scopes = self.register_all(one).map_err(|(_, error)| error)?;
        Ok(Arc::clone(&scopes[0]))
    }

    /// Registers several owners in this order, or none of them: the error says which one cannot be, by its place.
    pub fn register_all(
        &self,
        owners: Vec<(ScopeOptions, Vec<Desc>)>,
    ) -> Result<Vec<Arc<Scope>>, (usize, RegisterError)> {
        // Before the lock: it runs code of others.
        let natives = foreign::gather(&self.natives);
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Taken::default();
        scopes.iter().for_each(|scope| taken.share_all(scope));
        self.keep_host(&natives, &mut taken);
        let mut new = Vec::with_capacity(owners.len());
        let mut described = Taken::default();
        for (place, (options, descs)) in owners.into_iter().enumerate() {
            let scope = Arc::new(Scope::new(&options, descs));
            taken.check_all(&scope).map_err(|error| (place, error))?;
            taken.share_all(&scope);
            described.share_all(&scope);
            new.push(scope);
        }
        for owner in scopes.iter() {
            evict(owner, &described);
        }
        scopes.extend(new.iter().cloned());
        Ok(new)
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
        let natives = foreign::gather(&self.natives);
        let scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Taken::default();
        let before = scopes
            .iter()
            .position(|owner| owner.is_of_same_owner(scope))
            .unwrap_or(scopes.len());
        for (place, owner) in scopes.iter().enumerate() {
            if place == before {
                continue;
            }
            taken.share_all(owner);
            if place < before {
                for family in owner.lock_dynamic().iter() {
                    taken.share(&family.desc, owner);
                }
            }
        }
        // Last: what is kept is shared with nobody.
        for desc in scope.full_descs() {
            taken.keep(desc, "what the plugin has described");
        }
        self.keep_host(&natives, &mut taken);
        let mut own = Taken::default();
        families.retain(|family| {
            let checked = taken
                .check(&family.desc, scope)
                .and_then(|()| own.check(&family.desc, scope));
            match checked {
                Ok(()) => own.share(&family.desc, scope),
                Err(ref error) => errors.push(error.clone().into()),
            }
            checked.is_ok()
        });
        for owner in scopes.iter().skip(before + 1) {
            evict(owner, &own);
        }
        *scope.lock_dynamic() = families;
        errors
    }

    /// The families of native code and of the program itself, which nobody may share.
    pub(crate) fn keep_host(&self, natives: &[Family], taken: &mut Taken) {
        let natives = natives.iter().map(|family| Arc::clone(&family.desc));
        for desc in natives.chain(self.own.descs()) {
            taken.keep(&desc, own::OWNER);
        }
    }

    /// Takes an owner's families off the page, and lets others have their names.
    pub fn unregister(&self, scope: &Arc<Scope>) {
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        scopes.retain(|other| !Arc::ptr_eq(other, scope));
    }

    /// Those that are registered.
    pub(crate) fn scopes_now(&self) -> Vec<Arc<Scope>> {
        let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        scopes.clone()
    }

    /// Everything as it is now: every family that has series, ascending by name. `view` says what to take of each scope.
    /// Updates wait for as long as it takes to share the blocks, not to sort, copy or render them.
    pub fn page(&self, view: impl Fn(&Scope) -> View) -> Page {
        self.page_of(&self.scopes_now(), view)
    }

    /// The same with these scopes in place of those that are registered now.
    pub fn page_of(&self, scopes: &[Arc<Scope>], view: impl Fn(&Scope) -> View) -> Page {
        let now = Instant::now();
        let mut natives = foreign::gather(&self.natives);
        let mut scoped = Vec::new();
        self.own.page(&mut scoped, now);
        for scope in scopes {
            let view = view(scope);
            if view == View::Nothing {
                continue;
            }
            let mut families = scope.lock_sorted();
            for number in scope.by_name() {
                let family = &mut families[*number];
                let stale = family.is_sampled() && view == View::Instruments;
                if family.len() > 0 && !stale {
                    scoped.push(family.show(now));
                }
            }
            drop(families);
            if view == View::All {
                let mut dynamic = scope.lock_dynamic();
                scoped.extend(dynamic.iter_mut().map(|family| family.show(now)));
            }
        }
        natives.retain(|family| family.len() > 0);
        natives.iter_mut().for_each(Family::sort);
        let natives = natives.iter_mut().map(|family| family.show(now));
        Page::new(natives.collect(), scoped)
    }
}

/// Takes off the page what was found at run time and cannot stand beside these. Its owner hears of it when it next
/// replaces its families.
pub(crate) fn evict(owner: &Scope, taken: &Taken) {
    let mut dynamic = owner.lock_dynamic();
    dynamic.retain(|family| taken.check(&family.desc, owner).is_ok());
}
