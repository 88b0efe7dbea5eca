//! What agents report of sessions as a whole, as figures are made of it.

use std::collections::HashMap;

use rusqlite::{Connection, ToSql};
use serde_json::json;

use super::{Of, StatRow};
use crate::StoreError;
use crate::sessions::figures::{Reported, TREE_IDS, reported};
use crate::sessions::list::stands_alone;

const REPORTING: &str = concat!(
    "SELECT s.session_id FROM sessions AS s WHERE s.deleted_at IS NULL AND",
    stands_alone!(),
    "AND coalesce(s.reported_message_count, s.reported_tool_call_count, s.reported_input_tokens, \
     s.reported_output_tokens, s.reported_cache_read_tokens, s.reported_cache_write_tokens, \
     s.reported_reasoning_tokens, s.reported_cost_nanos) IS NOT NULL"
);

/// What is told of sessions as a whole and by nothing else, by their ids.
pub(super) struct Reports {
    by_session: HashMap<String, Reported>,
    /// Those sessions, as a JSON array.
    reporting: String,
    /// The sessions, subagents too, of whose responses prices make nothing: a JSON array.
    paid: String,
}

impl Reports {
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached(REPORTING)?;
        let ids = statement.query_map([], |row| row.get(0))?;
        let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
        let mut tree = connection.prepare_cached(TREE_IDS)?;
        let (mut by_session, mut paid) = (HashMap::new(), Vec::<String>::new());
        for id in ids {
            let reported = reported(connection, &id)?;
            if reported.cost_nanos > 0 {
                let below = tree.query_map([&id], |row| row.get(0))?;
                paid.extend(below.collect::<Result<Vec<_>, _>>()?);
            }
            if reported != Reported::default() {
                by_session.insert(id, reported);
            }
        }
        Ok(Self {
            reporting: json!(by_session.keys().collect::<Vec<_>>()).to_string(),
            paid: json!(paid).to_string(),
            by_session,
        })
    }

    /// What the statement of figures of this kind asks of reports.
    pub(super) fn parameters(&self, of: Of) -> Vec<(&'static str, &dyn ToSql)> {
        match of {
            Of::Messages | Of::Tools => Vec::new(),
            Of::Usage => vec![(":paid", &self.paid)],
            Of::Reports => vec![(":reporting", &self.reporting)],
        }
    }

    pub(super) fn add(&self, session: &str, stat: &mut StatRow) {
        let Some(reported) = self.by_session.get(session) else {
            return;
        };
        stat.messages += reported.messages;
        stat.tool_calls += reported.tool_calls;
        stat.tokens.add(&reported.tokens);
        stat.cost.reported_nanos += reported.cost_nanos;
    }
}
