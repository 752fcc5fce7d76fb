//! Families that are found at run time.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::sync::Arc;

use meterbox_metrics::{
    Desc, Kind, Registry, Sample, Scope, ScopeLimits, ScopeOptions, View,
    encode::{Escaping, Format},
    parse,
};

fn found(page: &str) -> Vec<(Desc, Vec<Sample>)> {
    let families = parse::text(page).unwrap();
    families
        .iter()
        .map(|family| family.assemble().unwrap())
        .collect()
}

fn scope(registry: &Registry, name: &str, described: &[&str]) -> Arc<Scope> {
    let descs = described
        .iter()
        .map(|name| Desc::new(*name, "", Kind::Gauge));
    registry
        .register(&ScopeOptions::new(name), descs.collect())
        .unwrap()
}

/// Puts a page into a scope; returns the reasons of what is left out.
fn put(registry: &Registry, scope: &Arc<Scope>, page: &str) -> Vec<&'static str> {
    let errors = registry.replace_dynamic(scope, found(page));
    errors.iter().map(|error| error.reason()).collect()
}

fn shown(registry: &Registry) -> String {
    let page = registry.page(|_| View::All);
    String::from_utf8(page.to_bytes(Format::Text, Escaping::default())).unwrap()
}

const PAGE: &str = "\
# HELP a_total All.
# TYPE a_total counter
a_total{x=\"1\"} 1
# TYPE h histogram
h_bucket{le=\"1\"} 1
h_bucket{le=\"+Inf\"} 2
h_sum 3
h_count 2
";

#[test]
fn a_page_replaces_the_one_before() {
    let registry = Registry::default();
    let scope = scope(&registry, "p", &[]);
    assert_eq!(put(&registry, &scope, PAGE), [""; 0]);
    assert_eq!(shown(&registry), PAGE);
    assert_eq!((scope.series(), scope.dynamic_families()), (2, 2));
    put(&registry, &scope, "b 1\n# TYPE nothing gauge\n");
    assert_eq!(shown(&registry), "# TYPE b untyped\nb 1\n");
    let stale = registry.page(|_| View::Instruments);
    assert_eq!(stale.to_bytes(Format::Text, Escaping::default()), b"");
}

#[test]
fn prefix_and_constant_labels_apply() {
    let registry = Registry::default();
    let options = ScopeOptions {
        prefix: "my_".to_owned(),
        const_labels: vec![("zone".to_owned(), "a".to_owned())],
        ..ScopeOptions::new("p")
    };
    let scope = registry.register(&options, Vec::new()).unwrap();
    let errors = put(&registry, &scope, "b{y=\"1\"} 1\nc{zone=\"b\"} 1\n");
    assert_eq!(errors, ["invalid"]);
    assert_eq!(
        shown(&registry),
        "# TYPE my_b untyped\nmy_b{y=\"1\",zone=\"a\"} 1\n"
    );
}

#[test]
fn the_first_of_one_name_counts() {
    let registry = Registry::default();
    let scope = scope(&registry, "p", &[]);
    let mut all = found("# HELP a A.\n# TYPE a gauge\na{x=\"1\"} 1\n");
    all.extend(found(
        "# HELP a A.\n# TYPE a gauge\na{x=\"1\"} 2\na{y=\"1\"} 3\n",
    ));
    all.extend(found("# HELP a B.\n# TYPE a gauge\na{x=\"2\"} 4\n"));
    all.extend(found("# HELP a A.\n# TYPE a counter\na{x=\"3\"} 5\n"));
    let errors = registry.replace_dynamic(&scope, all);
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            r#"metric "a" was found before with the help text "A.", and has "B." now, and the first one counts"#,
            r#"metric "a" was found before as a gauge, and is a counter now, and the first one counts"#,
            r#"metric "a" has 1 series that were found before with the same labels, and the first ones count"#,
        ]
    );
    assert_eq!(
        shown(&registry),
        "# HELP a A.\n# TYPE a gauge\na{x=\"\",y=\"1\"} 3\na{x=\"1\",y=\"\"} 1\n"
    );
}

#[test]
fn who_described_a_family_keeps_it() {
    let registry = Registry::default();
    let first = scope(&registry, "first", &["a", "b_count"]);
    let second = scope(&registry, "second", &["own"]);
    let page = "a 1\n# TYPE b histogram\nb_bucket{le=\"+Inf\"} 1\nb_sum 1\nb_count 1\nown 1\nc 1\n";
    assert_eq!(put(&registry, &second, page), ["clash"; 3]);
    assert_eq!(shown(&registry), "# TYPE c untyped\nc 1\n");

    // Whoever comes later and describes it takes it over.
    let third = scope(&registry, "third", &["c"]);
    assert_eq!(
        (shown(&registry).as_str(), second.dynamic_families()),
        ("", 0)
    );
    assert_eq!(put(&registry, &second, "c 1\n"), ["clash"]);
    registry.unregister(&third);
    assert_eq!(put(&registry, &second, "c 1\n"), [""; 0]);
    assert_eq!(second.dynamic_families(), 1);

    // Among what was found, the owner who registered first wins, whoever finds it first.
    assert_eq!(put(&registry, &first, "c 2\n"), [""; 0]);
    assert_eq!(shown(&registry), "# TYPE c untyped\nc 2\n");
    assert_eq!(put(&registry, &second, "c 1\n"), ["clash"]);
    assert_eq!(put(&registry, &first, ""), [""; 0]);
    assert_eq!(put(&registry, &second, "c 1\n"), [""; 0]);
    assert_eq!(shown(&registry), "# TYPE c untyped\nc 1\n");
}

#[test]
fn families_of_one_text_do_not_collide() {
    let registry = Registry::default();
    let scope = scope(&registry, "p", &[]);
    let mut all = found(PAGE);
    all.extend(found("h_count 1\n"));
    let errors = registry.replace_dynamic(&scope, all);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].reason(), "clash");
    assert_eq!(shown(&registry), PAGE);
}

