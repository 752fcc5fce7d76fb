//! The landing page: what is here, and how the plugins do.

use std::fmt::{self, Display, Write};

use ::http::{HeaderValue, Response, StatusCode, header::LOCATION};

use super::reply;
use crate::{
    config::{HEALTHY_PATH, READY_PATH},
    host::{Body, Host, PluginStatus},
};

pub(super) fn page(host: &Host) -> Response<Body> {
    let page = Landing {
        telemetry_path: host.telemetry_path(),
        plugins: &host.plugins(),
        base: &host.web().external_path().unwrap_or_else(|| ".".to_owned()),
    };
    let content_type = HeaderValue::from_static("text/html; charset=utf-8");
    reply::bytes(StatusCode::OK, content_type, page.to_string())
}

/// To the landing page, for whoever came to the root, or forgot the last slash.
pub(super) fn elsewhere(host: &Host) -> Response<Body> {
    let web = host.web();
    let path = format!("{}/", web.external_path().unwrap_or_else(|| web.prefix()));
    let Ok(location) = HeaderValue::from_str(&path) else {
        return reply::text(StatusCode::NOT_FOUND, "Not found\n");
    };
    let mut response = reply::text(StatusCode::FOUND, "Found\n");
    response.headers_mut().insert(LOCATION, location);
    response
}

struct Landing<'a> {
    telemetry_path: &'a str,
    plugins: &'a [PluginStatus],
    /// What links begin with: the path of the external URL, or `.`: relative links also hold where a router mounted us below a
    /// prefix, or a proxy hides one.
    base: &'a str,
}

impl Display for Landing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        f.write_str("<ul>\n")?;
        writeln!(f, "<li>{}</li>", self.link(self.telemetry_path, "metrics"))?;
        writeln!(f, "<li>{}</li>", self.link(HEALTHY_PATH, "health"))?;
        writeln!(f, "<li>{}</li>", self.link(READY_PATH, "readiness"))?;
        f.write_str("</ul>\n")?;
        if self.plugins.is_empty() {
            f.write_str("<p>No plugin is loaded.</p>\n")?;
        } else {
            f.write_str("<table>\n<tr><th>plugin</th><th>state</th><th>routes</th></tr>\n")?;
            self.plugins
                .iter()
                .try_for_each(|plugin| self.row(f, plugin))?;
            f.write_str("</table>\n")?;
        }
        f.write_str("</body>\n</html>\n")
    }
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<title>Meterbox</title>
<style>body { font-family: sans-serif; margin: 2rem } th, td { text-align: left; padding-right: 2rem }</style>
</head>
<body>
<h1>Meterbox</h1>
<p>A Prometheus exporter whose collectors are sandboxed WebAssembly plugins.</p>
";

impl<'a> Landing<'a> {
    fn link(&self, path: &'a str, text: &'a str) -> Link<'a> {
        let base = self.base;
        Link { base, path, text }
    }

    fn row(&self, f: &mut fmt::Formatter<'_>, plugin: &PluginStatus) -> fmt::Result {
        let state = if plugin.up { "up" } else { "down" };
        write!(
            f,
            "<tr><td>{}</td><td>{state}</td><td>",
            Escaped(&plugin.name)
        )?;
        for route in &plugin.routes {
            write!(f, "{} ", self.link(route, route))?;
        }
        f.write_str("</td></tr>\n")
    }
}

/// A path, with what stands before it, and its text.
struct Link<'a> {
    base: &'a str,
    path: &'a str,
    text: &'a str,
}

impl Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [base, path, text] = [self.base, self.path, self.text].map(Escaped);
        write!(f, "<a href=\"{base}{path}\">{text}</a>")
    }
}

/// Text for an element or a quoted attribute.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_everything_that_was_configured() {
        let plugins = [PluginStatus {
            name: "a<b".to_owned(),
            up: false,
            state: crate::PluginState::Running,
            faults: Vec::new(),
            routes: vec!["/\"><script>".to_owned()],
            wants: Vec::new(),
            grants: Vec::new(),
        }];
        let page = Landing {
            telemetry_path: "/m&m",
            plugins: &plugins,
            base: ".",
        };
        let page = page.to_string();
        assert!(page.contains("<a href=\"./m&amp;m\">metrics</a>"), "{page}");
        assert!(page.contains("<td>a&lt;b</td><td>down</td>"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }
}
