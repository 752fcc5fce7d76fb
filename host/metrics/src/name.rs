//! Names as the Prometheus data model allows them. Since Prometheus 3 that is any UTF-8; the names that every reader
//! takes, without quotes, are called legacy names there and here.

/// Whether this is a metric name: any text but the empty one.
pub fn is_metric_name(name: &str) -> bool {
    !name.is_empty()
}

/// Whether this is a label name that a user may choose: any text but the empty one, without the `__` in front that
/// Prometheus keeps for itself.
pub fn is_label_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with("__")
}

/// Whether this metric name needs no quotes: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub fn is_legacy_metric_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .enumerate()
            .all(|(at, b)| is_legacy_byte(b, at))
}

/// Whether this label name needs no quotes: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub fn is_legacy_label_name(name: &str) -> bool {
    is_legacy_metric_name(name) && !name.contains(':')
}

/// Whether this byte may stand at this place of a legacy metric name.
pub(crate) fn is_legacy_byte(byte: u8, at: usize) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || (at > 0 && byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_names() {
        for legacy in ["a", "_", ":rate", "http_requests_total", "A9"] {
            assert!(is_legacy_metric_name(legacy), "{legacy}");
        }
        for other in ["9a", "a-b", "a b", "é", "a\n", "a{", "my.name"] {
            assert!(!is_legacy_metric_name(other), "{other}");
            assert!(is_metric_name(other), "{other}");
        }
        assert!(!is_legacy_metric_name("") && !is_metric_name(""));
    }

    #[test]
    fn label_names() {
        for legacy in ["a", "_a", "code", "le"] {
            assert!(is_legacy_label_name(legacy), "{legacy}");
        }
        for other in ["a:b", "1", "a\"", "ü", "my.label"] {
            assert!(!is_legacy_label_name(other), "{other}");
            assert!(is_label_name(other), "{other}");
        }
        for bad in ["", "__name__"] {
            assert!(!is_label_name(bad), "{bad}");
        }
    }
}
