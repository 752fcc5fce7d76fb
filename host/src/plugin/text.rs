//! What a plugin reports as exposition text.

use std::{collections::HashSet, sync::Arc};

use meterbox_metrics::{
    Registry, Scope,
    parse::{self, ParseError},
};

use crate::{
    engine::{Fault, FaultKind},
    own::CollectorMetrics,
};

/// The export that gives the text, for messages.
const EXPORT: &str = "collect-text";

/// The way of a plugin's text into the registry.
pub(super) struct Texts {
    registry: Registry,
    scope: Arc<Scope>,
    metrics: CollectorMetrics,
    /// What the last text brought that was left out: each is logged once until it changes.
    said: HashSet<String>,
}

/// What is left out of a text, with one word for the reason.
type LeftOut = Vec<(&'static str, String)>;

impl Texts {
    pub(super) fn new(registry: &Registry, scope: &Arc<Scope>, metrics: &CollectorMetrics) -> Self {
        Self {
            registry: registry.clone(),
            scope: Arc::clone(scope),
            metrics: metrics.clone(),
            said: HashSet::new(),
        }
    }

    /// Replaces the families of the last text.
    pub(super) async fn accept(&mut self, text: String) -> Result<(), Fault> {
        let (registry, scope) = (self.registry.clone(), Arc::clone(&self.scope));
        // A long text takes longer than a serving thread may be kept.
        let reading = tokio::task::spawn_blocking(move || read(&registry, &scope, &text));
        let left_out = reading
            .await
            .map_err(|crash| fault(format!("the host crashed while reading its text: {crash}")))?
            .map_err(|error| fault(format!("its text is refused: {error}")))?;
        let mut now = HashSet::new();
        for (reason, error) in left_out {
            self.metrics.rejected(reason);
            if !self.said.contains(&error) {
                let plugin = self.scope.owner();
                tracing::warn!(plugin, reason, error, "a family of its text is left out");
            }
            now.insert(error);
        }
        self.said = now;
        Ok(())
    }

    /// What the last text brought that was left out, a sentence each.
    pub(super) fn left_out(&self) -> impl Iterator<Item = &String> {
        self.said.iter()
    }
}

fn fault(message: String) -> Fault {
    Fault::new(FaultKind::Error, EXPORT, message)
}

/// Whether a text can be read.
pub(super) fn check(text: &str) -> Result<(), Fault> {
    let parsed = parse(text).map(drop);
    parsed.map_err(|error| fault(format!("its text is refused: {error}")))
}

fn parse(text: &str) -> Result<Vec<parse::ParsedFamily<'_>>, ParseError> {
    if is_openmetrics(text) {
        parse::openmetrics(text)
    } else {
        parse::text(text)
    }
}

fn read(registry: &Registry, scope: &Arc<Scope>, text: &str) -> Result<LeftOut, ParseError> {
    let families = parse(text)?;
    let mut left_out = LeftOut::new();
    let mut found = Vec::with_capacity(families.len());
    for family in families {
        match family.assemble() {
            Ok(family) => found.push(family),
            Err(error) => left_out.push((error.reason(), error.to_string())),
        }
    }
    let errors = registry.replace_dynamic(scope, found);
    left_out.extend(
        errors
            .iter()
            .map(|error| (error.reason(), error.to_string())),
    );
    Ok(left_out)
}

/// OpenMetrics cannot be without its last line, which format 0.0.4 takes for a comment.
fn is_openmetrics(text: &str) -> bool {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text == "# EOF" || text.ends_with("\n# EOF")
}
