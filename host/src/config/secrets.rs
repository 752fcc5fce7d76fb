//! Secrets of a plugin, taken out of what it says.

use std::{borrow::Cow, fmt};

use super::Secret;

/// Shorter values are no secrets, and would take half of every line with them.
const SHORTEST: usize = 4;

/// The lines of a longer value are looked for one by one, from this many bytes on.
const SHORTEST_LINE: usize = 8;

/// What stands in the place of one.
const MASK: &str = "[secret]";

/// The values of one plugin that are kept elsewhere than in the config. They are not printed.
///
/// This is for plugins that print what they should not by mistake. One that means to can spell a secret otherwise.
#[derive(Default)]
pub(crate) struct Secrets(Vec<String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    pub(crate) fn new<'a>(all: impl Iterator<Item = &'a Secret>) -> Self {
        let mut texts = Vec::new();
        for text in all.map(Secret::get) {
            let lines = text.lines().filter(|line| line.len() >= SHORTEST_LINE);
            texts.extend(lines.filter(|line| *line != text).map(str::to_owned));
            texts.extend((text.len() >= SHORTEST).then(|| text.to_owned()));
        }
        // One may contain another.
        texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        texts.dedup();
        Self(texts)
    }

    /// The text without them. One that is cut may end in the beginning of one.
    pub(crate) fn mask<'a>(&self, text: &'a str, is_cut: bool) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        for secret in &self.0 {
            if masked.contains(secret.as_str()) {
                masked = masked.replace(secret, MASK).into();
            }
        }
        let begun = if is_cut { self.begun(&masked) } else { None };
        match begun {
            Some(start) => format!("{}{MASK}", &masked[..start]).into(),
            None => masked,
        }
    }

    /// Where one begins that goes on beyond the end of the text.
    fn begun(&self, text: &str) -> Option<usize> {
        let starts = self.0.iter().filter_map(|secret| {
            let ends = secret.char_indices().map(|(end, _)| end).rev();
            let mut parts = ends.take_while(|end| *end >= SHORTEST);
            let part = parts.find(|end| text.ends_with(&secret[..*end]))?;
            Some(text.len() - part)
        });
        starts.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(texts: &[&str]) -> Secrets {
        let all: Vec<_> = texts.iter().map(|text| Secret::new(text)).collect();
        Secrets::new(all.iter())
    }

    #[test]
    fn secrets_are_taken_out() {
        let secrets = secrets(&["pass", "password", "on", "first line\nsecond line\n}"]);
        for (text, masked) in [
            ("nothing", "nothing"),
            ("my pass is password.", "my [secret] is [secret]."),
            ("turn it on", "turn it on"),
            ("the second line", "the [secret]"),
            ("{ } }", "{ } }"),
            ("a passwo", "a [secret]wo"),
        ] {
            assert_eq!(secrets.mask(text, false), masked);
        }
        assert_eq!(format!("{secrets:?}"), "Secrets(..)");
    }

    #[test]
    fn the_beginning_of_one_is_taken_out_where_a_line_is_cut() {
        let secrets = secrets(&["s3cr3t-é-token"]);
        for (text, masked) in [
            ("it is s3cr", "it is [secret]"),
            ("it is s3cr3t-é-", "it is [secret]"),
            ("it is s3cr3t-é-token", "it is [secret]"),
            ("it is s3c", "it is s3c"),
            ("s3cr it is", "s3cr it is"),
        ] {
            assert_eq!(secrets.mask(text, true), masked);
        }
    }
}
