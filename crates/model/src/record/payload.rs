//! Payloads of scope `record`: what is offered, and what is decided.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use crate::{IdError, OpKey, Payload, PayloadError, ResourceId, Salt, Scope, Timestamp};

/// Values by the names of their columns.
pub type Values = BTreeMap<String, Json>;

/// What a writer wants changed: one or several rows, all of them or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// The resource of the op is that of the first.
    pub writes: Vec<Write>,
    #[serde(default)]
    pub mode: Mode,
    /// Keeps the hash of this from telling what is in it to who may not see all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
}

/// Whether the writer's own view shows the write before it is decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Optimistic,
    #[default]
    Confirmed,
}

/// One row to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    pub entity: String,
    /// A whole number in a request's JSON is taken as it is written.
    #[serde(deserialize_with = "id_of")]
    pub id: String,
    pub action: Action,
    /// The columns that change. What is absent stays as it is, null empties.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: Values,
    /// What the schema that the writer knew gives a new record that says nothing of these columns. It shows
    /// while the write waits; who decides gives the record the defaults of the schema that stands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: Values,
    /// The columns that an update takes out of the record: it has no value of them then, not even null.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unset: BTreeSet<String>,
    /// The values that the writer saw before, null for what wasn't there. A column that is not named
    /// here is written whatever it holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub base: Values,
}

fn id_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an id is a text or a whole number")]
    enum Id {
        Text(String),
        Whole(i64),
    }
    Ok(match Id::deserialize(deserializer)? {
        Id::Text(id) => id,
        Id::Whole(id) => id.to_string(),
    })
}

/// What is to be done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    Delete,
}

/// What came of an offered op: the payload that the log holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// One for each write, in their order; the op's resource is that of the first.
    pub decided: Vec<Decided>,
    /// Who wrote it.
    pub by: String,
    /// When it was decided.
    pub at: Timestamp,
    /// Whether a part was left out for who reads it: such an op is never offered again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
    /// That of what was offered. Who may not see all of it does not get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
    /// What a newer version says beside.
    #[serde(flatten)]
    pub other: Values,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub entity: String,
    pub id: String,
    pub action: DecidedAction,
    /// The columns that have changed, or, of a new row, all that it has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: Values,
    /// The columns that an update has taken out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unset: BTreeSet<String>,
    /// The values that lost, by their columns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lost: BTreeMap<String, Lost>,
    /// What a newer version says beside.
    #[serde(flatten)]
    pub other: Values,
}

/// What a decision does with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedAction {
    /// The row has these values and no other.
    Create,
    /// The row, if it is there, has these values beside its others, but for those that are taken out.
    Update,
    Delete,
    /// Something that who reads this may not see.
    Hidden,
}

/// A column that two writers have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// What the later writer had seen.
    pub base: Json,
    /// What it wanted.
    pub mine: Json,
    /// What the row held.
    pub theirs: Json,
}

/// A payload of this scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordPayload {
    Offered(Offered),
    Decided(Decision),
}

impl RecordPayload {
    /// Reads a payload; none if it isn't one of the two forms, or names no row.
    pub fn read(payload: &Payload) -> Option<Self> {
        // The first field tells most of them apart without reading twice.
        if payload.as_str().starts_with("{\"writes\"") {
            return Self::offered(payload);
        }
        let decision = payload.read::<Decision>().ok();
        match decision.filter(|decision| !decision.decided.is_empty()) {
            Some(decision) => Some(Self::Decided(decision)),
            None => Self::offered(payload),
        }
    }

    fn offered(payload: &Payload) -> Option<Self> {
        let offered = payload.read::<Offered>().ok()?;
        (!offered.writes.is_empty()).then_some(Self::Offered(offered))
    }

    /// The rows that it names, as `(entity, id)`, in order.
    pub fn rows(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Offered(offered) => {
                let writes = offered.writes.iter();
                writes.map(|row| (&*row.entity, &*row.id)).collect()
            }
            Self::Decided(decision) => {
                let decided = decision.decided.iter();
                decided.map(|row| (&*row.entity, &*row.id)).collect()
            }
        }
    }
}

impl Offered {
    /// The resource of the op that offers this: that of its first row.
    ///
    /// # Errors
    /// Where there is no row, or its names are too long.
    pub fn resource(&self) -> Result<ResourceId, IdError> {
        let first = self.writes.first();
        let first = first.ok_or(IdError::Empty { kind: "record" })?;
        resource_of(&first.entity, &first.id)
    }

    pub fn payload(&self) -> Result<Payload, PayloadError> {
        Payload::from_value(self)
    }
}

impl Decision {
    pub fn payload(&self) -> Result<Payload, PayloadError> {
        Payload::from_value(self)
    }
}

/// The resource of a row: `entity/id`. An entity's name has no slash.
pub fn resource_of(entity: &str, id: &str) -> Result<ResourceId, IdError> {
    if entity.is_empty() || id.is_empty() {
        return Err(IdError::Empty { kind: "record" });
    }
    ResourceId::new(format!("{entity}/{id}"))
}

/// The resources whose rows an op of this scope writes, each once; that of its key is the first.
pub fn touches(key: &OpKey, payload: Option<&Payload>) -> Vec<(Scope, ResourceId)> {
    let mut touched = vec![(key.scope.clone(), key.resource.clone())];
    let Some(read) = payload.and_then(RecordPayload::read) else {
        return touched;
    };
    for (entity, id) in read.rows().into_iter().skip(1) {
        let Ok(resource) = resource_of(entity, id) else {
            continue;
        };
        if touched.iter().all(|(_, known)| *known != resource) {
            touched.push((key.scope.clone(), resource));
        }
    }
    touched
}
