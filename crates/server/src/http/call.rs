//! A request on its way to its handler.

use std::sync::Arc;

use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use syncline_model::Timestamp;
use syncline_model::record::Asker;
use syncline_protocol::ErrorCode;
use syncline_redact::mend_surrogates;

use crate::auth::Identity;
use crate::error::ApiError;
use crate::http::{ReceivedBody, decoded_text};
use crate::log::Tenant;
use crate::server::Server;

/// A request whose sender may make it, and whose body is here.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) server: Arc<Server>,
    /// None on routes that are open to everybody: those reach no tenant.
    pub(crate) who: Option<Identity>,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// The parts of the path that the route leaves open, in its order, decoded.
    pub(crate) path: Vec<String>,
    pub(crate) body: ReceivedBody,
    pub(crate) now: Timestamp,
}

impl Call {
    /// Of a request's beginning it keeps what handlers ask for: the request may wait for long.
    pub(crate) fn new(
        server: &Arc<Server>,
        parts: Parts,
        who: Option<Identity>,
        path: Vec<String>,
        body: ReceivedBody,
        now: Timestamp,
    ) -> Self {
        Self {
            server: Arc::clone(server),
            who,
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            path,
            body,
            now,
        }
    }

    /// Who asks.
    pub(crate) fn identity(&self) -> &Identity {
        let who = self.who.as_ref();
        who.expect("a handler that asks is of a route that needs rights")
    }

    /// Who asks, with their role in the tenant.
    pub(crate) fn asker(&self) -> Result<Asker, ApiError> {
        asker_of(&self.server, self.identity())
    }

    /// The log of who asks.
    pub(crate) async fn tenant(&self) -> Result<Arc<Tenant>, ApiError> {
        Ok(self.server.tenants.open(&self.identity().tenant).await?)
    }

    /// The part of the path that the route leaves open.
    pub(crate) fn parameter(&self) -> &str {
        self.path.first().map_or("", String::as_str)
    }

    pub(crate) fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// Reads the query as `T`; a value that `T` doesn't take is an invalid field.
    pub(crate) fn query_as<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        // An invalid sequence would be read as the replacement character.
        if decoded_text(self.query()).is_none() {
            let message = "the query is not percent-encoded UTF-8";
            return Err(ApiError::bad_request(message));
        }
        match Query::try_from_uri(&self.uri) {
            Ok(Query(query)) => Ok(query),
            Err(error) => Err(ApiError::new(
                ErrorCode::InvalidField,
                format!("query: {}", error.body_text()),
            )),
        }
    }

    /// Refuses parameters that are none of `known`: one that is misspelt would choose nothing, and nobody
    /// would see it.
    pub(crate) fn takes_only(&self, known: &[(&str, &str)]) -> Result<(), ApiError> {
        let given: Vec<(String, String)> = self.query_as()?;
        let is_known = |name: &str| known.iter().any(|(one, _)| *one == name);
        let Some((name, _)) = given.iter().find(|(name, _)| !is_known(name)) else {
            return Ok(());
        };
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Err(ApiError::invalid_field(
            name,
            match names.join(", ") {
                none if none.is_empty() => "is no parameter of this route, which takes none".into(),
                names => format!("is no parameter of this route, which takes {names}"),
            },
        ))
    }

    /// Reads the body as `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        read_json(&self.body)
    }

    /// The same where every field may be left out, and so the body.
    pub(crate) fn json_if_any<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        match self.body.is_empty() {
            true => read_json(b"{}"),
            false => self.json(),
        }
    }

    /// The same of a body whose texts may have been cut within a character: what is left of one is
    /// replaced, and all else is as it was sent.
    pub(crate) fn json_of_cut_texts<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        match str::from_utf8(&self.body) {
            Ok(text) => read_json(mend_surrogates(text).as_bytes()),
            Err(_) => self.json(),
        }
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Who an identity is to a tenant's records.
pub(crate) fn asker_of(server: &Server, identity: &Identity) -> Result<Asker, ApiError> {
    Ok(Asker {
        user: identity.user.clone(),
        role: server.authenticator.role(identity)?,
    })
}

/// Reads JSON, and says where and why it is none (`bad_request`) or not what is expected
/// (`invalid_field`).
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // Asked first: of a field that nobody reads the reader would not tell.
    let text = str::from_utf8(body)
        .map_err(|_| ApiError::bad_request("the body is not JSON: it is not UTF-8"))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        json_error(&path, error.inner())
    })?;
    reader.end().map_err(|error| json_error(".", &error))?;
    Ok(value)
}

fn json_error(path: &str, error: &serde_json::Error) -> ApiError {
    let place = serde_json::json!({"line": error.line(), "column": error.column(), "path": path});
    match error.classify() {
        Category::Data if path == "." => {
            ApiError::new(ErrorCode::InvalidField, format!("the body: {error}")).details(place)
        }
        Category::Data => {
            ApiError::new(ErrorCode::InvalidField, format!("{path}: {error}")).details(place)
        }
        Category::Syntax | Category::Eof | Category::Io => {
            ApiError::bad_request(format!("the body is not JSON: {error}")).details(place)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        #[allow(dead_code, reason = "read for its type")]
        entries: Vec<Entry>,
    }

    #[derive(Debug, Deserialize)]
    struct Entry {
        #[allow(dead_code, reason = "read for its type")]
        content: String,
    }

    fn refused(body: &str) -> ApiError {
        read_json::<Body>(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn broken_json_is_told_from_json_of_another_shape() {
        for body in ["", "{", "{\"entries\":[}", "nonsense", "{\"entries\":[]} x"] {
            assert_eq!(refused(body).code, ErrorCode::BadRequest, "{body}");
        }
        for body in [
            "[]",
            "{}",
            "{\"entries\":7}",
            "{\"entries\":[{\"content\":1}]}",
        ] {
            assert_eq!(refused(body).code, ErrorCode::InvalidField, "{body}");
        }
    }

    #[test]
    fn the_place_of_what_is_wrong_is_named() {
        let error = refused("{\"entries\":[{\"content\":\"a\"},{\"content\":1}]}");
        assert!(
            error.message.starts_with("entries[1].content: "),
            "{}",
            error.message
        );
    }

    #[test]
    fn nesting_ends_in_an_error_and_not_in_the_stack() {
        let deep = format!("{{\"entries\":{}", "[".repeat(1_000_000));
        assert_eq!(refused(&deep).code, ErrorCode::InvalidField);
        let unknown = format!("{{\"other\":{}", "[".repeat(1_000_000));
        assert_eq!(refused(&unknown).code, ErrorCode::BadRequest);
    }

    #[test]
    fn bad_utf8_is_no_json() {
        let error = read_json::<Body>(b"{\"entries\":[{\"content\":\"\xff\"}]}").unwrap_err();
        assert_eq!(error.code, ErrorCode::BadRequest);
    }
}
