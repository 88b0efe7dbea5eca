//! The store of clankers, a recorder of what several agents say to their hooks.

use std::collections::HashMap;

use serde_json::Value;
use syncline_store::StoreError;
use syncline_store::foreign::{ForeignDatabase, ForeignRow};

use crate::agent::Agent;
use crate::facts::{Facts, Known, UnitKey, Verdict, take_unit};
use crate::import::Tally;
use crate::recorded::{self, Table, Whose};
use crate::value::text;

const AGENT: Agent = Agent::Clankers;
/// The agent of sessions whose row does not say.
const UNKNOWN_AGENT: &str = "unknown";

/// Reads a `clankers.db`.
pub(crate) fn read_database(
    database: &ForeignDatabase,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) -> Result<(), StoreError> {
    if !database.has_table("sessions")? || !database.has_table("messages")? {
        let cause = "it has no sessions and messages as clankers keeps them".to_owned();
        tally.count(Verdict::Damaged(cause), None);
        return Ok(());
    }
    let mut agents = HashMap::new();
    for table in Table::ALL {
        let name = table.name();
        if !database.has_table(name)? {
            continue;
        }
        database.each_row::<StoreError>(name, |mut row: ForeignRow| {
            // Here a null is what was never told.
            row.retain(|_, value| !value.is_null());
            let row = Value::Object(row);
            let content = row.to_string();
            let id = text(&row, &["id"]).unwrap_or_default().to_owned();
            if table == Table::Sessions {
                agents.insert(id.clone(), agent_of(&row));
            }
            let key = UnitKey::of(&[AGENT.as_str(), name, &id]);
            let verdict = if !take_unit(known, key, &[&content]) {
                Verdict::Known
            } else if take(table, &row, &agents, facts).is_some() {
                Verdict::New
            } else {
                Verdict::Damaged(format!("{name} {id:?} has no id, or names no session"))
            };
            tally.count(verdict, None);
            Ok(())
        })?;
    }
    Ok(())
}

fn agent_of(row: &Value) -> String {
    text(row, &["source"]).unwrap_or(UNKNOWN_AGENT).to_owned()
}

fn take(
    table: Table,
    row: &Value,
    agents: &HashMap<String, String>,
    facts: &mut Facts,
) -> Option<()> {
    let native = text(row, &[table.session_column()])?;
    let agent = agents.get(native).cloned();
    let whose = Whose {
        agent: &agent.unwrap_or_else(|| agent_of(row)),
        native,
    };
    recorded::take(table, row, whose, AGENT.as_str(), facts)
}
