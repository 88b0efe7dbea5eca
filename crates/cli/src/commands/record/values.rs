//! The values of fields, as a command is given them.

use std::io::Read;

use clap::Args;
use serde_json::Value;
use serde_json::value::RawValue;
use syncline_model::record::{Values, read_exactly, read_whole, unheld_number};
use syncline_model::schema::{Entity, Field, FieldKind};

use super::entity::field;
use crate::context::Context;
use crate::failure::Failure;

/// A record's values take no more, in bytes: what is longer can't be an op.
const BODY_BYTES_MAX: u64 = 16 << 20;

/// What is to be written.
#[derive(Debug, Args)]
pub(super) struct ValueArgs {
    /// Set a field: text as it is, other kinds as JSON; may be given again
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// Empty a field, or take it out of the record where it may not be null; may be given again
    #[arg(long = "null", value_name = "FIELD")]
    null: Vec<String>,
    /// Set the fields of a JSON object; `-` reads it from standard input. --set and --null go before it
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    json_body: Option<String>,
}

impl ValueArgs {
    pub(super) fn read(&self, entity: &Entity, context: &Context) -> Result<Values, Failure> {
        let mut values = match &self.json_body {
            Some(text) if text == "-" => object(entity, &from_stdin(context)?)?,
            Some(text) => object(entity, text)?,
            None => Values::new(),
        };
        for pair in &self.set {
            let Some((name, text)) = pair.split_once('=') else {
                let message = format!("--set {pair:?} is no FIELD=VALUE");
                return Err(Failure::usage("value_invalid", message).state("nothing was written"));
            };
            let field = field(entity, name)?;
            values.insert(name.to_owned(), read_value(field, text)?);
        }
        for name in &self.null {
            values.insert(field(entity, name)?.name.clone(), Value::Null);
        }
        Ok(values)
    }
}

/// The value that a text stands for, by the field's kind. Whether the field takes it, its rules say.
pub(super) fn read_value(field: &Field, text: &str) -> Result<Value, Failure> {
    match field.kind {
        FieldKind::Text
        | FieldKind::Uuid
        | FieldKind::Decimal
        | FieldKind::Date
        | FieldKind::Time
        | FieldKind::Timestamp => Ok(text.into()),
        FieldKind::Json if unheld_number(text).is_some() => {
            let message = format!(
                "{} holds a number of more digits than JSON's readers keep: write it as text",
                field.name
            );
            Err(Failure::usage("value_invalid", message).state("nothing was written"))
        }
        FieldKind::Int32 | FieldKind::Int64 => {
            let value = json(field, text, "a whole number")?;
            read_whole(&value, text).ok_or_else(|| wrong(field, text, "a whole number"))
        }
        FieldKind::Boolean => json(field, text, "true or false"),
        FieldKind::Float => json(field, text, "a number"),
        FieldKind::Json => json(field, text, "JSON"),
    }
}

fn json(field: &Field, text: &str, what: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| wrong(field, text, what).because(error))
}

fn wrong(field: &Field, text: &str, what: &str) -> Failure {
    let message = format!("{} must be {what}, not {text:?}", field.name);
    Failure::usage("value_invalid", message).state("nothing was written")
}

fn object(entity: &Entity, text: &str) -> Result<Values, Failure> {
    let unread = |error: serde_json::Error| {
        Failure::usage("value_invalid", "the body is no JSON object")
            .because(error)
            .state("nothing was written")
    };
    let written: &RawValue = serde_json::from_str(text).map_err(unread)?;
    let mut values: Values = serde_json::from_str(written.get()).map_err(unread)?;
    for name in values.keys() {
        field(entity, name)?;
    }
    read_exactly(entity, written, &mut values).map_err(|error| {
        let message = format!("{} {}", error.field, error.message);
        Failure::usage("value_invalid", message).state("nothing was written")
    })?;
    Ok(values)
}

fn from_stdin(context: &Context) -> Result<String, Failure> {
    if context.environment.terminals.stdin {
        context
            .output
            .note("Reading a JSON object; end it with Ctrl-D.");
    }
    let mut text = String::new();
    let read = std::io::stdin()
        .lock()
        .take(BODY_BYTES_MAX)
        .read_to_string(&mut text);
    read.map_err(|error| {
        Failure::new("stdin_unreadable", "could not read standard input")
            .because(error)
            .state("nothing was written")
    })?;
    Ok(text)
}
