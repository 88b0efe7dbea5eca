//! Tells of edits of records that others' have won against, or whose fields were gone, whoever synced them.

use syncline_model::OpKey;
use syncline_model::record::Lost;
use syncline_replica::{LostEdit, Replica};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Format;
use crate::wording::{counted, quoted};

/// How many are told one by one.
const ONE_BY_ONE_MAX: usize = 10;

/// Tells of those that nobody was told of, and forgets them; `told` has told its own. Under `--json` the
/// others stay: what a command says beside its data a program doesn't read.
pub(crate) fn tell_untold(
    replica: &mut Replica,
    told: Option<&OpKey>,
    context: &Context,
) -> Result<(), Failure> {
    let untold = replica.untold_losses()?;
    let (own, others): (Vec<_>, Vec<_>) = untold
        .into_iter()
        // A write tells what it lost to others', and knows nothing of fields that are gone.
        .partition(|loss| !loss.edit.field_gone && told.is_some_and(|key| loss.is_of(key)));
    replica.forget_losses(&own)?;
    if context.output.format() == Format::Text {
        let edits: Vec<_> = others.iter().map(|loss| &loss.edit).collect();
        tell(&edits, context);
        replica.forget_losses(&others)?;
    }
    Ok(())
}

/// Tells what lost, to what, and where both are kept.
pub(crate) fn tell(lost: &[&LostEdit], context: &Context) {
    let output = &context.output;
    let (gone, lost): (Vec<&LostEdit>, Vec<&LostEdit>) =
        lost.iter().partition(|edit| edit.field_gone);
    // All of them: what was written is told nowhere else.
    for edit in gone {
        let LostEdit {
            entity,
            id,
            column,
            values: Lost { mine, .. },
            ..
        } = edit;
        output.warn(format_args!(
            "{entity}/{id}: {column} is no field of {entity} any more, or one that nobody else has: {mine} was written \
             to it, and is shown to nobody"
        ));
    }
    for edit in lost.iter().take(ONE_BY_ONE_MAX) {
        let LostEdit {
            entity,
            id,
            column,
            values: Lost { mine, theirs, .. },
            ..
        } = edit;
        output.warn(format_args!(
            "{entity}/{id}: {column} was changed meanwhile: {mine} lost to {theirs}; see `syncline record \
             {entity} history {}`",
            quoted(id)
        ));
    }
    let more = lost.len().saturating_sub(ONE_BY_ONE_MAX);
    if more > 0 {
        let more = counted(more as u64, "more edit");
        output.warn(format_args!(
            "{more} lost to others' too; the histories of their records keep them"
        ));
    }
}
