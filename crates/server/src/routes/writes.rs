//! `/api/writes`: the queue of a client that keeps records in a database of its own.
//!
//! Each transaction is one op, judged in its turn; one that is refused does not stop the others. A
//! transaction is known by its `write_id`: sent again, it is answered as the first time, and who has lost
//! the answer may ask for it. A request's `Idempotency-Key` is such a name too.

use std::collections::BTreeMap;

use axum::http::Method;
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use syncline_model::ServerSeq;
use syncline_model::record::{Mode, Offered, Values, Write, read_writes_exactly};
use syncline_protocol::{ErrorCode, OpError};
use syncline_store::control::Rights;
use syncline_store::shapes::RecordTouch;
use syncline_store::{KnownRequest, StoreError};

use super::decide::request_name;
use super::records::{Backend, View, ignored, told_by, txid, unkept_of};
use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Route};
use crate::tenant::{
    RecordChange, Recorded, RepeatKey, WrittenRow, decision_of, op_error, op_error_of, written_row,
};

/// Transactions of one request.
const TRANSACTIONS_MAX: usize = 500;
/// Writes of one transaction: what one op changes.
const WRITES_MAX: usize = syncline_model::record::WRITES_MAX;

#[derive(Debug, Deserialize)]
struct Sent {
    transactions: Vec<Transaction>,
}

/// The same as it is written.
#[derive(Deserialize)]
struct SentTexts<'t> {
    #[serde(borrow)]
    transactions: Vec<&'t RawValue>,
}

#[derive(Debug, Deserialize)]
struct Transaction {
    write_id: String,
    /// The names of earlier writes that this one builds on.
    #[serde(default)]
    after: Vec<String>,
    writes: Vec<Write>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::POST,
            "/api/writes",
            Access::Needs(Rights::Sync),
            "Writes records: {transactions: [{write_id, after, writes: [{entity, id, action, values, base}]}]}.",
            |call| Box::pin(write(call)),
        )
        .body(BodyRule::Log),
        Route::new(
            Method::GET,
            "/api/writes/{write_id}",
            Access::Needs(Rights::Read),
            "What became of a write of who asks, by its write_id or Idempotency-Key.",
            |call| Box::pin(show(call)),
        ),
    ]
}

async fn write(call: Call) -> Result<Answer, ApiError> {
    let mut sent: Sent = call.json()?;
    let backend = Backend::of(&call).await?;
    let names = checked_names(&sent, &backend)?;
    let grounds = checked_grounds(&sent, &backend)?;
    let unread = read_numbers(&call, &backend, &mut sent)?;
    // Each has its place before the next, whatever order they are polled in; they wait together, and share
    // one commit.
    let mut written = Vec::with_capacity(names.len());
    let named = names.iter().zip(grounds).zip(unread);
    for (transaction, ((name, after), unread)) in sent.transactions.into_iter().zip(named) {
        let unkept = transaction.writes.iter().map(|write| {
            let entity = backend.schema.entity(&write.entity);
            entity.map_or_else(Values::new, |entity| unkept_of(entity, &write.values))
        });
        let unkept: Vec<_> = unkept.collect();
        let offered = Offered {
            writes: transaction.writes,
            mode: Mode::Confirmed,
            salt: None,
        };
        let change = match unread {
            None => RecordChange::Records(offered),
            Some(error) => RecordChange::Unread { offered, error },
        };
        let queued = backend.queue(&call, change, Some(name), after).await?;
        written.push(async move {
            let recorded = queued.await?;
            Ok::<_, ApiError>(result(&transaction.write_id, recorded, &unkept))
        });
    }
    let results = join_all(written).await.into_iter();
    let results = results.collect::<Result<Vec<Value>, _>>()?;
    Answer::json(&json!({ "results": results }))
}

/// Gives the writes the numbers that are written in the body, digit by digit, and tells of each transaction what
/// refuses it, where it holds one that nobody would read from it again.
fn read_numbers(
    call: &Call,
    backend: &Backend,
    sent: &mut Sent,
) -> Result<Vec<Option<OpError>>, ApiError> {
    let texts: SentTexts<'_> = serde_json::from_slice(&call.body).map_err(ApiError::internal)?;
    let transactions = sent.transactions.iter_mut().zip(texts.transactions);
    let unread = transactions.map(|(transaction, text)| {
        let read = read_writes_exactly(&backend.schema, text.get(), &mut transaction.writes);
        read.err().map(|refusal| op_error(&refusal))
    });
    Ok(unread.collect())
}

/// The names of the transactions, each of whom may be what it is.
fn checked_names(sent: &Sent, backend: &Backend) -> Result<Vec<String>, ApiError> {
    if sent.transactions.len() > TRANSACTIONS_MAX {
        let message = format!("holds more than {TRANSACTIONS_MAX}: send the rest after these");
        return Err(ApiError::invalid_field("transactions", message));
    }
    let mut seen = BTreeMap::new();
    let mut names = Vec::with_capacity(sent.transactions.len());
    for (at, transaction) in sent.transactions.iter().enumerate() {
        let wrong = |what: &str, message: String| {
            ApiError::invalid_field(&format!("transactions[{at}].{what}"), message)
        };
        let name = request_name(&backend.asker.user, &transaction.write_id).ok_or_else(|| {
            let message = "must be 1 to 255 ASCII characters that can be seen";
            wrong("write_id", message.to_owned())
        })?;
        if let Some(earlier) = seen.insert(&transaction.write_id, at) {
            let message = format!("is that of transactions[{earlier}] too");
            return Err(wrong("write_id", message));
        }
        if !(1..=WRITES_MAX).contains(&transaction.writes.len()) {
            return Err(wrong("writes", format!("must hold 1 to {WRITES_MAX}")));
        }
        names.push(name);
    }
    Ok(names)
}

