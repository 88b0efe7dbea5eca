//! The store of clankers, a recorder of what several agents say to their hooks.

use std::collections::HashMap;

use serde_json::Value;
use syncline_model::session::words;
use syncline_store::StoreError;
use syncline_store::foreign::{ForeignDatabase, ForeignRow};

use crate::agent::Agent;
use crate::facts::{Facts, UnitKey, Verdict, take_unit};
use crate::import::Tally;
use crate::recorded::{self, Table, Whose};
use crate::unit::Unit;
use crate::value::text;

const AGENT: Agent = Agent::Clankers;
/// How many rows are read in one go.
const UNIT_ROWS: i64 = 1_000;

/// The rows of a `clankers.db`, so many at a time: `<table> <the row before the first>`.
pub(crate) fn units(
    database: &ForeignDatabase,
    tally: &mut Tally<'_>,
) -> Result<Vec<String>, StoreError> {
    if !database.has_table("sessions")? || !database.has_table("messages")? {
        let cause = "it has no sessions and messages as clankers keeps them".to_owned();
        tally.count(Verdict::Damaged(cause), None);
        return Ok(Vec::new());
    }
    let mut units = Vec::new();
    for table in Table::ALL {
        let name = table.name();
        if database.has_table(name)? {
            let rows = (0..database.last_row(name)?).step_by(UNIT_ROWS as usize);
            units.extend(rows.map(|before| format!("{name} {before}")));
        }
    }
    Ok(units)
}

/// Reads the rows of a unit.
pub(crate) fn read_unit(unit: Unit<'_, '_>) -> Result<(), StoreError> {
    let Unit {
        database,
        name,
        known,
        facts,
        tally,
    } = unit;
    let (name, before) = name.split_once(' ').unwrap_or_default();
    let table = Table::ALL.into_iter().find(|table| table.name() == name);
    let (Some(table), Ok(before)) = (table, before.parse::<i64>()) else {
        return Ok(());
    };
    let mut agents = HashMap::new();
    let rows = before + 1..=before + UNIT_ROWS;
    database.each_row_between::<StoreError>(table.name(), rows, |mut row: ForeignRow| {
        // Here a null is what was never told.
        row.retain(|_, value| !value.is_null());
        let row = Value::Object(row.cells);
        let content = row.to_string();
        let id = text(&row, &["id"]).unwrap_or_default();
        let key = UnitKey::of(&[AGENT.as_str(), name, id]);
        let verdict = if !take_unit(known, key, &[&content]) {
            Verdict::Known
        } else if take(table, &row, database, &mut agents, facts)?.is_some() {
            Verdict::New
        } else {
            Verdict::Damaged(format!("{name} {id:?} has no id, or names no session"))
        };
        tally.count(verdict, None);
        Ok(())
    })
}

fn agent_of(row: &Value) -> String {
    text(row, &["source"]).unwrap_or(words::NOBODY).to_owned()
}

fn take(
    table: Table,
    row: &Value,
    database: &ForeignDatabase,
    agents: &mut HashMap<String, Option<String>>,
    facts: &mut Facts,
) -> Result<Option<()>, StoreError> {
    let Some(native) = text(row, &[table.session_column()]) else {
        return Ok(None);
    };
    if table == Table::Sessions {
        agents.insert(native.to_owned(), Some(agent_of(row)));
    }
    if !agents.contains_key(native) {
        let mut agent = None;
        database.each_row_of::<StoreError>("sessions", "id", native, "id", |session| {
            agent = Some(agent_of(&Value::Object(session.cells)));
            Ok(())
        })?;
        agents.insert(native.to_owned(), agent);
    }
    let agent = agents.get(native).cloned().flatten();
    let has_row = agent.is_some();
    let whose = Whose {
        agent: &agent.unwrap_or_else(|| agent_of(row)),
        native,
    };
    if !has_row {
        recorded::name(whose, facts);
    }
    Ok(recorded::take(table, row, whose, AGENT.as_str(), facts))
}
