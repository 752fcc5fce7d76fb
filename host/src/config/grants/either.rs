//! What is written as a text or, with more to say, as a table.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserialize,
    de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A value of either form.
pub(super) trait Either: FromStr<Err = String> {
    /// The longer form.
    type Table: for<'de> Deserialize<'de>;

    /// Both forms, for messages.
    const EXPECTING: &str;

    fn of_table(table: Self::Table) -> Result<Self, String>;
}

pub(super) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Either,
{
    deserializer.deserialize_any(EitherVisitor(PhantomData))
}

struct EitherVisitor<T>(PhantomData<T>);

impl<'de, T: Either> Visitor<'de> for EitherVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTING)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let table = T::Table::deserialize(MapAccessDeserializer::new(map))?;
        T::of_table(table).map_err(A::Error::custom)
    }
}
