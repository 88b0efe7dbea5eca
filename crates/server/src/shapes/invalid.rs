//! What is wrong with a request, by its parameters.

use serde_json::{Map, Value, json};
use syncline_model::shape::FilterError;

/// Texts by parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Invalid {
    errors: Vec<(&'static str, String)>,
    /// Errors of a subset stand beneath `subset`.
    subset: Vec<(&'static str, String)>,
}

impl Invalid {
    pub(super) fn of(parameter: &'static str, message: impl Into<String>) -> Self {
        Self {
            errors: vec![(parameter, message.into())],
            subset: Vec::new(),
        }
    }

    pub(super) fn of_subset(parameter: &'static str, message: impl Into<String>) -> Self {
        Self {
            errors: Vec::new(),
            subset: vec![(parameter, message.into())],
        }
    }

    pub(super) fn filter(parameter: &'static str, error: &FilterError) -> Self {
        Self::of(parameter, error.to_string())
    }

    pub(super) fn add(&mut self, parameter: &'static str, message: impl Into<String>) {
        self.errors.push((parameter, message.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty() && self.subset.is_empty()
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> Value {
        let mut errors = lists(&self.errors);
        if !self.subset.is_empty() {
            errors.insert("subset".to_owned(), Value::Object(lists(&self.subset)));
        }
        json!({"message": "Invalid request", "errors": errors})
    }
}

fn lists(errors: &[(&'static str, String)]) -> Map<String, Value> {
    let mut map = Map::new();
    for (parameter, message) in errors {
        let list = map.entry(*parameter).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(message.as_str().into());
        }
    }
    map
}
