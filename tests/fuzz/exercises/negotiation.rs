//! Any request for a page: never a panic, always one of the exact content types, and what is refused is not sent.

use ::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, ACCEPT_ENCODING},
};
use arbitrary::{Result, Unstructured};
use meterbox_metrics::encode::{Escaping, Format};

use super::{deadline, negotiate, query::Filter};

/// What headers are made of, so that bytes get past the first comma.
const PIECES: [&str; 32] = [
    "text/plain",
    "application/openmetrics-text",
    "application/vnd.google.protobuf",
    "application/json",
    "*/*",
    "text/*",
    "*",
    ";q=0",
    ";q=0.000",
    ";q=0.5",
    ";q=1",
    ";q=",
    "; Q=0.3",
    ";version=0.0.4",
    ";version=1.0.0",
    ";version=0.0.1",
    ";escaping=allow-utf-8",
    ";escaping=values",
    ";proto=io.prometheus.client.MetricFamily",
    ";encoding=delimited",
    ";encoding=text",
    ";encoding=compact-text",
    "gzip",
    "zstd",
    "identity",
    "br",
    ",",
    ", ",
    ";",
    "=",
    "/",
    " ",
];

const FORMATS: [Format; 6] = [
    Format::Text,
    Format::OpenMetrics001,
    Format::OpenMetrics100,
    Format::ProtobufDelimited,
    Format::ProtobufText,
    Format::ProtobufCompactText,
];

/// Asks with these bytes.
pub fn negotiation(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let mut headers = HeaderMap::new();
    let Ok(query) = request(&mut u, &mut headers) else {
        return;
    };
    let (format, escaping) = negotiate::format(&headers);
    let content_type = format.content_type(escaping);
    let all = FORMATS
        .iter()
        .flat_map(|format| Escaping::ALL.map(|it| format.content_type(it)));
    assert!(all.into_iter().any(|known| known == content_type));
    if let Some([accept]) = only(&headers, &ACCEPT) {
        // Text is the last resort; everything else was asked for.
        let media_type = content_type.split(';').next().unwrap_or_default();
        let clauses = accept
            .split(',')
            .filter(|clause| !is_refused(clause, |name| name == "q"));
        let mut asked = clauses.filter_map(|clause| clause.split(';').next());
        let is_asked = asked.any(|it| it.split('/').map(str::trim).eq(media_type.split('/')));
        assert!(
            format == Format::Text || is_asked,
            "{content_type} for {accept:?}"
        );
    }
    let coding = negotiate::coding(&headers).name();
    assert!(["identity", "gzip", "zstd"].contains(&coding));
    if let Some([accept]) = only(&headers, &ACCEPT_ENCODING) {
        let named = |clause: &&str| {
            clause.split(';').next().is_some_and(|name| {
                let name = name.trim();
                name == "*" || name.eq_ignore_ascii_case(coding)
            })
        };
        let mut named = accept.split(',').filter(named);
        let is_asked =
            named.any(|clause| !is_refused(clause, |name| name.eq_ignore_ascii_case("q")));
        assert!(coding == "identity" || is_asked, "{coding} for {accept:?}");
    }
    let patience = deadline::time_to_answer(&headers);
    assert!(patience.as_secs() <= 60 * 60 && !patience.is_zero());
    if let Ok(filter) = Filter::parse(query.as_deref(), |plugin| plugin.len() < 4) {
        // A family stays if its name was asked for, or none was.
        assert!(!filter.has_all_families() || filter.family("up"));
        filter.plugin("abc");
    }
}

/// Whether it has a weight, and however often it says one, zero.
fn is_refused(clause: &str, is_weight: fn(&str) -> bool) -> bool {
    let parameters = clause.split(';').skip(1);
    let parameters = parameters.filter_map(|part| part.split_once('='));
    let mut weights = parameters.filter(|(name, _)| is_weight(name.trim()));
    let is_zero = |weight: &str| weight.trim().parse() == Ok(0.0_f32);
    weights.next().is_some_and(|(_, first)| is_zero(first)) && weights.all(|(_, it)| is_zero(it))
}

/// The value of a header that came once, as text.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<[&'h str; 1]> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next()?.to_str().ok()?;
    lines.next().is_none().then_some([line])
}

fn request(u: &mut Unstructured<'_>, headers: &mut HeaderMap) -> Result<Option<String>> {
    let timeout = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");
    for name in [ACCEPT, ACCEPT_ENCODING, timeout] {
        for _ in 0..u.int_in_range(0..=2)? {
            let mut line = Vec::new();
            for _ in 0..u.int_in_range(0..=12)? {
                match u.ratio(7, 8)? {
                    true => line.extend_from_slice(u.choose(&PIECES)?.as_bytes()),
                    false => line.extend_from_slice(u.arbitrary::<&[u8]>()?),
                }
            }
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                headers.append(&name, value);
            }
        }
    }
    let query = (0..u.int_in_range(0..=4)?).map(|_| {
        let key = u.choose(&["name[]", "collect[]", "exclude%5B%5D", "&", "=", "%"])?;
        Ok(format!("{key}={}", u.arbitrary::<&str>()?))
    });
    let query: Vec<_> = query.collect::<Result<_>>()?;
    Ok((!query.is_empty()).then(|| query.join("&")))
}
