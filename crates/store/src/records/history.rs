//! How a record came to be: the decisions on it that the log still holds.

use rusqlite::{Connection, OptionalExtension};
use syncline_model::record::{Decided, Decision, RecordPayload, resource_of};
use syncline_model::{Payload, ServerSeq, Timestamp};

use crate::StoreError;

/// The bytes of decisions after which a page of a history ends: what one answer may take in memory.
pub const HISTORY_BYTES_MAX: usize = 4 << 20;

/// Ops that decide on more than one record. The text is that of decisions as they are written; in the
/// values of one record it may stand as well, and is looked at in vain.
const OF_SEVERAL: &str = r#"scope = 'record' AND instr(payload, '},{"entity":') > 0"#;

/// One op on a record.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    pub seq: ServerSeq,
    /// Who wrote it.
    pub by: String,
    /// When it was decided.
    pub at: Timestamp,
    /// Whether a part of it is not as it was written, but as who holds this log may see it.
    pub restricted: bool,
    /// What it did, and which values lost.
    pub decided: Decided,
}

/// A part of a record's history.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryPage {
    /// Oldest first; of one op there may be several.
    pub entries: Vec<HistoryEntry>,
    /// The place after which the next page begins; none: this is the last.
    pub next: Option<ServerSeq>,
}

/// The index by which ops on several records are found, as `(name, SQL)`.
pub(super) fn index(prefix: &str) -> (String, String) {
    let name = format!("{prefix}op_of_several");
    let sql = format!("CREATE INDEX IF NOT EXISTS {name} ON ops (scope) WHERE {OF_SEVERAL}");
    (name, sql)
}

/// What was done to a record after a place, oldest first, as far as compaction has kept it: down to the
/// floor all of it, below it what the record still has a part of. A page ends with the op that fills it.
pub fn history(
    connection: &Connection,
    (entity, id): (&str, &str),
    after: ServerSeq,
    limit: usize,
) -> Result<HistoryPage, StoreError> {
    let mut page = HistoryPage::default();
    let Ok(resource) = resource_of(entity, id) else {
        return Ok(page);
    };
    // An op on several records has the first one's resource: the others are found in its payload, by
    // their ids as JSON has them.
    let named = serde_json::Value::from(id).to_string();
    let mut statement = connection.prepare_cached(&places())?;
    let since = i64::try_from(after.get()).unwrap_or(i64::MAX);
    let mut places = statement.query((resource.as_str(), &named, since))?;
    let mut bytes = 0;
    while let Some(row) = places.next()? {
        let seq = ServerSeq(row.get::<_, i64>(0)? as u64);
        if page.entries.len() >= limit || bytes >= HISTORY_BYTES_MAX {
            page.next = page.entries.last().map(|entry| entry.seq);
            break;
        }
        let Some((decision, length)) = read_decision(connection, seq)? else {
            continue;
        };
        let (by, at, restricted) = (decision.by, decision.at, decision.restricted);
        let of_record = decision.decided.into_iter();
        let of_record = of_record.filter(|row| row.entity == entity && row.id == id);
        let before = page.entries.len();
        page.entries.extend(of_record.map(|decided| HistoryEntry {
            seq,
            by: by.clone(),
            at,
            restricted,
            decided,
        }));
        if page.entries.len() > before {
            bytes += length;
        }
    }
    Ok(page)
}

/// The places of the ops on a record, and of those that may be.
fn places() -> String {
    format!(
        "SELECT server_seq FROM ops WHERE resource_id = ?1 AND scope = 'record' AND server_seq > ?3 \
         UNION SELECT server_seq FROM ops \
         WHERE {OF_SEVERAL} AND instr(payload, ?2) > 0 AND server_seq > ?3 ORDER BY 1"
    )
}

/// What the op at this place decided; none: there is no decision.
pub fn decision_at(
    connection: &Connection,
    seq: ServerSeq,
) -> Result<Option<Decision>, StoreError> {
    let read = read_decision(connection, seq)?;
    Ok(read.map(|(decision, _)| decision))
}

/// The decision at this place, and how many bytes it takes in the log.
fn read_decision(
    connection: &Connection,
    seq: ServerSeq,
) -> Result<Option<(Decision, usize)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT payload FROM ops WHERE server_seq = ? AND scope = 'record'")?;
    let found = statement.query_row([seq.get() as i64], |row| row.get::<_, Option<String>>(0));
    let Some(payload) = found.optional()?.flatten().map(Payload::stored) else {
        return Ok(None);
    };
    let length = payload.as_str().len();
    Ok(match RecordPayload::read(&payload) {
        Some(RecordPayload::Decided(decision)) => Some((decision, length)),
        Some(RecordPayload::Offered(_)) | None => None,
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::records::indexes::INDEX_PREFIX;

    #[test]
    fn a_history_reads_neither_the_whole_log_nor_every_payload() {
        let connection = Connection::open_in_memory().unwrap();
        let ops = "CREATE TABLE ops (server_seq INTEGER PRIMARY KEY, scope TEXT, resource_id TEXT, \
                   actor TEXT, clock INTEGER, payload TEXT); \
                   CREATE UNIQUE INDEX ops_key ON ops (resource_id, actor, clock, scope)";
        connection.execute_batch(ops).unwrap();
        connection.execute_batch(&index(INDEX_PREFIX).1).unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {}", places());
        let mut statement = connection.prepare(&sql).unwrap();
        let steps = statement.query_map(("rows/x", "\"x\"", 0), |row| row.get::<_, String>(3));
        let steps: Vec<_> = steps.unwrap().map(Result::unwrap).collect();
        let read: Vec<_> = steps.iter().filter(|step| step.contains(" ops")).collect();
        assert_eq!(read.len(), 2, "{steps:?}");
        assert!(read[0].contains("ops_key"), "{steps:?}");
        assert!(read[1].contains("op_of_several"), "{steps:?}");
    }
}
