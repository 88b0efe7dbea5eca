//! Whether a payload has fields that this version doesn't know.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt::{Formatter, Result as Written};

use crate::Payload;

/// Whether a payload is an object of these fields alone, and each object right within it of the
/// `inner` ones: one with more may mean more to a newer version.
pub(crate) fn has_only(payload: &Payload, fields: &[&str], inner: &[&str]) -> bool {
    let mut reader = serde_json::Deserializer::from_str(payload.as_str());
    (&mut reader)
        .deserialize_map(Names(fields, Some(inner)))
        .unwrap_or(false)
}

/// An object's names; of the objects within it too where there are inner ones.
struct Names<'a>(&'a [&'a str], Option<&'a [&'a str]>);

/// One name, looked at where it stands.
struct Name<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut Formatter<'_>) -> Written {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(self.0.contains(&name))
    }
}

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut Formatter<'_>) -> Written {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut only = true;
        while let Some(is_known) = map.next_key_seed(Name(self.0))? {
            only &= is_known;
            match self.1 {
                Some(inner) => only &= map.next_value_seed(Names(inner, None))?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(only)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(true)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_not_known_is_found_two_objects_deep() {
        for (text, expected) in [
            (
                r#"{"type":"x","payload":{"text":"y","pos":[{"digit":1}]}}"#,
                true,
            ),
            (r#"{"type":"x","payload":null}"#, true),
            (r#"{"type":true,"payload":-1}"#, true),
            (r#"{"type":1.5,"payload":1}"#, true),
            (r#"{"type":"x","color":"red"}"#, false),
            (
                r#"{"type":"x","payload":{"text":"y","color":"red"}}"#,
                false,
            ),
            (r#"["type"]"#, false),
        ] {
            let payload = Payload::stored(text);
            let found = has_only(&payload, &["type", "payload"], &["text", "pos"]);
            assert_eq!(found, expected, "{text}");
        }
    }
}