/// The writes that each transaction builds on.
fn checked_grounds(sent: &Sent, backend: &Backend) -> Result<Vec<Vec<RepeatKey>>, ApiError> {
    let user = &backend.asker.user;
    let grounds = sent.transactions.iter().enumerate().map(|(at, transaction)| {
        let wrong = |message: String| {
            ApiError::invalid_field(&format!("transactions[{at}].after"), message)
        };
        if transaction.after.len() > TRANSACTIONS_MAX {
            return Err(wrong(format!("holds more than {TRANSACTIONS_MAX} names")));
        }
        let named = transaction.after.iter().map(|write_id| {
            let name = request_name(user, write_id);
            let key = name.as_deref().map(RepeatKey::new);
            key.ok_or_else(|| wrong("must hold names of writes, each 1 to 255 ASCII characters that can be seen".to_owned()))
        });
        named.collect()
    });
    grounds.collect()
}

async fn show(call: Call) -> Result<Answer, ApiError> {
    let unknown = || {
        let message = "no write of yours is called so: it never came, or was not judged yet";
        ApiError::new(ErrorCode::NotFound, message)
    };
    let backend = Backend::of(&call).await?;
    let write_id = call.parameter().to_owned();
    let name = request_name(&backend.asker.user, &write_id).ok_or_else(unknown)?;
    let key = RepeatKey::new(&name);
    let shown = backend.look(move |view| {
        let known = view.file.request(key.actor())?;
        Ok(known
            .map(|known| known_result(view, &write_id, known))
            .transpose()?)
    });
    Answer::json(&shown.await?.ok_or_else(unknown)?)
}

fn known_result(view: &View<'_>, write_id: &str, known: KnownRequest) -> Result<Value, StoreError> {
    Ok(match known {
        KnownRequest::Refused(refusal) => rejected(write_id, op_error_of(refusal)),
        KnownRequest::Dropped => {
            // At the floor or below, which every reader of shapes has.
            let mut told = accepted(write_id, None, Vec::new());
            told["txid"] = json!(txid(view.file.head()?.floor));
            told
        }
        KnownRequest::Written { seq, payload, .. } => {
            let decision = payload.as_ref().and_then(decision_of);
            let decided = decision.into_iter().flat_map(|decision| decision.decided);
            let rows = decided.map(|row| {
                let lost = row.lost.clone();
                let touch = RecordTouch {
                    entity: &row.entity,
                    id: &row.id,
                    columns: lost.keys().map(String::as_str).collect(),
                    seq: Some(seq),
                };
                written_row(&mut view.rows(), view.schema, view.asker, &touch, row.lost)
            });
            accepted(write_id, Some(seq), rows.collect::<Result<_, _>>()?)
        }
    })
}

/// What became of a transaction, whose writes said this of what records don't take.
fn result(write_id: &str, recorded: Recorded, unkept: &[Values]) -> Value {
    let taken = |seq, rows: Vec<WrittenRow>| {
        let all = unkept.iter().zip(&rows);
        let ignored: Vec<_> = all.map(|(said, row)| ignored(said, row)).collect();
        let is_any = ignored.iter().any(|names| !names.is_empty());
        let ignored = is_any.then(|| json!(ignored));
        let mut told = accepted(write_id, seq, rows);
        if let Some(ignored) = ignored {
            told["ignored"] = ignored;
        }
        told
    };
    match recorded {
        Recorded::Written { seq, rows } => taken(Some(seq), rows),
        Recorded::Repeated { seq, rows } => taken(seq, rows),
        Recorded::KeyReused => {
            let message =
                "an earlier write of this name asked for something else: take a new write_id";
            rejected(write_id, OpError::new(ErrorCode::KeyConflict, message))
        }
        Recorded::Refused(error) => rejected(write_id, *error),
        Recorded::Applied { .. } | Recorded::Breaking(_) => {
            unreachable!("a write of records is none of the schema")
        }
    }
}

fn accepted(write_id: &str, seq: Option<ServerSeq>, written: Vec<WrittenRow>) -> Value {
    let told = told_by(&written, seq);
    let txids = written.iter().map(|row| row.told.or(seq).map(txid));
    let txids: Vec<_> = txids.collect();
    let (rows, lost): (Vec<_>, Vec<_>) = written
        .into_iter()
        .map(|written| (written.row.map(|row| row.into_values()), written.lost))
        .unzip();
    json!({
        "write_id": write_id,
        "status": "accepted",
        "txid": told.map(txid),
        "txids": txids,
        "seq": seq.map(|seq| seq.0),
        "rows": rows,
        "lost": lost,
    })
}

fn rejected(write_id: &str, error: OpError) -> Value {
    let details: Option<Value> = error
        .details
        .and_then(|details| serde_json::from_str(&details).ok());
    json!({
        "write_id": write_id,
        "status": "rejected",
        "error": {"code": error.code.as_str(), "message": error.message, "details": details},
    })
}
