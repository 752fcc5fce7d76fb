//! `source`: where a plugin's bytes are, and the digest that they must have.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, de};

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A `.wasm` file.
    File(PathBuf),
    /// The URL of one: `https://example.com/counter.wasm`.
    Https(String),
    /// An artifact in a registry: `oci://registry/name@sha256:...` or `oci://registry/name:tag`.
    Oci(Reference),
}

/// What an `oci://` source names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Host, with the port if there is one.
    pub registry: String,
    /// The name there, such as `plugins/counter`.
    pub repository: String,
    /// A name that may be given to something else tomorrow. Only a word if there is a digest.
    pub tag: Option<String>,
    /// Of the manifest.
    pub digest: Option<ContentDigest>,
}

/// A SHA-256. Displays, and is written, as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest(pub(crate) [u8; 32]);

const OCI: &str = "oci://";
const HTTPS: &str = "https://";

impl ContentDigest {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The 64 digits alone.
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ContentDigest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no_digest = || {
            format!("{text:?} is no digest; write \"sha256:\" and 64 lower-case hexadecimal digits")
        };
        let hex = text.strip_prefix("sha256:").ok_or_else(no_digest)?;
        let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if hex.len() != 64 || !hex.as_bytes().iter().all(is_digit) {
            return Err(no_digest());
        }
        let mut digest = [0; 32];
        for (byte, place) in digest.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&hex[place..place + 2], 16).map_err(|_| no_digest())?;
        }
        Ok(Self(digest))
    }
}

impl<'de> Deserialize<'de> for ContentDigest {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Reference {
    /// The whole name without tag and digest: `registry/name`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

impl FromStr for Reference {
    type Err = String;

    /// With or without `oci://`.
    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix(OCI).unwrap_or(text);
        let wrong = |why: &str| {
            format!(
                "{text:?} {why}; write \"oci://registry/name@sha256:...\" or \"oci://registry/name:tag\""
            )
        };
        let registry = rest.split('/').next().unwrap_or_default();
        let is_host = registry.contains(['.', ':']) || registry == "localhost";
        if !is_host || !rest.contains('/') {
            return Err(wrong("names no registry"));
        }
        let parsed: oci_client::Reference = rest
            .parse()
            .map_err(|error| wrong(&format!("is no reference ({error})")))?;
        let digest = parsed.digest().map(str::parse).transpose()?;
        let name = format!("{}/{}", parsed.registry(), parsed.repository());
        // The parser's own tag, where none is written, is `latest`.
        let tag = parsed.tag().filter(|tag| {
            let tagged = rest.split('@').next().unwrap_or_default();
            tagged.ends_with(&format!(":{tag}")) && tagged != name
        });
        if tag.is_none() && digest.is_none() {
            return Err(wrong("has neither a tag nor a digest"));
        }
        Ok(Self {
            registry: parsed.registry().to_owned(),
            repository: parsed.repository().to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OCI}{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl Source {
    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Https(_) | Self::Oci(_) => None,
        }
    }

    /// As the config wrote it; what a URL has after `?` may be a secret.
    pub fn as_written(&self) -> String {
        match self {
            Self::Https(url) => url.clone(),
            Self::File(_) | Self::Oci(_) => self.to_string(),
        }
    }

    /// Makes a relative file one of this folder.
    pub(super) fn resolve(&mut self, base_dir: &Path) {
        if let Self::File(path) = self {
            *path = base_dir.join(&*path);
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            // What comes after it may be a secret.
            Self::Https(url) => f.write_str(url.split('?').next().unwrap_or_default()),
            Self::Oci(reference) => reference.fmt(f),
        }
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::File(text.into()));
        };
        match scheme {
            "oci" => text.parse().map(Self::Oci),
            "https" => {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                if authority.is_empty() || authority.contains('@') || rest.contains('#') {
                    return Err(format!(
                        "the URL has no host, a password or a fragment; write \"{HTTPS}example.com/counter.wasm\""
                    ));
                }
                match reqwest::Url::parse(text) {
                    Ok(_) => Ok(Self::Https(text.to_owned())),
                    Err(error) => Err(format!("{text:?} is no URL: {error}")),
                }
            }
            _ => Err(format!(
                "{scheme:?} is no kind of source; write a path, \"{HTTPS}...\" or \"{OCI}...\""
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn read(text: &str) -> Result<String, String> {
        text.parse::<Source>().map(|source| match source {
            Source::Oci(found) => format!(
                "{} {} {:?} {}",
                found.registry,
                found.repository,
                found.tag,
                found.digest.is_some()
            ),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn sources_are_told_apart() {
        assert_eq!(read("a/b.wasm"), Ok(r#"File("a/b.wasm")"#.into()));
        let url = "https://example.com/a.wasm?key=s3cret";
        assert_eq!(read(url), Ok(format!("Https({url:?})")));
        assert_eq!(
            url.parse::<Source>().expect("a URL").to_string(),
            "https://example.com/a.wasm"
        );
        let cases = [
            (
                "oci://localhost:5000/a:1.0",
                "localhost:5000 a Some(\"1.0\") false",
            ),
            (
                "oci://ghcr.io/a/b:latest",
                "ghcr.io a/b Some(\"latest\") false",
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(read(text), Ok(wanted.to_owned()));
            assert_eq!(text.parse::<Source>().expect("a source").to_string(), text);
        }
        for (tag, shown) in [
            ("", "None"),
            (":1", "Some(\"1\")"),
            (":latest", "Some(\"latest\")"),
        ] {
            let text = format!("oci://ghcr.io/a{tag}@sha256:{HEX}");
            assert_eq!(read(&text), Ok(format!("ghcr.io a {shown} true")));
            assert_eq!(text.parse::<Source>().expect("a source").to_string(), text);
        }
    }

    #[test]
    fn what_is_no_source_says_why() {
        let cases = [
            ("http://example.com/a.wasm", "no kind of source"),
            ("https://user:pw@example.com/a", "a password"),
            ("https://", "no host"),
            ("oci://counter:1", "names no registry"),
            ("oci://library/counter:1", "names no registry"),
            ("oci://ghcr.io/counter", "neither a tag nor a digest"),
            ("oci://ghcr.io/Counter:1", "no reference"),
            ("oci://ghcr.io/a@sha256:12", "no reference"),
        ];
        for (text, wanted) in cases {
            let said = read(text).expect_err(text);
            assert!(said.contains(wanted), "{text}: {said}");
            assert!(!said.contains("pw"), "{said}");
        }
        let long = format!("oci://ghcr.io/a@sha512:{HEX}{HEX}");
        assert!(read(&long).expect_err("another hash").contains("no digest"));
    }

    #[test]
    fn digests_are_written_in_one_way() {
        let text = format!("sha256:{HEX}");
        let digest: ContentDigest = text.parse().expect("a digest");
        assert_eq!(digest.to_string(), text);
        for wrong in ["", HEX, "sha256:", &text[..70], &text.to_uppercase()] {
            assert!(wrong.parse::<ContentDigest>().is_err(), "{wrong}");
        }
    }
}
