//! Values within values of JSON, held against what a document says of them.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::exact::whole_number;
use super::rules::{Asked, Fault, Rulebook, counted};
use crate::schema::{ArrayRules, FieldKind, JsonRules, Nested, ObjectRules, Others};

impl Rulebook {
    /// The first thing within a value that is not as it must be.
    pub(super) fn fault_within(&self, rules: &JsonRules, value: &Json) -> Option<Fault> {
        match (rules, value) {
            (JsonRules::Array(rules), Json::Array(items)) => self.fault_of_array(rules, items),
            (JsonRules::Array(_), _) => Some(Fault::new("type", "must be a list")),
            (JsonRules::Object(rules), Json::Object(object)) => self.fault_of_object(rules, object),
            (JsonRules::Object(_), _) => Some(Fault::new("type", "must be an object")),
        }
    }

    fn fault_of_array(&self, rules: &ArrayRules, items: &[Json]) -> Option<Fault> {
        let count = items.len() as u64;
        if let Some(min) = rules.min_items.filter(|min| count < *min) {
            return Some(Fault::new(
                "min_items",
                format!("must have {} or more", counted(min, "item")),
            ));
        }
        if let Some(max) = rules.max_items.filter(|max| count > *max) {
            return Some(Fault::new(
                "max_items",
                format!("must have {} or fewer", counted(max, "item")),
            ));
        }
        let mut seen = HashSet::new();
        let is_double = |item: &Json| !seen.insert(item.to_string());
        if rules.unique_items && items.iter().any(is_double) {
            return Some(Fault::new("unique_items", "must not hold an item twice"));
        }
        let nested = rules.items.as_deref()?;
        let mut items = items.iter().enumerate();
        items.find_map(|(at, item)| self.fault_at(nested, &at.to_string(), item))
    }

    fn fault_of_object(&self, rules: &ObjectRules, object: &Map<String, Json>) -> Option<Fault> {
        let is_missing = |name: &&String| !object.contains_key(*name);
        if let Some(name) = rules.required.iter().find(is_missing) {
            return Some(Fault::new("required", "must be given").within(name));
        }
        object.iter().find_map(
            |(name, value)| match (rules.properties.get(name), &rules.others) {
                (Some(nested), _) => self.fault_at(nested, name, value),
                (None, Others::Any) => None,
                (None, Others::None) => {
                    Some(Fault::new("unknown", "is no property of it").within(name))
                }
                (None, Others::Each(nested)) => self.fault_at(nested, name, value),
            },
        )
    }

    fn fault_at(&self, nested: &Nested, step: &str, value: &Json) -> Option<Fault> {
        let asked = Asked {
            kind: &nested.kind,
            nullable: nested.nullable,
            rules: &nested.rules,
        };
        // A value of JSON is kept as it is written: `3.0` is a whole number in it too.
        let whole = match nested.kind {
            FieldKind::Int32 | FieldKind::Int64 => whole_number(value).map(Json::from),
            _ => None,
        };
        let fault = self.fault(asked, whole.as_ref().unwrap_or(value));
        fault.map(|fault| fault.within(step))
    }
}
