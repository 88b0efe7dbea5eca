//! What a document says that can't be taken as it stands, and where.

use std::fmt;

use serde::Serialize;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The schema must not be used.
    Error,
    /// The schema may not be what its author meant.
    Warning,
    /// Something was left out that nobody asked for.
    Info,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// What kind of thing a diagnostic is about: stable, for programs and for searching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Code(&'static str);

impl Code {
    /// The text is neither JSON nor YAML.
    pub const SYNTAX: Self = Self("syntax");
    /// The document, or a part of it, is over a limit.
    pub const LIMIT: Self = Self("limit");
    /// One map has one key twice.
    pub const DUPLICATE_KEY: Self = Self("duplicate_key");
    /// No OpenAPI 3 document.
    pub const NOT_OPENAPI: Self = Self("not_openapi");
    /// A version that is not read.
    pub const VERSION: Self = Self("version");
    /// A part is not of the kind that OpenAPI asks for.
    pub const MALFORMED: Self = Self("malformed");
    /// A `$ref` to another document.
    pub const REMOTE_REFERENCE: Self = Self("remote_reference");
    /// A `$ref` to nothing.
    pub const MISSING_REFERENCE: Self = Self("missing_reference");
    /// A `$ref` or `allOf` that leads back to itself.
    pub const CIRCULAR_REFERENCE: Self = Self("circular_reference");
    /// A path whose form is not read.
    pub const PATH: Self = Self("path");
    /// An operation that neither lists, gets, creates, changes nor deletes records.
    pub const CUSTOM_OPERATION: Self = Self("custom_operation");
    /// Paths whose records have no schema with fields.
    pub const NO_SCHEMA: Self = Self("no_schema");
    /// Records that nothing names.
    pub const NO_KEY: Self = Self("no_key");
    /// A key that can't be one.
    pub const KEY: Self = Self("key");
    /// A path parameter that is no field of the records.
    pub const UNMAPPED_PARAMETER: Self = Self("unmapped_parameter");
    /// A path that answers the records of another collection.
    pub const VIEW: Self = Self("view");
    /// Collections of one name that hold different records.
    pub const AMBIGUOUS_ENTITY: Self = Self("ambiguous_entity");
    /// Names that can't stand beside one another in one database.
    pub const COLLISION: Self = Self("collision");
    /// A name that can't be used.
    pub const NAME: Self = Self("name");
    /// A name that every record has already.
    pub const RESERVED: Self = Self("reserved");
    /// An operation that is there twice.
    pub const DUPLICATE_OPERATION: Self = Self("duplicate_operation");
    /// What no operation of an entity does, and other ways to write it do.
    pub const UNDECLARED: Self = Self("undeclared");
    /// A path that a server answers itself, so that the operations there are not served.
    pub const HIDDEN_PATH: Self = Self("hidden_path");
    /// Several schemas of which a value satisfies one.
    pub const UNION: Self = Self("union");
    /// A type that is not known.
    pub const TYPE: Self = Self("type");
    /// A default that its own field does not take.
    pub const DEFAULT: Self = Self("default");
    /// A rule that can't be applied.
    pub const RULE: Self = Self("rule");
    /// A rule that no value is held against.
    pub const UNCHECKED: Self = Self("unchecked");
    /// A property that requests have and records don't.
    pub const REQUEST_ONLY: Self = Self("request_only");
    /// A body of a request in a form that a server does not read.
    pub const REQUEST: Self = Self("request");
    /// A parameter of a query that says nothing to a server.
    pub const PARAMETER: Self = Self("parameter");
    /// An answer that a server gives otherwise.
    pub const ANSWER: Self = Self("answer");
    /// An address with a path of its own, which no path of the document is behind.
    pub const SERVERS: Self = Self("servers");
    /// A field that lists have a parameter of the name of.
    pub const LIST_PARAMETER: Self = Self("list_parameter");
    /// Two declarations that exclude one another.
    pub const CONTRADICTION: Self = Self("contradiction");
    /// An extension with a value that it does not take.
    pub const EXTENSION: Self = Self("extension");
    /// An extension of a name that is not known, or that has no meaning in its place.
    pub const UNKNOWN_EXTENSION: Self = Self("unknown_extension");
    /// A mode that is not known.
    pub const UNKNOWN_MODE: Self = Self("unknown_mode");
    /// A conflict strategy that is not known.
    pub const UNKNOWN_CONFLICT: Self = Self("unknown_conflict");
    /// A role that is not known.
    pub const UNKNOWN_ROLE: Self = Self("unknown_role");
    /// A group that is not declared.
    pub const UNKNOWN_GROUP: Self = Self("unknown_group");
    /// A group that nobody reads, or that a role writes without reading it.
    pub const UNREAD_GROUP: Self = Self("unread_group");
    /// A group, or a field that must be given, that those may not write who should.
    pub const UNWRITTEN: Self = Self("unwritten");
    /// A field that the entity does not have.
    pub const UNKNOWN_FIELD: Self = Self("unknown_field");
    /// An entity that the document does not have.
    pub const UNKNOWN_ENTITY: Self = Self("unknown_entity");
    /// Roles that those whom they are given could give themselves.
    pub const ESCALATION: Self = Self("escalation");
    /// A field that the client which is written lacks.
    pub const LEFT_OUT: Self = Self("left_out");
    /// A field that never reaches the server, where one that does is needed.
    pub const EXCLUDED_FIELD: Self = Self("excluded_field");

    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Something to tell the author of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: Code,
    /// What is wrong and what would be right, lower case.
    pub message: String,
    /// The JSON pointer of the part that it is about; empty is the whole document.
    pub pointer: String,
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

impl Diagnostic {
    /// As a compiler prints it, with the document's name before.
    pub fn placed<'a>(&'a self, document: &'a str) -> Placed<'a> {
        Placed {
            document,
            diagnostic: self,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = self.severity.as_str();
        let code = self.code.as_str();
        write!(
            formatter,
            "{}:{}: {severity}[{code}]: {}",
            self.line, self.column, self.message
        )
    }
}

/// A diagnostic with the name of its document: `openapi.yaml:12:5: error[unknown_field]: …`.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    document: &'a str,
    diagnostic: &'a Diagnostic,
}

impl fmt::Display for Placed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.document, self.diagnostic)
    }
}
