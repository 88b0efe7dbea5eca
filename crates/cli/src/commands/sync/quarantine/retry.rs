use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value, json};
use syncline_model::Value as Cell;
use syncline_replica::{LaterWords, Outdone, QuarantineId, QuarantinedOp, Replica, Retried};

use super::held;
use crate::context::Context;
use crate::delivery::{self, Delivered, Delivery, Stay};
use crate::failure::{Failure, Outcome};
use crate::replica_access::{self, WriteState};
use crate::wording::{counted, refusal_lines};

/// Offer refused changes again, as if written now
///
/// What others have written is brought here first, where the server answers within a second; else the changes are
/// judged by what has come here so far, and that is told. A change of a record that others have changed too is offered
/// on what they have made of it; `show` tells both. A change of an item, a list, a thread or a session that would write
/// over what others, or another machine of yours, have written later is not offered unless with --over: it stays here,
/// and both are told. So does the deletion of a thread or session in which others have written, or you have since. A
/// change of a thread or session that was deleted is never offered: what it says would be erased. What an agent has
/// told of its session is not judged so: it stands or not by how far its transcript had come. A change of an item or a
/// list that says what is there already leaves the quarantine, and so does one that adds an item or list which another
/// machine has added again from its own copy: that stays as others have made it since, also where they have removed it.
#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    /// Their ids, as `list` shows them
    #[arg(required_unless_present = "all", value_name = "ID")]
    ids: Vec<u64>,
    /// All of them
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Also those that write over what others have written later of an item, a list, a thread or a session
    #[arg(long)]
    over: bool,
}

#[derive(Default, Serialize)]
struct Offered {
    retried: Vec<u64>,
    /// Those of them that nothing was written of: what they say is there already.
    there: Vec<u64>,
    /// Those that have left the quarantine meanwhile.
    left: Vec<u64>,
    /// Those that others have written later words than.
    outdone: Vec<Later>,
    /// Those of a thread or session that was deleted.
    deleted: Vec<u64>,
    /// Those that nothing is left of.
    erased: Vec<u64>,
    state: Option<WriteState>,
}

impl Offered {
    fn is_empty(&self) -> bool {
        self.retried.is_empty()
            && self.left.is_empty()
            && self.outdone.is_empty()
            && self.deleted.is_empty()
            && self.erased.is_empty()
    }
}

/// A change that is not offered again, and where its words and the later ones differ, as the details of a refusal
/// say it.
#[derive(Serialize)]
struct Later {
    id: u64,
    conflicts: Value,
}

pub(crate) fn run(args: &RetryArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    // Before any is written anew: an id that is wrong is a mistake in the command.
    let ids = in_order_of_writing(if args.all {
        replica.quarantined()?
    } else {
        let named = args.ids.iter().map(|id| held(&replica, *id));
        named.collect::<Result<_, _>>()?
    });
    if !ids.is_empty() {
        replica = brought(context, replica)?;
    }
    let named: Vec<_> = ids.iter().copied().map(QuarantineId).collect();
    let later = if args.over {
        LaterWords::Go
    } else {
        LaterWords::Stay
    };
    let mut keys = Vec::new();
    let mut offered = Offered::default();
    for (id, retried) in ids.iter().zip(replica.retry_quarantined(&named, later)?) {
        match retried {
            Retried::Anew(key) => keys.push(key),
            Retried::There => offered.there.push(*id),
            Retried::Outdone(words) => {
                let conflicts = conflicts(&words);
                offered.outdone.push(Later { id: *id, conflicts });
                continue;
            }
            Retried::Gone => {
                offered.deleted.push(*id);
                continue;
            }
            // Others may have written the same, which came with what was brought.
            Retried::Left => {
                offered.left.push(*id);
                continue;
            }
            Retried::Nothing => {
                offered.erased.push(*id);
                continue;
            }
        }
        offered.retried.push(*id);
    }
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, Stay::Briefly);
    offered.state = Some(state);
    let shown = context.output.data(&offered, |_| Ok(()));
    shown.map_err(|failure| failure.state("they are offered again all the same"))?;
    tell(&offered, keys.len(), state, &delivery, context);
    if offered.outdone.is_empty() && offered.deleted.is_empty() && offered.erased.is_empty() {
        return Ok(());
    }
    Err(kept(&offered))
}

/// The ids of changes as these were written: the later of two that change the same is to win. Their ids are in the
/// order of their refusal, and what was refused again has another.
fn in_order_of_writing(mut held: Vec<QuarantinedOp>) -> Vec<u64> {
    held.sort_by_key(|op| (op.first_clock, op.id));
    held.dedup_by_key(|op| op.id);
    held.iter().map(|op| op.id.0).collect()
}

/// The replica with what others have written until now, as far as a moment allows.
fn brought(context: &Context, replica: Replica) -> Result<Replica, Failure> {
    if delivery::bring(context, replica)? != Delivery::Synced {
        context.output.note(
            "what others have written could not be brought here first: judged by what has come here so far",
        );
    }
    // Another handle: the first may have gone with the sync.
    replica_access::open(context)
}

