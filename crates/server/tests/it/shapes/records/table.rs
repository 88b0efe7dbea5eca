//! An entity with a column of each kind, once as one that each record has and once as one that may be null.

use serde_json::{Value, json};

/// A column: how the document declares it, its type in Postgres, and values of it as JSON.
pub(super) struct Column {
    pub(super) name: &'static str,
    kind: &'static str,
    format: &'static str,
    pub(super) declared: &'static str,
    pub(super) is_required: bool,
    pub(super) values: &'static [&'static str],
}

const WHOLES: &[&str] = &["0", "1", "-3", "7", "2", "42"];
const BIGS: &[&str] = &["0", "3", "9007199254740991", "-1"];
const DOUBLES: &[&str] = &["0", "2.5", "-0.125", "1e10", "7"];
const EXACTS: &[&str] = &["\"0\"", "\"12.50\"", "\"-0.1\"", "\"3\"", "\"12.5\""];
const TITLES: &[&str] = &[
    "\"\"",
    "\"milk\"",
    "\"Bread\"",
    "\"50%\"",
    "\"a_b\"",
    "\"it's\"",
    "\"Straße\"",
    "\"a\\\\b\"",
    "\"\u{1f980}\\n\\\"x\\\"\"",
];
const NOTES: &[&str] = &["\"milk\"", "\"x\"", "\"MILK shake\""];
const STATES: &[&str] = &["\"milk\"", "\"open\"", "\"50%\""];
const TRUTHS: &[&str] = &["true", "false"];
const IDS: &[&str] = &[
    "\"9f0d4c1e-35f8-4f7b-a0aa-2c1fdc8cbd9b\"",
    "\"00000000-0000-0000-0000-000000000001\"",
];
const DAYS: &[&str] = &["\"2026-03-01\"", "\"2024-02-29\"", "\"1999-12-31\""];
const CLOCKS: &[&str] = &["\"12:30:00\"", "\"00:00\"", "\"23:59:59.5\""];
const MOMENTS: &[&str] = &[
    "\"2026-03-01T12:30:00Z\"",
    "\"2024-02-29T01:00:00+01:00\"",
    "\"2025-12-31T23:00:00.25Z\"",
];
const OBJECTS: &[&str] = &["{}", "{\"a\":[1,null],\"b\":\"x\"}", "{\"b\":1.5}"];
const LISTS: &[&str] = &["[]", "[\"a\",\"milk\"]", "[\"x\"]"];

/// The columns beside the key.
pub(super) const COLUMNS: &[Column] = &[
    required("small", "integer", "int32", "int4", WHOLES),
    nullable("whole", "integer", "int32", "int4", WHOLES),
    nullable("big", "integer", "int64", "int8", BIGS),
    required("big_set", "integer", "int64", "int8", BIGS),
    nullable("double", "number", "", "float8", DOUBLES),
    required("double_set", "number", "", "float8", DOUBLES),
    nullable("exact", "string", "decimal", "numeric", EXACTS),
    required("exact_set", "string", "decimal", "numeric", EXACTS),
    required("title", "string", "", "text", TITLES),
    nullable("note", "string", "", "text", NOTES),
    nullable("state", "string", "enum", "text", STATES),
    required("state_set", "string", "enum", "text", STATES),
    nullable("done", "boolean", "", "bool", TRUTHS),
    required("done_set", "boolean", "", "bool", TRUTHS),
    nullable("ref", "string", "uuid", "uuid", IDS),
    required("ref_set", "string", "uuid", "uuid", IDS),
    nullable("day", "string", "date", "date", DAYS),
    required("day_set", "string", "date", "date", DAYS),
    nullable("clock", "string", "time", "time", CLOCKS),
    required("clock_set", "string", "time", "time", CLOCKS),
    nullable("at", "string", "date-time", "timestamptz", MOMENTS),
    required("at_set", "string", "date-time", "timestamptz", MOMENTS),
    nullable("extra", "object", "", "jsonb", OBJECTS),
    required("extra_set", "object", "", "jsonb", OBJECTS),
    nullable("tags", "array", "", "jsonb", LISTS),
    required("tags_set", "array", "", "jsonb", LISTS),
];

/// A column that the document has only later.
pub(super) const LATER: Column = nullable("later", "string", "", "text", NOTES);

const fn nullable(
    name: &'static str,
    kind: &'static str,
    format: &'static str,
    declared: &'static str,
    values: &'static [&'static str],
) -> Column {
    Column {
        name,
        kind,
        format,
        declared,
        is_required: false,
        values,
    }
}

const fn required(
    name: &'static str,
    kind: &'static str,
    format: &'static str,
    declared: &'static str,
    values: &'static [&'static str],
) -> Column {
    Column {
        is_required: true,
        ..nullable(name, kind, format, declared, values)
    }
}

impl Column {
    /// As a property of the document's schema.
    pub(super) fn property(&self) -> Value {
        let kind = match self.is_required {
            true => json!(self.kind),
            false => json!([self.kind, "null"]),
        };
        let mut property = json!({"type": kind});
        match self.format {
            "" => {}
            "enum" => {
                let values = self.values.iter().map(|value| self.value(value));
                let null = (!self.is_required).then_some(Value::Null);
                property["enum"] = values.chain(null).collect();
            }
            format => property["format"] = json!(format),
        }
        if self.kind == "array" {
            property["items"] = json!({"type": "string"});
        }
        property
    }

    /// A value of it.
    pub(super) fn value(&self, text: &str) -> Value {
        serde_json::from_str(text).expect("the table's values are JSON")
    }

    /// Whether its text may be spaced in another way, and mean the same.
    pub(super) fn is_json(&self) -> bool {
        self.declared == "jsonb"
    }
}
