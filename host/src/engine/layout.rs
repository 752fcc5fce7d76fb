//! Where the memories of plugins lie.

use rustix::process::{Resource, getrlimit};
use wasmtime::Config;

/// How linear memories lie in the address space. Compiled code depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// 4 GiB are reserved for each, so that code needs no bounds checks.
    Wide,
    /// Nothing is reserved: for processes whose address space is limited.
    Narrow,
}

impl Layout {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Wide, Self::Narrow]
            .into_iter()
            .find(|layout| layout.name() == name)
    }

    /// Wide, unless the process may not have the address space.
    pub(super) fn probe() -> Self {
        if getrlimit(Resource::As).current.is_none() {
            return Self::Wide;
        }
        tracing::info!(
            "address space is limited (ulimit -v): plugins run with bounds checks instead of reserved space"
        );
        Self::Narrow
    }

    /// What the compiler has to know of it.
    pub(super) fn apply(self, config: &mut Config) {
        match self {
            Self::Wide => {
                config.memory_reservation(4 << 30);
                config.memory_guard_size(32 << 20);
            }
            Self::Narrow => {
                config.memory_reservation(0);
                config.memory_reservation_for_growth(1 << 20);
                config.memory_guard_size(64 << 10);
            }
        }
    }
}
