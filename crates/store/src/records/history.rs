//! How a record came to be: the decisions on it that the log still holds.

use rusqlite::Connection;
use syncline_model::record::{Decided, RecordPayload, resource_of};
use syncline_model::{Payload, Scope, ServerSeq, Timestamp};

use crate::StoreError;

/// One op on a record.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    pub seq: ServerSeq,
    /// Who wrote it.
    pub by: String,
    /// When it was decided.
    pub at: Timestamp,
    /// What it did, and which values lost.
    pub decided: Decided,
}

/// What was done to a record, oldest first, as far as compaction has kept it: down to the floor all of
/// it, below it what the record still has a part of.
pub fn history(
    connection: &Connection,
    entity: &str,
    id: &str,
) -> Result<Vec<HistoryEntry>, StoreError> {
    let Ok(resource) = resource_of(entity, id) else {
        return Ok(Vec::new());
    };
    // An op on several records has the first one's resource: the others are found in its payload, by
    // their ids as JSON has them.
    let named = serde_json::Value::from(id).to_string();
    let mut statement = connection.prepare_cached(
        "SELECT server_seq, payload FROM ops WHERE resource_id = ?1 AND scope = ?2 \
         UNION ALL SELECT server_seq, payload FROM ops \
         WHERE scope = ?2 AND resource_id <> ?1 AND instr(payload, ?3) > 0 ORDER BY 1",
    )?;
    let mut rows = statement.query((resource.as_str(), Scope::RECORD, &named))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let seq = ServerSeq(row.get::<_, i64>(0)? as u64);
        let payload = row.get::<_, Option<String>>(1)?.map(Payload::stored);
        let Some(RecordPayload::Decided(decision)) = payload.as_ref().and_then(RecordPayload::read)
        else {
            continue;
        };
        let (by, at) = (decision.by, decision.at);
        let of_record = decision.decided.into_iter();
        let of_record = of_record.filter(|row| row.entity == entity && row.id == id);
        found.extend(of_record.map(|decided| HistoryEntry {
            seq,
            by: by.clone(),
            at,
            decided,
        }));
    }
    Ok(found)
}
