//! A registry with one owner, and its page as text.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

pub mod kinds;

use std::{sync::Arc, time::Instant};

use meterbox_metrics::{
    Desc, Page, Registry, Scope, ScopeOptions, Session, View,
    encode::{Escaping, Format},
};

/// One registry, the scope of one owner, and a session of it.
pub struct Bench {
    pub registry: Registry,
    pub scope: Arc<Scope>,
    pub session: Session,
}

impl Bench {
    pub fn new(descs: Vec<Desc>) -> Self {
        let registry = Registry::default();
        let scope = registry
            .register(&ScopeOptions::new("test"), descs)
            .expect("good families");
        let session = Session::new(Arc::clone(&scope));
        Self {
            registry,
            scope,
            session,
        }
    }

    pub fn commit(&mut self) {
        self.session.commit(Instant::now());
    }

    /// The page without its comments.
    pub fn samples(&self) -> String {
        let page = page(&self.registry);
        page.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect()
    }
}

pub fn page(registry: &Registry) -> String {
    text(&registry.page(|_| View::All))
}

pub fn text(page: &Page) -> String {
    String::from_utf8(page.to_bytes(Format::Text, Escaping::default())).expect("UTF-8")
}

pub fn values(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}
