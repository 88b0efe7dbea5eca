use clap::Args;
use serde::Serialize;
use syncline_codegen::{Diagnostic, Severity};

use crate::context::Context;
use crate::document::{Source, no_entities, resolve};
use crate::failure::{Failure, Outcome};
use crate::wording::counted;

/// Say what an OpenAPI document declares, and what of it can't be taken, each with its place
///
/// Asks no server. Exit code 1 where the document has errors, or declares no records.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The OpenAPI document, 3.0 or 3.1, JSON or YAML: a file, a URL, or - for standard input
    #[arg(value_name = "OPENAPI")]
    document: String,
}

#[derive(Serialize)]
struct Checked<'a> {
    document: &'a str,
    entities: Vec<&'a str>,
    errors: usize,
    warnings: usize,
    diagnostics: &'a [Diagnostic],
}

pub(crate) fn run(args: &CheckArgs, context: &Context) -> Outcome {
    let source = Source::parse(&args.document)?;
    let resolution = resolve(&source.read()?);
    let count = |severity| {
        let found = resolution.diagnostics.iter();
        found.filter(|one| one.severity == severity).count()
    };
    let entities = resolution.schema.entities.iter();
    let checked = Checked {
        document: &args.document,
        entities: entities.map(|entity| &*entity.name).collect(),
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        diagnostics: &resolution.diagnostics,
    };
    let name = source.to_string();
    context.output.data(&checked, |out| {
        for diagnostic in checked.diagnostics {
            writeln!(out, "{}", diagnostic.placed(&name))?;
        }
        writeln!(
            out,
            "{name}: {}, {}, {}",
            counted(checked.entities.len() as u64, "entity"),
            counted(checked.errors as u64, "error"),
            counted(checked.warnings as u64, "warning"),
        )
    })?;
    if resolution.has_errors() {
        return Err(Failure::reported());
    }
    if checked.entities.is_empty() {
        return Err(no_entities(&source));
    }
    Ok(())
}
