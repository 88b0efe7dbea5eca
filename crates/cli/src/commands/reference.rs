use clap::{Args, Command, CommandFactory};

use crate::cli::Cli;
use crate::context::Context;
use crate::failure::Outcome;

/// Print the reference of all commands as Markdown: `docs/cli.md`
#[derive(Debug, Args)]
pub(crate) struct ReferenceArgs {}

/// The width to which help is wrapped here, whoever prints it.
const COLUMNS: usize = 100;

pub(crate) fn run(ReferenceArgs {}: &ReferenceArgs, context: &Context) -> Outcome {
    let mut root = Cli::command()
        .term_width(COLUMNS)
        .disable_help_subcommand(true);
    root.build();
    let mut text = String::from(
        "# Command line reference\n\n\
         Written by `cargo run -q -- reference > docs/cli.md`; a test compares the two.\n",
    );
    describe(&mut root, &mut text);
    context.output.write(|out| out.write_all(text.as_bytes()))
}

fn describe(command: &mut Command, text: &mut String) {
    let name = command
        .get_bin_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let help = command.render_long_help().to_string();
    text.push_str(&format!("\n## `{name}`\n\n```text\n"));
    for line in help.trim_end().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str("```\n");
    for inner in command
        .get_subcommands_mut()
        .filter(|inner| !inner.is_hide_set())
    {
        describe(inner, text);
    }
}
