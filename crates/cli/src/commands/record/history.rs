use clap::Args;
use serde::Serialize;
use syncline_model::record::{Decided, DecidedAction, Lost, readable};
use syncline_model::schema::Entity;
use syncline_model::{ServerSeq, Timestamp};
use syncline_replica::Replica;
use syncline_store::records::{HistoryEntry, history, is_pending};
use syncline_store::{StoreError, TenantFile};

use super::get::{not_found, record};
use super::shown::text;
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::printable;

/// Show how a record came to be: who wrote what, and which values lost
///
/// As far back as the log holds: compaction drops what later writes cover. With --json: {history, pending}.
/// Where roles are by membership, a making that is `restricted` has the values of when the record came into
/// sight here: the server's /api/records/ENTITY/ID/history has what was written.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The value of its key
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Serialize)]
struct Entry {
    seq: u64,
    at: Timestamp,
    by: String,
    restricted: bool,
    #[serde(flatten)]
    decided: Decided,
}

impl Entry {
    /// Whether it holds the record as it was when it came into sight, and not what was written.
    fn is_restated(&self, entity: &Entity) -> bool {
        let is_made = self.decided.action == DecidedAction::Create;
        self.restricted && is_made && entity.access.role_via.is_some()
    }
}

#[derive(Serialize)]
struct Listing {
    history: Vec<Entry>,
    /// Whether there is a change beside that the server has not decided.
    pending: bool,
}

pub(super) fn run(
    args: &HistoryArgs,
    entity: &Entity,
    replica: &mut Replica,
    context: &Context,
) -> Outcome {
    let found = record(replica, entity, &args.id)?;
    let id = found.as_ref().map_or(&args.id, |record| &record.id).clone();
    let role = match found {
        Some(record) if !record.deleted => replica.role_on(&record)?,
        // It may have gone from sight alone.
        Some(_) if entity.access.role_via.is_some() => None,
        Some(_) => Some(replica.asker()?.role),
        None => None,
    };
    let Some(role) = role else {
        return Err(not_found(replica, entity, &args.id)?);
    };
    let view = replica.view()?;
    let listing = Listing {
        history: entries(view, (&entity.name, &id))?
            .into_iter()
            .map(|entry| Entry {
                seq: entry.seq.0,
                at: entry.at,
                by: entry.by,
                restricted: entry.restricted,
                decided: readable(entity, role, entry.decided),
            })
            .collect(),
        pending: is_pending(view.connection(), &entity.name, &id)?,
    };
    context.output.data(&listing, |out| {
        for entry in &listing.history {
            let action = serde_json::to_value(entry.decided.action).unwrap_or_default();
            let (at, by) = (entry.at, printable(&entry.by));
            let restated = if entry.is_restated(entity) {
                ", as it was when it came into sight here"
            } else {
                ""
            };
            writeln!(out, "{} {at} {by} {}{restated}", entry.seq, text(&action))?;
            for (column, value) in &entry.decided.values {
                writeln!(out, "  {}: {}", printable(column), printable(&text(value)))?;
            }
            for column in &entry.decided.unset {
                writeln!(out, "  {}: (taken out)", printable(column))?;
            }
            for (column, lost) in &entry.decided.lost {
                let line = lost_line(column, lost, &entry.decided);
                writeln!(out, "  {}", printable(&line))?;
            }
        }
        if listing.pending {
            writeln!(out, "(a change is pending)")?;
        }
        Ok(())
    })
}

/// All of it: a person has asked for it, and it is of one record.
fn entries(view: &TenantFile, record: (&str, &str)) -> Result<Vec<HistoryEntry>, StoreError> {
    let (mut entries, mut after) = (Vec::new(), ServerSeq::ZERO);
    loop {
        let page = history(view.connection(), record, after, usize::MAX)?;
        entries.extend(page.entries);
        match page.next {
            Some(next) => after = next,
            None => return Ok(entries),
        }
    }
}

/// Which value lost, and to which: what the decision has written stands.
fn lost_line(column: &str, lost: &Lost, decided: &Decided) -> String {
    let (mine, theirs) = (&lost.mine, &lost.theirs);
    let (gone, stands) = if decided.values.contains_key(column) {
        (theirs, mine)
    } else {
        (mine, theirs)
    };
    format!("{column}: {gone} lost to {stands}, base {}", lost.base)
}
