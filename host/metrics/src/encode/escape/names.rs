//! The escaping schemes of prometheus/common, both ways.

use crate::{
    encode::Escaping,
    name::{is_legacy_byte, is_legacy_metric_name},
};

/// Escapes a name as `model.EscapeName` of prometheus/common does. [`Escaping::Dots`] changes legacy names too.
pub fn escape_name(name: &str, scheme: Escaping) -> String {
    if scheme == Escaping::AllowUtf8 || (scheme != Escaping::Dots && is_legacy_metric_name(name)) {
        return name.to_owned();
    }
    escape(name, scheme, is_legacy_byte)
}

/// The same for a label, whose name cannot have a colon unless it is quoted. prometheus/common leaves colons here too;
/// no parser takes them.
pub(super) fn escape_label(name: &str, scheme: Escaping) -> String {
    escape(name, scheme, |byte, at| {
        byte != b':' && is_legacy_byte(byte, at)
    })
}

fn escape(name: &str, scheme: Escaping, is_legacy: impl Fn(u8, usize) -> bool) -> String {
    let mut escaped = String::with_capacity(name.len() + 8);
    if scheme == Escaping::Values {
        escaped.push_str("U__");
    }
    for (at, char) in name.char_indices() {
        let is_legacy = char.is_ascii() && is_legacy(char as u8, at);
        match (scheme, char) {
            (Escaping::Dots | Escaping::Values, '_') => escaped.push_str("__"),
            (Escaping::Dots, '.') => escaped.push_str("_dot_"),
            _ if is_legacy => escaped.push(char),
            (Escaping::Dots, _) => escaped.push_str("__"),
            (Escaping::Values, _) => escaped.push_str(&format!("_{:x}_", u32::from(char))),
            _ => escaped.push('_'),
        }
    }
    escaped
}

/// What [`escape_name`] made this of, as `model.UnescapeName` finds it: [`Escaping::Values`] loses nothing,
/// [`Escaping::Dots`] knows dots and underscores, [`Escaping::Underscores`] nothing. What cannot be such a name is
/// returned as it came.
pub fn unescape_name(name: &str, scheme: Escaping) -> String {
    match scheme {
        Escaping::AllowUtf8 | Escaping::Underscores => name.to_owned(),
        Escaping::Dots => name.replace("_dot_", ".").replace("__", "_"),
        Escaping::Values => name
            .strip_prefix("U__")
            .and_then(unescape_values)
            .unwrap_or_else(|| name.to_owned()),
    }
}

fn unescape_values(escaped: &str) -> Option<String> {
    let mut name = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((plain, tail)) = rest.split_once('_') {
        name.push_str(plain);
        rest = if let Some(tail) = tail.strip_prefix('_') {
            name.push('_');
            tail
        } else {
            let (hex, tail) = tail.split_once('_')?;
            name.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
            tail
        };
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_prometheus_common_escapes() {
        let cases = [
            (
                "no:escaping_required",
                "no:escaping_required",
                "no:escaping__required",
                "no:escaping_required",
            ),
            (
                "no:escaping.required",
                "no:escaping_required",
                "no:escaping_dot_required",
                "U__no:escaping_2e_required",
            ),
            (
                "mysystem.prod.west.cpu.load",
                "mysystem_prod_west_cpu_load",
                "mysystem_dot_prod_dot_west_dot_cpu_dot_load",
                "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load",
            ),
            (
                "http.status:sum",
                "http_status:sum",
                "http_dot_status:sum",
                "U__http_2e_status:sum",
            ),
            (
                "label with 😱",
                "label_with__",
                "label__with____",
                "U__label_20_with_20__1f631_",
            ),
            ("花火", "__", "____", "U___82b1__706b_"),
            ("9a", "_a", "__a", "U___39_a"),
            ("a_b.c", "a_b_c", "a__b_dot_c", "U__a__b_2e_c"),
        ];
        for (name, underscores, dots, values) in cases {
            assert_eq!(escape_name(name, Escaping::Underscores), underscores);
            assert_eq!(escape_name(name, Escaping::Dots), dots);
            assert_eq!(escape_name(name, Escaping::Values), values);
            assert_eq!(escape_name(name, Escaping::AllowUtf8), name);
            assert_eq!(unescape_name(values, Escaping::Values), name);
        }
        assert_eq!(unescape_name("a__b_dot_c", Escaping::Dots), "a_b.c");
        for broken in ["U__a_", "U__a_2e", "U__a_zz_", "U__a_110000_", "a_2e_"] {
            assert_eq!(unescape_name(broken, Escaping::Values), broken);
        }
    }

    #[test]
    fn labels_have_no_colon() {
        assert_eq!(escape_label("a:b", Escaping::Underscores), "a_b");
        assert_eq!(escape_label("a:b", Escaping::Dots), "a__b");
        assert_eq!(escape_label("a:b", Escaping::Values), "U__a_3a_b");
    }

    proptest! {
        #[test]
        fn values_lose_nothing(name in "\\PC{1,12}|[a_.\u{0}é]{1,6}") {
            // A legacy name that begins as an escaped one does stays as it is, and cannot be told from one.
            prop_assume!(!name.starts_with("U__"));
            let escaped = escape_name(&name, Escaping::Values);
            prop_assert_eq!(unescape_name(&escaped, Escaping::Values), name);
        }

        #[test]
        fn escaped_names_are_legacy_names(name in "\\PC{1,12}|[a_.9\u{0}é]{1,6}") {
            for scheme in [Escaping::Underscores, Escaping::Dots, Escaping::Values] {
                let escaped = escape_name(&name, scheme);
                prop_assert!(is_legacy_metric_name(&escaped), "{} {:?}", escaped, scheme);
            }
        }
    }
}
