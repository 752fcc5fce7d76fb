//! What the operator wrote under `config` of this plugin.

use std::fmt::Display;
use std::str::FromStr;

use crate::Result;
use crate::bindings::imports::config;

/// The value of a key, if the operator set it. It does not change during the life of an instance.
pub fn get(key: &str) -> Option<String> {
    config::get(key)
}

/// The value of a key as a number, a boolean or whatever else can be parsed.
///
/// # Errors
/// If the operator set something that is none. The error names the key.
pub fn parse<T: FromStr<Err: Display>>(key: &str) -> Result<Option<T>> {
    let Some(value) = get(key) else {
        return Ok(None);
    };
    match value.parse() {
        Ok(parsed) => Ok(Some(parsed)),
        Err(error) => Err(format!("config {key} = {value:?}: {error}").into()),
    }
}
