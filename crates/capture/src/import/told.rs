//! What plugins tell becomes ops, by the same rules as what transcripts say.

use std::collections::HashMap;

use serde_json::Value;
use syncline_model::session::{SessionPatch, words};
use syncline_replica::Replica;
use syncline_store::local::ImportNotes;

use super::desk::{Desk, Remembered, Since};
use super::prepare::ops_of;
use super::withhold::Withheld;
use super::{ImportBatch, ImportError};
use crate::facts::{Facts, Reading, set};
use crate::privacy::Privacy;
use crate::recorded::{self, Table, Whose};
use crate::told::Told;

/// Where sessions that plugins tell of are from, as they show it.
const SOURCE: &str = "plugin";

/// Makes ops of what plugins told, in its order, and notes of what was left out. The caller writes both
/// in one transaction. Nothing is kept of agents that `takes` does not take.
pub fn take_told(
    told: &[Told],
    takes: impl Fn(&str) -> bool,
    privacy: Privacy,
    replica: &mut Replica,
) -> Result<ImportBatch, ImportError> {
    // What others have brought is known by the view.
    replica.view().map_err(ImportError::Replica)?;
    let mut remembered = Remembered {
        any_known: replica.has_sessions().map_err(ImportError::Replica)?,
        ..Remembered::default()
    };
    let mut withheld = Withheld::new(privacy);
    let mut batch = ImportBatch::default();
    let mut facts = Facts::default();
    let mut desk = Desk {
        replica,
        remembered: &mut remembered,
        units: Vec::new(),
        whose: HashMap::new(),
        reading: Reading::On,
        torn: false,
        settles: false,
        since: Since::default(),
        failed: None,
    };
    let named = named_in(told);
    for thing in told {
        let since = Since {
            fact: facts.0.len(),
            unit: desk.units.len(),
        };
        let agent = agent_of(thing, &named, replica)?;
        if !takes(&agent) || withheld.privacy.excludes_agent(&agent) {
            batch.counts.excluded += 1;
            continue;
        }
        say(thing, &agent, &mut facts);
        let left_out = withheld.sift(&mut facts, since, &mut desk);
        match batch.left_out(left_out) {
            Some(_) => batch.counts.excluded += 1,
            None => {
                batch.counts.new += 1;
                if let Some(first) = facts.0.get(since.fact) {
                    *batch.said.entry(first.session).or_default() += 1;
                }
            }
        }
        if let Some(error) = desk.failed.take() {
            return Err(ImportError::Replica(error));
        }
    }
    batch.notes = ImportNotes {
        units: desk.units,
        ..ImportNotes::default()
    };
    let redactor = &withheld.privacy.redactor;
    ops_of(facts, redactor, replica, &mut remembered, &mut batch)?;
    Ok(batch)
}

/// Whose the sessions are of which any of `told` says it, by the agents' ids for them.
fn named_in(told: &[Told]) -> HashMap<&str, &str> {
    let named = told.iter().filter_map(|thing| {
        let native = thing.text(thing.thing.table().session_column())?;
        Some((native, thing.agent()?))
    });
    named.collect()
}

/// Whose session a thing is of: as it says itself, else as what is told with it says, else as a session of
/// this id is known. Equal ids of several agents are so told apart.
fn agent_of(
    told: &Told,
    named: &HashMap<&str, &str>,
    replica: &Replica,
) -> Result<String, ImportError> {
    let native = told.text(told.thing.table().session_column());
    let native = native.unwrap_or_default();
    if let Some(agent) = told.agent().or_else(|| named.get(native).copied()) {
        return Ok(agent.to_owned());
    }
    let known = replica.agent_of_native_session(native);
    let known = known.map_err(ImportError::Replica)?;
    Ok(known.unwrap_or_else(|| words::NOBODY.to_owned()))
}

fn say(told: &Told, agent: &str, facts: &mut Facts) {
    let table = told.thing.table();
    let whose = Whose {
        agent,
        native: told.text(table.session_column()).unwrap_or_default(),
    };
    if table != Table::Sessions {
        // It may come before its session is told of, and is found by the agent's id all the same.
        let patch = SessionPatch {
            agent: set(agent),
            native_id: set(whose.native),
            ..SessionPatch::default()
        };
        facts.session(whose.id(), patch);
    }
    let taken = recorded::take(table, &told.row, whose, SOURCE, facts);
    debug_assert!(taken.is_some(), "what was told has an id");
    if !told.unknown.is_empty() {
        let id = told.text("id").unwrap_or_default();
        let text = Value::Object(told.unknown.clone()).to_string();
        facts.raw(whose.id(), &format!("{}/{id}", table.name()), &text, 0);
    }
}
