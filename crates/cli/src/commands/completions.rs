use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::failure::Outcome;

/// Print the completions of a shell
///
/// For example: `syncline completions zsh > ~/.zfunc/_syncline`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, context: &Context) -> Outcome {
    // Into memory first: the generator panics where it can't write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "syncline", &mut script);
    context.output.write(|out| out.write_all(&script))
}
