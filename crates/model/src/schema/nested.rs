//! What values of JSON are made of, as far as it is checked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FieldKind, Rules};

/// What a JSON value must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum JsonRules {
    Array(ArrayRules),
    Object(ObjectRules),
}

/// What a list must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ArrayRules {
    /// What each item must be. None: anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Nested>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// Whether no two items may be equal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique_items: bool,
}

/// What an object must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ObjectRules {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Nested>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    #[serde(default, skip_serializing_if = "Others::is_any")]
    pub others: Others,
}

/// Which properties an object may have that its rules don't name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Others {
    #[default]
    Any,
    None,
    /// Of any name, with such values.
    Each(Box<Nested>),
}

impl Others {
    fn is_any(&self) -> bool {
        *self == Self::Any
    }
}

/// What a value within another must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nested {
    pub kind: FieldKind,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nullable: bool,
    #[serde(default, skip_serializing_if = "Rules::is_empty")]
    pub rules: Rules,
}

impl Rules {
    /// The patterns of texts, and of those within.
    pub fn patterns(&self) -> Vec<&str> {
        let mut patterns: Vec<&str> = self.pattern.as_deref().into_iter().collect();
        let within: Vec<&Nested> = match self.json.as_deref() {
            None => Vec::new(),
            Some(JsonRules::Array(array)) => array.items.as_deref().into_iter().collect(),
            Some(JsonRules::Object(object)) => {
                let others = match &object.others {
                    Others::Each(nested) => Some(&**nested),
                    Others::Any | Others::None => None,
                };
                object.properties.values().chain(others).collect()
            }
        };
        patterns.extend(
            within
                .into_iter()
                .flat_map(|nested| nested.rules.patterns()),
        );
        patterns
    }
}
