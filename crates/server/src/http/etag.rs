//! Entity tags: what tells one state of a thing from another.

use std::fmt::Display;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::Answer;
use crate::error::ApiError;

/// The states that a request is made on, as its `If-Match` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// It doesn't say, or any state will do.
    Any,
    /// One of these.
    Tags(Vec<String>),
}

impl IfMatch {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut tags = Vec::new();
        for value in headers.get_all(header::IF_MATCH) {
            let malformed = || {
                let message = "must be * or an ETag as it was answered, in quotes";
                ApiError::invalid_field("If-Match", message)
            };
            for tag in value.to_str().map_err(|_| malformed())?.split(',') {
                let tag = tag.trim();
                if tag == "*" {
                    return Ok(Self::Any);
                }
                let text = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
                tags.push(text.ok_or_else(malformed)?.to_owned());
            }
        }
        Ok(if tags.is_empty() {
            Self::Any
        } else {
            Self::Tags(tags)
        })
    }
}

/// Whether who asks has the state of this tag, as their `If-None-Match` says.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH);
    let texts = values.iter().filter_map(|value| value.to_str().ok());
    let mut tags = texts.flat_map(|text| text.split(',').map(str::trim));
    tags.any(|known| known == "*" || plain(known) == plain(tag))
}

/// A tag without its quotes. What went through a proxy that compresses may have come back weak.
fn plain(tag: &str) -> &str {
    tag.trim_start_matches("W/").trim_matches('"')
}

impl Answer {
    /// With the tag of the state that it shows.
    #[must_use]
    pub(crate) fn tagged(self, tag: impl Display) -> Self {
        self.with_tag(format!("\"{tag}\""))
    }

    /// With the tag of its bytes, weak because they may be compressed on the way.
    #[must_use]
    pub(crate) fn tagged_as_bytes(self, tag: impl Display) -> Self {
        self.with_tag(format!("W/\"{tag}\""))
    }

    fn with_tag(self, tag: String) -> Self {
        let tag = HeaderValue::try_from(tag).expect("tags are digests and numbers");
        self.header(header::ETAG, tag)
    }

    /// Without a body, where who asks has the state of its tag already.
    #[must_use]
    pub(crate) fn unless_known(self, headers: &HeaderMap) -> Self {
        let tag = self.headers.get(header::ETAG).cloned();
        let is_same = |tag: &HeaderValue| tag.to_str().is_ok_and(|tag| is_known(headers, tag));
        match tag.filter(is_same) {
            None => self,
            Some(tag) => Self::json_bytes(Vec::new())
                .status(StatusCode::NOT_MODIFIED)
                .header(header::ETAG, tag),
        }
    }

    /// With a header of ours whose value is a number.
    #[must_use]
    pub(crate) fn numbered(self, name: &'static str, number: u64) -> Self {
        self.header(HeaderName::from_static(name), HeaderValue::from(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_write_is_made_on_the_states_that_it_names() {
        let of = |value: &str| IfMatch::of(&headers(header::IF_MATCH, value));
        assert_eq!(of("*").unwrap(), IfMatch::Any);
        assert_eq!(IfMatch::of(&HeaderMap::new()).unwrap(), IfMatch::Any);
        let two = IfMatch::Tags(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(of("\"a\" , \"b\"").unwrap(), two);
        for bad in ["a", "W/\"a\"", "\"a", ""] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_answer_that_is_known_has_no_body() {
        let answer = |seen: &str| {
            let headers = headers(header::IF_NONE_MATCH, seen);
            let answer = Answer::json_bytes("{}").tagged("a").unless_known(&headers);
            (answer.status.as_u16(), answer.headers[header::ETAG].clone())
        };
        for (seen, status) in [
            ("\"b\"", 200),
            ("\"b\", \"a\"", 304),
            ("W/\"a\"", 304),
            ("*", 304),
        ] {
            assert_eq!(
                answer(seen),
                (status, HeaderValue::from_static("\"a\"")),
                "{seen}"
            );
        }
    }
}
