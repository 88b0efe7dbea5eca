mod bars;
mod conversation;
mod delete;
mod events;
mod export;
mod filter;
mod follow;
mod html;
mod in_order;
mod link;
mod list;
mod markdown;
mod pager;
mod reference;
mod resume;
mod search;
mod show;
mod shown;
mod stats;
mod subagents;
mod text;
mod tool_line;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Sessions of coding agents: what was said and done, what it cost, and how to go on
///
/// SESSION is an id: the agent's own, the one here, the beginning of either, or its last characters (as
/// `session list` prints them). Sessions come by `syncline import`.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Search(search::SearchArgs),
    Stats(stats::StatsArgs),
    Export(export::ExportArgs),
    Resume(resume::ResumeArgs),
    Link(link::LinkArgs),
    Delete(delete::DeleteArgs),
}

impl SessionCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::List(args) => list::run(&args, context),
            Self::Show(args) => show::run(&args, context),
            Self::Search(args) => search::run(&args, context),
            Self::Stats(args) => stats::run(&args, context),
            Self::Export(args) => export::run(&args, context),
            Self::Resume(args) => resume::run(&args, context),
            Self::Link(args) => link::run(&args, context),
            Self::Delete(args) => delete::run(&args, context),
        }
    }
}
