//! Which families there are, for people who look for one.

use std::sync::Arc;

use crate::{desc::Desc, foreign, registry::Registry};

/// A family, and who has it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What it is, with the prefix of its owner.
    pub desc: Arc<Desc>,
    /// The owner of its scope; none for the families of the program itself and of native code.
    pub owner: Option<String>,
    /// How many series it has.
    pub series: usize,
}

impl Registry {
    /// The first `most` families, ascending by name, that `wanted` says yes to by what they are and who has them, and how many
    /// there are in all; also those without series. Nobody is asked for new values.
    pub fn list(
        &self,
        most: usize,
        wanted: impl Fn(&Desc, Option<&str>) -> bool,
    ) -> (Vec<Listed>, usize) {
        let native = foreign::gather(&self.natives);
        let native = native.iter().map(|f| (Arc::clone(&f.desc), f.len()));
        let mut found: Vec<_> = native
            .chain(self.own.lens())
            .filter(|(desc, _)| wanted(desc, None))
            .map(|(desc, series)| (desc, None, series))
            .collect();
        for scope in self.scopes_now() {
            let owner = Some(scope.owner());
            // Texts are compared without the lock.
            let described = scope.full_descs().iter().enumerate();
            let described: Vec<_> = described
                .filter(|(_, desc)| wanted(desc, owner))
                .map(|(number, _)| number)
                .collect();
            if !described.is_empty() {
                let families = scope.lock();
                found.extend(described.into_iter().map(|number| {
                    let desc = Arc::clone(&scope.full_descs()[number]);
                    (desc, Some(Arc::clone(&scope)), families[number].len())
                }));
            }
            let dynamic: Vec<_> = {
                let families = scope.lock_dynamic();
                let families = families.iter();
                families.map(|f| (Arc::clone(&f.desc), f.len())).collect()
            };
            let dynamic = dynamic.into_iter().filter(|(desc, _)| wanted(desc, owner));
            found.extend(dynamic.map(|(desc, len)| (desc, Some(Arc::clone(&scope)), len)));
        }
        let all = found.len();
        // Stable: owners stay in their order.
        found.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        found.truncate(most);
        let found = found.into_iter().map(|(desc, scope, series)| Listed {
            desc,
            owner: scope.map(|scope| scope.owner().to_owned()),
            series,
        });
        (found.collect(), all)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

    use std::time::Instant;

    use super::*;
    use crate::{Kind, Sample, SampleValue, ScopeOptions};

    #[test]
    fn families_of_everybody_are_listed_with_their_series() {
        let registry = Registry::default();
        let up = registry
            .own_gauge("up", "Whether it is.", ["plugin"])
            .unwrap();
        up.with(["a"]).set(1.0);
        let options = ScopeOptions {
            prefix: "x_".to_owned(),
            ..ScopeOptions::new("a")
        };
        let descs = vec![
            Desc::new("none", "Without series.", Kind::Gauge),
            Desc::new("some", "With two.", Kind::Gauge).with_labels(["i"]),
        ];
        let scope = registry.register(&options, descs).unwrap();
        let sample = |value: &str| {
            let sample = Sample {
                label_values: vec![value.to_owned()],
                value: SampleValue::Number(1.0),
                timestamp_ms: None,
                created_ms: None,
            };
            (1, sample)
        };
        scope.replace_samples(vec![sample("1"), sample("2")], Instant::now());
        let found = Desc::new("found", "At run time.", Kind::Gauge);
        assert!(
            registry
                .replace_dynamic(&scope, vec![(found, Vec::new())])
                .is_empty()
        );

        let list = |most, word: &str| {
            let (listed, all) = registry.list(most, |desc, _| desc.name.contains(word));
            let rows = listed.into_iter().map(|family| {
                let owner = family.owner.unwrap_or_default();
                (family.desc.name.clone(), owner, family.series)
            });
            (rows.collect::<Vec<_>>(), all)
        };
        let row = |name: &str, owner: &str, series| (name.to_owned(), owner.to_owned(), series);
        let (rows, all) = list(10, "");
        assert!(rows.contains(&row("x_none", "a", 0)), "{rows:?}");
        assert!(rows.contains(&row("x_some", "a", 2)) && rows.contains(&row("up", "", 1)));
        assert!(rows.is_sorted() && rows.len() == all, "{rows:?}");
        assert_eq!(list(1, "x_some"), (vec![row("x_some", "a", 2)], 1));
        let (rows, cut) = list(1, "");
        assert_eq!((rows.len(), cut), (1, all));
    }
}
