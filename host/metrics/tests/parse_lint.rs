//! The linter says what promtool says; see `parse/lint.txt`.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its table fails"
)]

use meterbox_metrics::parse;

#[test]
fn as_promtool() {
    let (_, cases) = include_str!("parse/lint.txt").split_once("\n=== ").unwrap();
    let mut complaints = String::new();
    for case in cases.split("\n=== ") {
        let (name, rest) = case.split_once('\n').unwrap();
        let (page, wanted) = rest.split_once("---\n").unwrap();
        let mut wanted: Vec<_> = wanted.lines().collect();
        let problems = parse::lint(&parse::text(page).unwrap());
        let mut found: Vec<_> = problems.iter().map(ToString::to_string).collect();
        wanted.sort_unstable();
        found.sort_unstable();
        if found != wanted {
            complaints += &format!("{name}: found {found:#?}, wanted {wanted:#?}\n");
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

#[test]
fn openmetrics_names_are_judged_with_their_suffix() {
    let page = "# HELP a x\n# TYPE a counter\na_total 1\n# EOF\n";
    assert_eq!(parse::lint(&parse::openmetrics(page).unwrap()), []);
    let page = "# HELP a x\n# TYPE a info\na_info 1\n# EOF\n";
    assert_eq!(parse::lint(&parse::openmetrics(page).unwrap()), []);
}
