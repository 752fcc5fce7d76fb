//! How families begin: their names, and what `# HELP`, `# TYPE` and `# UNIT` say of them.

use std::borrow::Cow;

use super::{
    error::Fault,
    kind::{ParsedKind, Suffix},
    model::ParsedFamily,
    page::Page,
};

impl<'a> Page<'a> {
    /// The family that a `# HELP`, `# TYPE` or `# UNIT` line speaks of.
    pub(super) fn describe(
        &mut self,
        name: Cow<'a, str>,
        at: usize,
    ) -> Result<&mut ParsedFamily<'a>, Fault> {
        if self.open.name != name {
            self.open(name, at)?;
        } else if !self.open.rows.is_empty() {
            let message = format!("expected what describes {name:?} before its samples");
            return Err(Fault::new(at, message));
        }
        Ok(&mut self.open)
    }

    /// Sets the kind of the open family, which had none.
    pub(super) fn set_kind(&mut self, kind: ParsedKind, at: usize) -> Result<(), Fault> {
        self.open.kind = kind;
        self.open.typed = true;
        for suffix in kind.suffixes(self.format) {
            if *suffix == Suffix::None {
                continue;
            }
            let name = format!("{}{}", self.open.name, suffix.text());
            if self.names.contains(name.as_str()) {
                let family = &self.open.name;
                let message = format!(
                    "expected {name:?} to belong to one family, found it before {} {family:?}",
                    kind.name()
                );
                return Err(Fault::new(at, message));
            }
            self.names.insert(Cow::Owned(name));
        }
        Ok(())
    }

    /// Checks the unit of the open family against its name and kind, whichever of its lines came last.
    pub(super) fn check_unit(&self, at: usize) -> Result<(), Fault> {
        let ParsedFamily {
            name, kind, unit, ..
        } = &self.open;
        let Some(unit) = unit.as_deref().filter(|unit| !unit.is_empty()) else {
            return Ok(());
        };
        let base = name.strip_suffix(unit);
        if !base.is_some_and(|base| base.ends_with('_')) {
            let message = format!("expected a name that ends in its unit, _{unit}, found {name:?}");
            return Err(Fault::new(at, message));
        }
        if matches!(kind, ParsedKind::Info | ParsedKind::StateSet) {
            let message = format!("expected no unit for {} {name:?}", kind.name());
            return Err(Fault::new(at, message));
        }
        Ok(())
    }

    /// Closes the open family and opens another.
    pub(super) fn open(&mut self, name: Cow<'a, str>, at: usize) -> Result<(), Fault> {
        self.close()?;
        if !self.names.insert(name.clone()) {
            let message = format!(
                "expected the lines of each family together and its name once, found {name:?} again"
            );
            return Err(Fault::new(at, message));
        }
        let next = ParsedFamily::new(name, self.format);
        let last = std::mem::replace(&mut self.open, next);
        if !last.name.is_empty() {
            self.closed.push(last);
        }
        Ok(())
    }
}
