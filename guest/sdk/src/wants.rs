//! What a plugin wants to be granted.

use crate::bindings::wants::exports::meterbox::plugin::wants as wit;
use crate::plugin::{Exports, Plugin};

/// Says what the plugin wants to be granted, so that the operator need not find out by its failures.
pub trait Wants {
    /// Asked once when the plugin starts, before [`Collector::register`](crate::Collector::register).
    fn wants() -> Vec<Want>;
}

/// One thing that is wanted: the key of the grant, an item of it as it stands in the config, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    grant: String,
    what: String,
    why: String,
    is_needed: bool,
}

impl Want {
    /// What the plugin cannot do without: the host does not start it unless it is granted.
    ///
    /// `grant` is the key under `[plugins.NAME.grants]`, `what` one item of it: `("tcp", "db.example.com:5432")`. It is
    /// empty if the operator has to choose, and for `meminfo`.
    pub fn needed(
        grant: impl Into<String>,
        what: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            grant: grant.into(),
            what: what.into(),
            why: why.into(),
            is_needed: true,
        }
    }

    /// What the plugin uses if it is there.
    pub fn optional(
        grant: impl Into<String>,
        what: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            is_needed: false,
            ..Self::needed(grant, what, why)
        }
    }
}

impl<P: Plugin + Wants> wit::Guest for Exports<P> {
    fn wants() -> Vec<wit::Want> {
        let wants = P::wants().into_iter().map(|want| wit::Want {
            grant: want.grant,
            what: want.what,
            why: want.why,
            needed: want.is_needed,
        });
        wants.collect()
    }
}
