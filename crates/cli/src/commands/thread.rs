mod archive;
mod delete;
mod export;
mod import;
mod link;
mod list;
mod r#move;
mod new;
mod overview;
mod push;
mod read;
pub(super) mod reference;
mod rename;
mod search;
mod tag;
mod text;
mod unarchive;
mod update;
mod write_entry;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Threads of thought: append entries, read, search, sort
///
/// THREAD is a key, an id, a name, or project/key. The project is that of --project, else that of the
/// nearest syncline.toml; else `default`, then any that alone has such a thread.
#[derive(Debug, Subcommand)]
pub(crate) enum ThreadCommand {
    New(new::NewArgs),
    Push(push::PushArgs),
    List(list::ListArgs),
    Read(read::ReadArgs),
    Search(search::SearchArgs),
    Rename(rename::RenameArgs),
    Move(r#move::MoveArgs),
    Archive(archive::ArchiveArgs),
    Unarchive(unarchive::UnarchiveArgs),
    Delete(delete::DeleteArgs),
    Tag(tag::TagArgs),
    Link(link::LinkArgs),
    Overview(overview::OverviewArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
}

impl ThreadCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::New(args) => new::run(&args, context),
            Self::Push(args) => push::run(&args, context),
            Self::List(args) => list::run(&args, context),
            Self::Read(args) => read::run(&args, context),
            Self::Search(args) => search::run(&args, context),
            Self::Rename(args) => rename::run(&args, context),
            Self::Move(args) => r#move::run(&args, context),
            Self::Archive(args) => archive::run(&args, context),
            Self::Unarchive(args) => unarchive::run(&args, context),
            Self::Delete(args) => delete::run(&args, context),
            Self::Tag(args) => tag::run(&args, context),
            Self::Link(args) => link::run(&args, context),
            Self::Overview(args) => overview::run(&args, context),
            Self::Import(args) => import::run(&args, context),
            Self::Export(args) => export::run(&args, context),
        }
    }
}
