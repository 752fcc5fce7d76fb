//! From one set of owners to the next: checked first, and then put in place at once.

use std::sync::{Arc, PoisonError};

use crate::{
    desc::Desc,
    foreign,
    registry::{RegisterError, Registry, evict},
    scope::{Scope, ScopeOptions},
    taken::Taken,
};

/// An owner in the set to be.
#[derive(Debug)]
pub enum Owner {
    /// One that is registered, and stays as it is.
    Stays(Arc<Scope>),
    /// One that comes, with its families.
    Comes {
        /// How they are put into the registry.
        options: ScopeOptions,
        /// What it describes.
        descs: Vec<Desc>,
        /// Whose series it goes on with, if anybody's.
        heir: Option<Heir>,
    },
}

/// Whose place an owner takes. Families of instruments that are the same in name, kind, labels and constant labels stay with
/// all their series, which both scopes may change from then on; help and unit are the new ones.
#[derive(Clone, Debug)]
pub struct Heir {
    /// The scope that is registered.
    pub of: Arc<Scope>,
    /// A scope in which the new owner has shown what it does, made by [`Scope::rehearsal`]: a family that reports by samples
    /// now has no use for the old series.
    pub rehearsal: Arc<Scope>,
}

impl Registry {
    /// Checks whether these can be all owners that there are, in this order, and makes scopes for those that come. Nothing
    /// changes before [`Registry::install`]. An error says which one cannot be, by its place; it is one of those that come.
    pub fn plan(&self, owners: Vec<Owner>) -> Result<Vec<Arc<Scope>>, (usize, RegisterError)> {
        // Before the lock: it runs code of others.
        let natives = foreign::gather(&self.natives);
        let mut taken = Taken::default();
        for owner in &owners {
            if let Owner::Stays(scope) = owner {
                taken.share_all(scope);
            }
        }
        self.keep_host(&natives, &mut taken);
        let mut scopes = Vec::with_capacity(owners.len());
        for (place, owner) in owners.into_iter().enumerate() {
            let scope = match owner {
                Owner::Stays(scope) => scope,
                Owner::Comes {
                    options,
                    descs,
                    heir,
                } => {
                    let scope = Arc::new(match heir {
                        Some(heir) => Scope::heir(&options, descs, &heir),
                        None => Scope::new(&options, descs),
                    });
                    taken.check_all(&scope).map_err(|error| (place, error))?;
                    taken.share_all(&scope);
                    scope
                }
            };
            scopes.push(scope);
        }
        Ok(scopes)
    }

    /// Puts planned scopes in the place of all that are registered. Those that are left out keep what they have, for pages
    /// that are under way.
    pub fn install(&self, new: Vec<Arc<Scope>>) {
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        let (stay, come): (Vec<_>, Vec<_>) = new
            .iter()
            .partition(|scope| scopes.iter().any(|old| Arc::ptr_eq(old, scope)));
        let mut described = Taken::default();
        for scope in &come {
            described.share_all(scope);
            scope.inherit();
        }
        stay.into_iter().for_each(|owner| evict(owner, &described));
        *scopes = new;
    }
}
