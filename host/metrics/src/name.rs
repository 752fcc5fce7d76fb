//! Names as the Prometheus data model allows them without quoting.

/// Whether this is a metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub fn is_metric_name(name: &str) -> bool {
    is_word(name, |byte| byte == b':')
}

/// Whether this is a label name that a user may choose: `[a-zA-Z_][a-zA-Z0-9_]*`, without the `__` that Prometheus
/// keeps for itself.
pub fn is_label_name(name: &str) -> bool {
    is_word(name, |_| false) && !name.starts_with("__")
}

fn is_word(name: &str, extra: impl Fn(u8) -> bool) -> bool {
    let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || extra(byte);
    match name.as_bytes() {
        [] => false,
        [first, rest @ ..] => {
            starts(*first) && rest.iter().all(|&b| starts(b) || b.is_ascii_digit())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_names() {
        for good in ["a", "_", ":rate", "http_requests_total", "A9"] {
            assert!(is_metric_name(good), "{good}");
        }
        for bad in ["", "9a", "a-b", "a b", "é", "a\n", "a{"] {
            assert!(!is_metric_name(bad), "{bad}");
        }
    }

    #[test]
    fn label_names() {
        for good in ["a", "_a", "code", "le"] {
            assert!(is_label_name(good), "{good}");
        }
        for bad in ["", "__name__", "a:b", "1", "a\"", "ü"] {
            assert!(!is_label_name(bad), "{bad}");
        }
    }
}
