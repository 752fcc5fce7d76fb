//! `Accept-Encoding` → how the body is compressed.

use ::http::{HeaderMap, header::ACCEPT_ENCODING};

pub(in crate::http) use meterbox_body::Coding;

/// All that is offered, in the order that decides between what is wanted alike.
const OFFERED: [Coding; 3] = [Coding::Identity, Coding::Gzip, Coding::Zstd];

/// promhttp's rule: of what is offered the first with the greatest weight. So `gzip, zstd` means gzip, and `*`, or
/// nothing, means identity; whoever refuses everything gets identity too.
pub(in crate::http) fn coding(headers: &HeaderMap) -> Coding {
    let said: Vec<_> = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(weighted)
        .collect();
    let weight_of = |coding: Coding| {
        said.iter()
            .filter(|(name, _)| *name == "*" || name.eq_ignore_ascii_case(coding.name()))
            .map(|(_, weight)| *weight)
            .fold(0.0, f32::max)
    };
    let best = OFFERED.into_iter().map(weight_of).fold(0.0, f32::max);
    OFFERED
        .into_iter()
        .find(|coding| best > 0.0 && weight_of(*coding) >= best)
        .unwrap_or(Coding::Identity)
}

/// `gzip;q=0.5` → `("gzip", 0.5)`. What has a broken weight counts as not said.
fn weighted(item: &str) -> Option<(&str, f32)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let mut weight = 1.0;
    for parameter in parts {
        if let Some((key, value)) = parameter.split_once('=')
            && key.trim().eq_ignore_ascii_case("q")
        {
            weight = value.trim().parse().ok()?;
            if !(0.0..=1.0).contains(&weight) {
                return None;
            }
        }
    }
    Some((name, weight))
}
