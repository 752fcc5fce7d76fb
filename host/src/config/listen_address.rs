//! Where to listen.

use std::path::Path;

/// The path of a Unix socket: `unix:///run/x.sock`, `unix:/run/x.sock` or `/run/x.sock`.
pub(crate) fn unix_path(address: &str) -> Option<&Path> {
    let path = address.strip_prefix("unix:").unwrap_or(address);
    let path = match path.strip_prefix("//") {
        Some(path) if address.starts_with("unix:") => path,
        _ => path,
    };
    path.starts_with('/').then(|| Path::new(path))
}

/// Says what keeps the text from being an address.
pub(super) fn problem(address: &str) -> Option<String> {
    if unix_path(address).is_some_and(|path| path.file_name().is_some()) || is_tcp(address) {
        return None;
    }
    if address.starts_with("unix:") || address.starts_with('/') {
        return Some(format!(
            "{address:?} is not the path of a socket; write it like \"unix:///run/meterbox.sock\""
        ));
    }
    Some(format!(
        "{address:?} is not HOST:PORT; write it like \"127.0.0.1:8080\" or \"[::1]:8080\""
    ))
}

fn is_tcp(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else {
        return false;
    };
    let is_host = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(v6) => v6.contains(':'),
        None => !host.contains([':', '/', '[', ']', ' ']),
    };
    is_host && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_addresses_from_other_words() {
        for good in [
            "127.0.0.1:0",
            "localhost:8080",
            ":9100",
            "[::]:80",
            "[::1%lo]:80",
            "unix:///run/x.sock",
            "unix:/run/x.sock",
            "/run/x:80",
        ] {
            assert_eq!(problem(good), None, "{good}");
        }
        for bad in [
            "",
            "8080",
            "localhost",
            "::1:80",
            "http://localhost:80",
            "a:65536",
            "a:+1",
            "a:",
            "[]:1",
            "unix:",
            "unix://",
            "unix:///",
            "unix:x.sock",
            "unix://x.sock",
            "/",
            "vsock://:9100",
        ] {
            assert!(problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn all_spellings_of_a_socket_are_one() {
        for address in ["unix:///run/x.sock", "unix:/run/x.sock", "/run/x.sock"] {
            assert_eq!(
                unix_path(address),
                Some(Path::new("/run/x.sock")),
                "{address}"
            );
        }
        assert_eq!(unix_path("127.0.0.1:8080"), None);
    }
}
