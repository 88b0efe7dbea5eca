//! What is said when the arguments are not a command.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use super::Cli;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::{Format, Output, printable};

/// Help and version go to standard output and are no error; everything else is wrong usage.
pub(super) fn explain(
    error: &clap::Error,
    arguments: &[OsString],
    environment: &Environment,
) -> ExitCode {
    let format = if arguments.iter().any(|argument| argument == "--json") {
        Format::Json
    } else {
        Format::Text
    };
    let output = Output::new(format, environment);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => Failure::output(error).exit_code(),
        },
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            missing_subcommand(arguments, &output)
        }
        _ => wrong(error, &output),
    }
}

/// The parser's own words, behind a code like every other error's.
fn wrong(error: &clap::Error, output: &Output) -> ExitCode {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    let advice = "put words that belong together in quotes";
    let is_a_word_more = is_a_word_more(error);
    if output.format() == Format::Text {
        let head = output.bad("error[usage]:");
        output.say(format_args!("{head} {}", printable(text)));
        if is_a_word_more {
            output.note(format_args!("  fix:   {advice}"));
        }
        return ExitCode::from(2);
    }
    let message = text.split("\n\n").next().unwrap_or(text);
    let fix = if is_a_word_more {
        advice
    } else {
        "syncline --help"
    };
    let failure = Failure::usage("usage", message).fix(fix);
    output.failure(&failure);
    failure.exit_code()
}

/// Whether there is one argument too many, and no flag: the second word of a text without quotes, say.
fn is_a_word_more(error: &clap::Error) -> bool {
    let argument = error.get(ContextKind::InvalidArg);
    error.kind() == ErrorKind::UnknownArgument
        && matches!(argument, Some(ContextValue::String(text)) if !text.starts_with('-'))
}

/// An error line, and the help of the command that wants a subcommand.
fn missing_subcommand(arguments: &[OsString], output: &Output) -> ExitCode {
    let mut root = erring(Cli::command());
    root.build();
    let path = match root.clone().try_get_matches_from(arguments) {
        Err(error) => match error.get(ContextKind::InvalidSubcommand) {
            Some(ContextValue::String(path)) => path.clone(),
            _ => "syncline".to_owned(),
        },
        Ok(_) => "syncline".to_owned(),
    };
    let failure = Failure::usage("no_command", format!("`{path}` needs a subcommand"))
        .fix(format!("{path} --help"));
    output.failure(&failure);
    if output.format() == Format::Text
        && let Some(command) = find(&mut root, &path)
    {
        output.note(format_args!("\n{}", command.render_help()));
    }
    failure.exit_code()
}

/// The tree with the parser's help-instead-of-an-error turned off, so that it says what is missing.
fn erring(command: Command) -> Command {
    let command = command.arg_required_else_help(false);
    command.mut_subcommands(erring)
}

fn find<'a>(root: &'a mut Command, path: &str) -> Option<&'a mut Command> {
    let mut names = path.split(' ').skip(1);
    names.try_fold(root, |command, name| command.find_subcommand_mut(name))
}
