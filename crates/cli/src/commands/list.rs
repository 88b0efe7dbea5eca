mod add;
mod check;
mod delete;
mod edit;
mod export;
mod failure;
mod import;
mod input;
mod r#move;
mod new;
mod note;
mod redo;
mod reference;
mod remove;
mod rename;
mod reorder;
mod restore;
mod shared;
mod show;
mod uncheck;
mod undo;

use clap::Subcommand;

pub(super) use shared::brief;

use crate::context::Context;
use crate::failure::Outcome;

/// Task lists: tick, note, move, undo, on every machine at once
///
/// LIST is an id or a title. ITEM is an id, the last characters of one (as `list show` prints them), or
/// the whole text of an item.
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    New(new::NewArgs),
    Show(show::ShowArgs),
    Add(add::AddArgs),
    Check(check::CheckArgs),
    Uncheck(uncheck::UncheckArgs),
    Edit(edit::EditArgs),
    Note(note::NoteArgs),
    Move(r#move::MoveArgs),
    Remove(remove::RemoveArgs),
    Rename(rename::RenameArgs),
    Reorder(reorder::ReorderArgs),
    Delete(delete::DeleteArgs),
    Restore(restore::RestoreArgs),
    Undo(undo::UndoArgs),
    Redo(redo::RedoArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
}

impl ListCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::New(args) => new::run(&args, context),
            Self::Show(args) => show::run(&args, context),
            Self::Add(args) => add::run(&args, context),
            Self::Check(args) => check::run(&args, context),
            Self::Uncheck(args) => uncheck::run(&args, context),
            Self::Edit(args) => edit::run(&args, context),
            Self::Note(args) => note::run(&args, context),
            Self::Move(args) => r#move::run(&args, context),
            Self::Remove(args) => remove::run(&args, context),
            Self::Rename(args) => rename::run(&args, context),
            Self::Reorder(args) => reorder::run(&args, context),
            Self::Delete(args) => delete::run(&args, context),
            Self::Restore(args) => restore::run(&args, context),
            Self::Undo(args) => undo::run(&args, context),
            Self::Redo(args) => redo::run(&args, context),
            Self::Import(args) => import::run(&args, context),
            Self::Export(args) => export::run(&args, context),
        }
    }
}
