//! `POST /api/writes`: the queue of a client that keeps records in a database of its own.
//!
//! Each transaction is one op, judged in its turn; one that is refused does not stop the others. A
//! transaction is known by its `write_id`: sent again, it is answered as the first time.

use std::collections::BTreeMap;

use axum::http::Method;
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use syncline_model::record::{
    Asker, Mode, Offered, Records, Refusal, Values, Write, role_on, visible_columns,
};
use syncline_model::schema::Schema;
use syncline_model::{ServerSeq, UserId};
use syncline_protocol::ErrorCode;
use syncline_store::control::Rights;
use syncline_store::records::{StoredRecords, schema};
use syncline_store::{StoreError, TenantFile};

use super::decide::look;
use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Route};
use crate::tenant::{RecordChange, RecordWrite, Recorded, RepeatKey, code_of};

/// Transactions of one request.
const TRANSACTIONS_MAX: usize = 500;
/// Writes of one transaction.
const WRITES_MAX: usize = 1_000;
/// Bytes of a `write_id`.
const WRITE_ID_BYTES_MAX: usize = 255;

#[derive(Debug, Deserialize)]
struct Sent {
    transactions: Vec<Transaction>,
}

#[derive(Debug, Deserialize)]
struct Transaction {
    write_id: String,
    writes: Vec<Write>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::POST,
            "/api/writes",
            Access::Needs(Rights::Sync),
            "Writes records: {transactions: [{write_id, writes: [{entity, id, action, values, base}]}]}.",
            |call| Box::pin(write(call)),
        )
        .body(BodyRule::Log),
    ]
}

async fn write(call: Call) -> Result<Answer, ApiError> {
    let sent: Sent = call.json()?;
    check(&sent)?;
    let asker = call.asker()?;
    let tenant = call.tenant().await?;
    let rows: Vec<Vec<(String, String)>> = sent.transactions.iter().map(rows_of).collect();
    let names: Vec<String> = sent
        .transactions
        .iter()
        .map(|transaction| transaction.write_id.clone())
        .collect();
    // All wait together, in their order, and share one commit.
    let written = join_all(sent.transactions.into_iter().map(|transaction| {
        let write = RecordWrite {
            repeat: Some(repeat_key(&asker.user, &transaction.write_id)),
            asker: asker.clone(),
            change: RecordChange::Records(Offered {
                writes: transaction.writes,
                mode: Mode::Confirmed,
            }),
        };
        tenant.write_record(write, call.body.held())
    }))
    .await;
    let written = written.into_iter().collect::<Result<Vec<Recorded>, _>>()?;
    let shown = look(&call, move |file| {
        let Some(standing) = schema(file.connection())? else {
            return Ok(rows.iter().map(|_| Vec::new()).collect::<Vec<_>>());
        };
        let rows = rows.iter().map(|of| {
            of.iter()
                .map(|(entity, id)| shown_row(file, &standing.schema, &asker, entity, id))
                .collect()
        });
        Ok(rows.collect::<Result<Vec<Vec<Value>>, StoreError>>()?)
    })
    .await?;
    let results: Vec<Value> = names
        .iter()
        .zip(written)
        .zip(shown)
        .map(|((name, recorded), rows)| result(name, recorded, rows))
        .collect();
    Answer::json(&json!({ "results": results }))
}

