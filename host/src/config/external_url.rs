//! URLs under which others see the exporter.

use ::http::Uri;

use super::names;

/// The path of a URL, which may be a path alone: empty, or without a slash at its end.
pub(super) fn path(url: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "{url:?} is not a URL; write it like \"https://example.org/meterbox\" or \"/meterbox\""
        )
    };
    if url.starts_with('/') {
        return match names::path_problem(url) {
            Some(problem) => Err(problem),
            None => Ok(trimmed(url)),
        };
    }
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_http || uri.query().is_some() || url.contains('#') {
        return Err(wrong());
    }
    Ok(trimmed(uri.path()))
}

/// A prefix as Prometheus reads it: slashes at either end say nothing.
pub(super) fn trimmed(path: &str) -> String {
    match path.trim_matches('/') {
        "" => String::new(),
        path => format!("/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn the_path_is_what_counts() {
        for (url, expected) in [
            ("https://example.org", ""),
            ("https://example.org/", ""),
            ("http://example.org:8080/a/b/", "/a/b"),
            ("/a", "/a"),
            ("/a/", "/a"),
            ("/", ""),
        ] {
            assert_eq!(path(url).as_deref(), Ok(expected), "{url}");
        }
        for bad in [
            "",
            "a",
            "example.org",
            "example.org/a",
            "ftp://a/b",
            "http://a/?b",
            "http://a/#b",
            "/a?b",
            "/a b",
        ] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }
}