fn tell(
    offered: &Offered,
    count: usize,
    state: WriteState,
    delivery: &Delivery,
    context: &Context,
) {
    let output = &context.output;
    let there = offered.there.len();
    if there > 0 {
        output.note(format_args!(
            "{there} of them said what is there already, or added what was removed since: nothing was changed"
        ));
    }
    let left = offered.left.len();
    if left > 0 {
        output.note(format_args!(
            "{left} of them left the quarantine meanwhile: the log came to hold what they say, or another process \
             offered them again or dropped them"
        ));
    }
    let is_or_are = |one, more| if count == 1 { one } else { more };
    let changes = counted(count as u64, "change");
    match state {
        WriteState::Unchanged if !offered.is_empty() => {}
        WriteState::Unchanged => output.note("nothing was refused"),
        WriteState::Acknowledged => {
            let were = is_or_are("was", "were");
            output.note(format_args!("{changes} {were} accepted"));
        }
        WriteState::Pending => {
            let are = is_or_are("is", "are");
            output.note(format_args!("{changes} {are} offered again ({delivery})"));
        }
        WriteState::Quarantined => {
            output.warn("refused again; see `syncline sync quarantine list`");
        }
    }
}

/// Where the words of a change and the later ones differ, by column; a column of a tag, a link or a message is named
/// with it, since a change may write several.
fn conflicts(words: &[Outdone]) -> Value {
    let fields = words.iter().map(|word| {
        let (name, say): (_, fn(&Cell) -> Value) = match word.column {
            "done" => ("done", |cell| json!(cell.as_integer() == Some(1))),
            "present" => ("there", |cell| json!(cell.as_integer() == Some(1))),
            "home" => ("list", as_it_stands),
            column => (column, as_it_stands),
        };
        let name = match row_name(word) {
            Some(row) => format!("{name} of {row}"),
            None => name.to_owned(),
        };
        let (mine, theirs) = (say(&word.mine), say(&word.theirs));
        (name, json!({"mine": mine, "theirs": theirs}))
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

/// `session_links thread t-1`, as `syncline query` has it; none: the row is that of the whole change.
fn row_name(word: &Outdone) -> Option<String> {
    let key = word.row.iter().map(as_it_stands);
    let key = key.map(|cell| {
        cell.as_str()
            .map_or_else(|| cell.to_string(), str::to_owned)
    });
    let key: Vec<_> = key.filter(|cell| !cell.is_empty()).collect();
    (!word.row.is_empty()).then(|| format!("{} {}", word.table, key.join(" ")))
}

fn as_it_stands(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => json!(number),
        Cell::Text(text) => json!(text),
    }
}

/// What is told of those that were not offered again.
fn kept(offered: &Offered) -> Failure {
    let Offered {
        outdone,
        deleted,
        erased,
        ..
    } = offered;
    let lines = outdone.iter().flat_map(|later| {
        let lines = refusal_lines(&json!({"conflicts": later.conflicts}));
        lines
            .into_iter()
            .map(|line| format!("{}: {line}", later.id))
    });
    let deleted_lines = deleted.iter().map(|id| {
        format!("{id}: what it belongs to was deleted, and it would be erased with that")
    });
    let gone = erased
        .iter()
        .map(|id| format!("{id}: what it held is erased"));
    let later = counted(outdone.len() as u64, "change");
    let none = (deleted.len() + erased.len()) as u64;
    let code = match (outdone.is_empty(), deleted.is_empty()) {
        (false, _) => "outdone",
        (true, false) => "deleted",
        (true, true) => "erased",
    };
    let message = match (outdone.len(), none) {
        (0, _) => format!("{} can't be offered again", counted(none, "change")),
        (_, 0) => format!("{later} would write over what others have written since"),
        (_, _) => format!(
            "{later} would write over what others have written since, and {none} can't be offered again"
        ),
    };
    let mut failure = Failure::new(code, message)
        .because_of(lines.chain(deleted_lines).chain(gone).collect())
        .state("they wait as before");
    let named = |ids: &[u64]| ids.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
    let mut ids: Vec<_> = outdone.iter().map(|later| later.id).collect();
    if !ids.is_empty() {
        failure = failure.fix(format!(
            "syncline sync quarantine retry {} --over",
            named(&ids)
        ));
    }
    for id in deleted {
        failure = failure.fix(format!("syncline sync quarantine show {id}"));
    }
    ids.extend(deleted);
    ids.extend(erased);
    failure.fix(format!("syncline sync quarantine drop {}", named(&ids)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_several_rows_is_told_of_each() {
        let lost = |table, row: &[&str], column| Outdone {
            table,
            row: row
                .iter()
                .map(|cell| Cell::Text((*cell).to_owned()))
                .collect(),
            column,
            mine: Cell::Integer(1),
            theirs: Cell::Integer(0),
        };
        let told = conflicts(&[
            lost("list_items", &[], "done"),
            lost("thread_tags", &["", "urgent"], "present"),
            lost("thread_tags", &["e-1", "urgent"], "present"),
            lost("session_messages", &["1"], "note"),
            lost("session_tools", &["1"], "note"),
        ]);
        let names: Vec<_> = told.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            [
                "done",
                "note of session_messages 1",
                "note of session_tools 1",
                "there of thread_tags e-1 urgent",
                "there of thread_tags urgent",
            ]
        );
    }
}
