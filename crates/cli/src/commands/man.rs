use std::path::PathBuf;

use clap::{Args, Command, CommandFactory};

use crate::cli::Cli;
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Print the manual page, or write all pages into a directory
///
/// For example: `syncline man | man -l -`
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write a page per command into DIR
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs, context: &Context) -> Outcome {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let Some(dir) = &args.out else {
        return context
            .output
            .write(|out| clap_mangen::Man::new(root).render(out));
    };
    let written = std::fs::create_dir_all(dir).and_then(|()| write_pages(&root, "syncline", dir));
    let pages = written.map_err(|error| {
        let message = format!("could not write the manual into {}", dir.display());
        Failure::new("output_failed", message).because(error)
    })?;
    context
        .output
        .note(format_args!("wrote {pages} pages into {}", dir.display()));
    Ok(())
}

fn write_pages(command: &Command, name: &str, dir: &std::path::Path) -> std::io::Result<usize> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone().display_name(name)).render(&mut page)?;
    std::fs::write(dir.join(format!("{name}.1")), page)?;
    let mut pages = 1;
    for inner in command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set())
    {
        pages += write_pages(inner, &format!("{name}-{}", inner.get_name()), dir)?;
    }
    Ok(pages)
}
