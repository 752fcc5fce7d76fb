//! Values that may be secrets: written out, or kept elsewhere.

use std::{
    env, fmt, fs,
    io::Read,
    path::{Path, PathBuf},
};

use serde::{
    Deserialize,
    de::{Deserializer, Error, MapAccess, Visitor},
};

/// Longer values are a mistake in the path.
const MOST_BYTES: u64 = 64 << 10;

/// A value for a plugin: `"literal"`, `{ env = "HOSTVAR" }` or `{ file = "/run/secrets/x" }`.
///
/// It is never printed: `Debug` shows where it is kept, and of a literal nothing.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// The value itself.
    Literal(String),
    /// The environment variable of the exporter that has it, when the plugin starts.
    Env(String),
    /// The file that has it, when the plugin starts: UTF-8, at most 64 KiB; one line end at its end does not count. In a
    /// config file it is relative to that file's folder.
    File(PathBuf),
}

/// A value that was looked up. It is not printed either.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    #[cfg(test)]
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn get(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(_) => f.write_str("Literal(..)"),
            Self::Env(name) => f.debug_tuple("Env").field(name).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Literal(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Literal(text)
    }
}

impl Value {
    /// Looks it up. The error says what is missing, and nothing of what is there.
    pub(crate) fn look_up(&self) -> Result<Secret, String> {
        match self {
            Self::Literal(text) => Ok(Secret(text.clone())),
            Self::Env(name) => env::var(name).map(Secret).map_err(|error| match error {
                env::VarError::NotPresent => {
                    format!("the environment variable {name} is not set; set it for the exporter")
                }
                env::VarError::NotUnicode(_) => {
                    format!("the environment variable {name} is not UTF-8")
                }
            }),
            Self::File(path) => read(path)
                .map(Secret)
                .map_err(|why| format!("cannot take it from {}: {why}", path.display())),
        }
    }

    /// Whether it is kept elsewhere, as secrets are.
    pub(crate) fn is_kept_elsewhere(&self) -> bool {
        !matches!(self, Self::Literal(_))
    }

    /// Makes a relative file one of this folder.
    pub(super) fn resolve(&mut self, base_dir: &Path) {
        if let Self::File(path) = self {
            *path = base_dir.join(&*path);
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let file = fs::metadata(path).and_then(|about| match about.is_file() {
        // A pipe could keep the start waiting.
        false => Err(std::io::Error::other("it is no regular file")),
        true => fs::File::open(path),
    });
    let file = file.map_err(|error| error.to_string())?;
    let mut text = String::new();
    let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    if text.len() as u64 > MOST_BYTES {
        return Err(format!("it has more than {} KiB", MOST_BYTES >> 10));
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"a text, { env = "VARIABLE" } or { file = "/path" }"#)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        const KEYS: &[&str] = &["env", "file"];
        let mut value = None;
        while let Some(key) = map.next_key::<String>()? {
            let next: Value = match key.as_str() {
                "env" => Value::Env(map.next_value()?),
                "file" => Value::File(map.next_value()?),
                other => return Err(A::Error::unknown_field(other, KEYS)),
            };
            if value.replace(next).is_some() {
                return Err(A::Error::custom("env and file say two things; keep one"));
            }
        }
        value.ok_or_else(|| A::Error::custom(r#"says nothing; write { env = "VARIABLE" }"#))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_looked_up_where_it_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        fs::write(&path, "s3cret\n").expect("written");
        let looked_up = |value: Value| value.look_up().map(|secret| secret.get().to_owned());
        assert_eq!(looked_up("a".into()), Ok("a".to_owned()));
        assert_eq!(looked_up(Value::File(path)), Ok("s3cret".to_owned()));
        let cargo = env!("CARGO_PKG_NAME").to_owned();
        assert_eq!(looked_up(Value::Env("CARGO_PKG_NAME".into())), Ok(cargo));
        let missing = looked_up(Value::Env("METERBOX_NOT_THERE".into())).expect_err("not set");
        assert!(
            missing.contains("METERBOX_NOT_THERE is not set"),
            "{missing}"
        );
        let folder = Value::File(folder.path().to_owned());
        let error = looked_up(folder).expect_err("a folder");
        assert!(error.contains("no regular file"), "{error}");
        assert!(looked_up(Value::File("/dev/zero".into())).is_err());
    }

    #[test]
    fn is_never_printed() {
        let literal = Value::from("s3cret");
        let secret = literal.look_up().expect("there");
        assert!(!format!("{literal:?} {secret:?}").contains("s3cret"));
    }
}
