//! What a document offers over HTTP for an entity.

use serde::{Deserialize, Serialize};

/// The parameters of a list of records that are no fields: what it is ordered by, where it goes on, and how many
/// it shows. A field of such a name narrows a list by a test that is named, as `order__is`.
pub const LIST_PARAMETERS: [&str; 3] = ["order", "cursor", "limit"];

/// The tests that a list takes behind a field's name and two underscores.
pub const LIST_TESTS: [&str; 9] = [
    "is", "ne", "lt", "lte", "gt", "gte", "in", "contains", "null",
];

/// One REST operation of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub verb: Verb,
    /// The HTTP method, in capitals.
    pub method: String,
    /// The document's own path, parameters in braces: `/api/accounts/{account_id}/invoices/{id}`.
    pub path: String,
    /// The document's `operationId`, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The path parameter that holds the record's key: of get, update, replace and delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_parameter: Option<String>,
    /// Path parameters that hold fields of the record, as `(parameter, field)`: of nested paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field_parameters: Vec<(String, String)>,
    /// The property of a list's answer that holds the records; None: the answer is the array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<String>,
    /// The status of its success, where the document has another than the verb's own. Schemas of earlier
    /// builds lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether it can be called without a credential, as the document says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
}

/// What an operation does with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    List,
    Get,
    Create,
    /// Changes the fields that the body names.
    Update,
    /// Writes every field that a client may write.
    Replace,
    Delete,
}
