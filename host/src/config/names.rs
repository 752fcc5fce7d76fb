//! Which names and paths are valid.

/// `[a-zA-Z0-9][a-zA-Z0-9_-]*`
pub(super) fn is_plugin_name(name: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    name.as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric)
        && name.bytes().all(is_word)
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, and not `__`, which Prometheus keeps for itself.
pub(super) fn is_label_name(name: &str) -> bool {
    !name.starts_with("__") && !name.contains(':') && is_metric_name(name)
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`
pub(super) fn is_metric_name(name: &str) -> bool {
    let is_start = |b: u8| b.is_ascii_alphabetic() || b == b'_' || b == b':';
    name.bytes().next().is_some_and(is_start)
        && name.bytes().all(|b| is_start(b) || b.is_ascii_digit())
}

/// Says what keeps `path` from being the exact path of a page.
pub(super) fn path_problem(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        let rest = path.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        return Some(format!("{path:?} is not a path; write \"/{rest}\""));
    }
    if let Some(end) = path.find(['?', '#']) {
        return Some(format!(
            "{path:?} has more than a path; write {:?}",
            &path[..end]
        ));
    }
    let odd = path.chars().find(|c| !c.is_ascii_graphic())?;
    Some(format!(
        "{path:?} has the character {odd:?}; write it percent-encoded"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_names_from_other_words() {
        for good in ["a", "9", "counter-2_b"] {
            assert!(is_plugin_name(good), "{good}");
        }
        for bad in ["", "-a", "_a", "a.b", "a b", "é"] {
            assert!(!is_plugin_name(bad), "{bad}");
        }
        for good in ["zone", "_a", "a_1", "le"] {
            assert!(is_label_name(good), "{good}");
        }
        for bad in ["", "__name__", "a:b", "1a", "a-b"] {
            assert!(!is_label_name(bad), "{bad}");
        }
        assert!(is_metric_name(":a") && !is_metric_name("1a") && !is_metric_name(""));
    }

    #[test]
    fn paths_come_with_a_remedy() {
        assert_eq!(path_problem("/hello/world%20"), None);
        let problem = |path| path_problem(path).unwrap_or_default();
        assert_eq!(problem("hello"), r#""hello" is not a path; write "/hello""#);
        assert_eq!(
            problem("/a?b=c"),
            r#""/a?b=c" has more than a path; write "/a""#
        );
        assert!(problem("/a b").ends_with("' '; write it percent-encoded"));
    }
}
