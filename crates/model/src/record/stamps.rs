//! Which op each part of a record's row is from.
//!
//! In a row they are a JSON array, one element per op: `[clock, actor, made, [columns]]`, where `made`
//! says whether the row itself, or its end, is from this op.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::{ActorId, Clock, OpVersion};

/// What of a row an op has written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Part {
    made: bool,
    columns: BTreeSet<String>,
}

/// The ops that a row is made of.
#[derive(Debug, Default)]
pub(super) struct Stamps(BTreeMap<OpVersion, Part>);

impl Stamps {
    /// Those of a row that is made, or ended, by one op alone.
    pub(super) fn of_whole<'a>(
        version: OpVersion,
        columns: impl IntoIterator<Item = &'a String>,
    ) -> Self {
        let part = Part {
            made: true,
            columns: columns.into_iter().cloned().collect(),
        };
        Self([(version, part)].into())
    }

    /// Reads what [`Stamps::to_text`] wrote.
    pub(super) fn of_text(text: &str) -> Self {
        let parts: Vec<(u64, String, bool, BTreeSet<String>)> =
            serde_json::from_str(text).expect("the fold alone writes this column");
        let parts = parts
            .into_iter()
            .filter_map(|(clock, actor, made, columns)| {
                let version = OpVersion {
                    clock: Clock::new(clock).ok()?,
                    actor: ActorId::new(actor).ok()?,
                };
                Some((version, Part { made, columns }))
            });
        Self(parts.collect())
    }

    pub(super) fn to_text(&self) -> String {
        let parts = self.0.iter().map(|(version, part)| {
            json!([
                version.clock.get(),
                version.actor.as_str(),
                part.made,
                part.columns
            ])
        });
        serde_json::Value::Array(parts.collect()).to_string()
    }

    /// Gives these columns to an op, whosever they were.
    pub(super) fn take<'a>(
        &mut self,
        version: OpVersion,
        columns: impl IntoIterator<Item = &'a String>,
    ) {
        let taken: BTreeSet<String> = columns.into_iter().cloned().collect();
        for part in self.0.values_mut() {
            part.columns.retain(|column| !taken.contains(column));
        }
        self.0.entry(version).or_default().columns.extend(taken);
        self.0
            .retain(|_, part| part.made || !part.columns.is_empty());
    }

    /// Whether any part of the row is from this op.
    pub(super) fn hold(&self, version: &OpVersion) -> bool {
        self.0.contains_key(version)
    }
}
