use clap::Args;
use syncline_model::schema::Schema;
use syncline_server::ServeError;

use crate::commands::schema::{TenantChanges, breaking};
use crate::context::Context;
use crate::document::{Source, no_entities};
use crate::environment::variable;
use crate::failure::Failure;

/// What the records of every tenant are.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Serve the records that this OpenAPI document declares, to every tenant: a file, or a URL
    /// [default: $SYNCLINE_SCHEMA]
    ///
    /// The document is read once, at the start; one with errors stops it. What it only adds is applied at
    /// once. Where it takes something away of what a tenant has, the server does not start, and says what to
    /// type; a tenant whose admin has put another schema in its place since keeps that one, and the log says
    /// so.
    #[arg(long, value_name = "OPENAPI")]
    schema: Option<String>,
}

impl SchemaArgs {
    /// The document that was given by flag, else by variable.
    pub(super) fn source(&self, context: &Context) -> Result<Option<Source>, Failure> {
        let given = match &self.schema {
            Some(given) => Some(given.as_str()),
            None => context.environment.text(variable::SCHEMA)?,
        };
        given.map(Source::parse).transpose()
    }
}

/// The entities of the document that a server is started with.
pub(super) fn read(source: &Source, context: &Context) -> Result<Schema, Failure> {
    let schema = source.resolve(context, "the server did not start")?.schema;
    if schema.entities.is_empty() {
        return Err(no_entities(source)
            .state("the server did not start, and nothing was changed")
            .fix(format!("syncline schema check {}", source.argument())));
    }
    Ok(schema)
}

/// Says what a document takes away, and how to mean it.
pub(super) fn not_started(error: ServeError, source: &Source, data: &str) -> Failure {
    let ServeError::BreakingSchema(broken) = &error else {
        return error.into();
    };
    let broken: Vec<_> = broken.iter().map(TenantChanges::of_served).collect();
    let again = format!(" --data {data}");
    let document = source.argument();
    breaking(&broken, source, &again)
        .state("the server did not start, and nothing was changed")
        .fix(format!("syncline schema diff {document}{again}"))
}