fn check(sent: &Sent) -> Result<(), ApiError> {
    if sent.transactions.len() > TRANSACTIONS_MAX {
        let message = format!("holds more than {TRANSACTIONS_MAX}: send the rest after these");
        return Err(ApiError::invalid_field("transactions", message));
    }
    let mut seen = BTreeMap::new();
    for (at, transaction) in sent.transactions.iter().enumerate() {
        let place = |what: &str| format!("transactions[{at}].{what}");
        let name = &transaction.write_id;
        let is_printable = name.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_printable || !(1..=WRITE_ID_BYTES_MAX).contains(&name.len()) {
            let message = "must be 1 to 255 visible ASCII characters";
            return Err(ApiError::invalid_field(&place("write_id"), message));
        }
        if let Some(earlier) = seen.insert(name, at) {
            let message = format!("is that of transactions[{earlier}] too");
            return Err(ApiError::invalid_field(&place("write_id"), message));
        }
        if !(1..=WRITES_MAX).contains(&transaction.writes.len()) {
            let message = format!("must hold 1 to {WRITES_MAX}");
            return Err(ApiError::invalid_field(&place("writes"), message));
        }
    }
    Ok(())
}

/// The name of a request, whether it came here or as an `Idempotency-Key`.
pub(super) fn repeat_key(user: &UserId, write_id: &str) -> RepeatKey {
    RepeatKey::new(user, write_id)
}

fn rows_of(transaction: &Transaction) -> Vec<(String, String)> {
    let writes = transaction.writes.iter();
    writes
        .map(|write| (write.entity.clone(), write.id.clone()))
        .collect()
}

fn result(name: &str, recorded: Recorded, rows: Vec<Value>) -> Value {
    let accepted = |seq: Option<ServerSeq>, lost: Value| {
        json!({
            "write_id": name,
            "status": "accepted",
            "txid": seq.map(txid),
            "seq": seq.map(|seq| seq.0),
            "rows": rows,
            "lost": lost,
        })
    };
    match recorded {
        Recorded::Written { seq, decision } => {
            let lost = decision.decided.iter().map(|row| json!(row.lost)).collect();
            accepted(Some(seq), lost)
        }
        Recorded::Repeated { seq } => accepted(seq, Value::Null),
        Recorded::KeyReused => rejected(
            name,
            ErrorCode::KeyConflict,
            "an earlier write of this name asked for something else: take a new write_id",
            &Value::Null,
        ),
        Recorded::Refused(refusal) => rejected(
            name,
            code_of(refusal.code),
            &refusal.message,
            &details(&refusal),
        ),
        Recorded::Applied { .. } | Recorded::Breaking(_) => {
            unreachable!("a write of records is none of the schema")
        }
    }
}

/// What a program needs of a refusal: `fields` and `conflicts`, by the names that clients know.
pub(super) fn details(refusal: &Refusal) -> Value {
    let fields = refusal
        .errors
        .iter()
        .map(|error| json!({"field": error.field, "code": error.rule, "message": error.message}));
    json!({
        "write": refusal.write,
        "entity": refusal.entity,
        "id": refusal.id,
        "fields": fields.collect::<Vec<_>>(),
        "conflicts": refusal.conflicts,
    })
}

fn rejected(name: &str, code: ErrorCode, message: &str, details: &Value) -> Value {
    json!({
        "write_id": name,
        "status": "rejected",
        "error": {"code": code.as_str(), "message": message, "details": details},
    })
}

/// The transaction of a place, as shapes name it.
pub(super) fn txid(seq: ServerSeq) -> u32 {
    (seq.0 & u64::from(u32::MAX)) as u32
}

/// A record as who asks sees it, with their role on it; null: there is none for them.
pub(super) fn shown_row(
    file: &TenantFile,
    schema: &Schema,
    asker: &Asker,
    entity: &str,
    id: &str,
) -> Result<Value, StoreError> {
    let mut rows = StoredRecords(file.connection());
    let Some(entity) = schema.entity(entity) else {
        return Ok(Value::Null);
    };
    let record = rows.record(&entity.name, id)?;
    let Some(record) = record.filter(|record| !record.deleted) else {
        return Ok(Value::Null);
    };
    let Some(role) = role_on(&mut rows, entity, &record.columns, asker)? else {
        return Ok(Value::Null);
    };
    let mut columns: Values = record.columns;
    visible_columns(entity, role, &mut columns);
    columns.insert("_role".to_owned(), json!(role));
    Ok(json!(columns))
}