#[test]
fn instances_of_one_plugin_share() {
    let registry = Registry::default();
    for zone in ["b", "a"] {
        let options = ScopeOptions {
            const_labels: vec![("zone".to_owned(), zone.to_owned())],
            ..ScopeOptions::new(zone)
        };
        let scope = registry.register(&options, Vec::new()).unwrap();
        assert_eq!(put(&registry, &scope, "c 1\n"), [""; 0]);
    }
    assert_eq!(
        shown(&registry),
        "# TYPE c untyped\nc{zone=\"a\"} 1\nc{zone=\"b\"} 1\n"
    );
}

#[test]
fn series_count_towards_the_limit() {
    let registry = Registry::default();
    let options = ScopeOptions {
        limits: ScopeLimits {
            max_series: 2,
            ..ScopeLimits::default()
        },
        ..ScopeOptions::new("p")
    };
    let scope = registry.register(&options, Vec::new()).unwrap();
    let page = "a 1\nb{x=\"1\"} 1\nb{x=\"2\"} 1\nc 1\n";
    assert_eq!(put(&registry, &scope, page), ["series_limit"]);
    assert_eq!(scope.series(), 2);
    assert!(!shown(&registry).contains('b'));
}

#[test]
fn native_code_keeps_its_names() {
    let native = prometheus::Registry::new();
    let gauge = prometheus::Gauge::new("native", "N").unwrap();
    native.register(Box::new(gauge)).unwrap();
    let registry = Registry::new(vec![native]);
    let scope = scope(&registry, "p", &[]);
    assert_eq!(put(&registry, &scope, "native 1\n"), ["clash"]);
    assert_eq!(
        shown(&registry),
        "# HELP native N\n# TYPE native gauge\nnative 0\n"
    );
}
