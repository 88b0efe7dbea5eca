use clap::Args;
use serde::Serialize;
use syncline_client::schema;
use syncline_model::TenantId;
use syncline_model::schema::{Conflict, Entity, Field, Schema, WriteMode};
use syncline_server::admin::standing_schema;

use super::place::{PATIENCE, Place, PlaceArgs};
use crate::commands::ask_failure::unanswered;
use crate::context::Context;
use crate::failure::Outcome;
use crate::table::Table;

/// Show what the records are: each entity with its fields, mode and strategy
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Serialize)]
struct Shown {
    /// None: that of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantId>,
    seq: Option<u64>,
    schema: Option<Schema>,
}

#[derive(Serialize)]
struct Listing {
    tenants: Vec<Shown>,
}

pub(crate) fn run(args: &ShowArgs, context: &Context) -> Outcome {
    let tenants = match args.place.open(context)? {
        Place::Server(remote) => {
            let standing = schema(&remote, PATIENCE);
            let standing = standing.map_err(|error| unanswered(error, &remote.endpoint))?;
            vec![Shown {
                tenant: None,
                seq: standing.seq.map(|seq| seq.0),
                schema: standing.schema,
            }]
        }
        Place::Logs(logs) => {
            let mut tenants = Vec::with_capacity(logs.tenants.len());
            for tenant in &logs.tenants {
                let standing = standing_schema(&logs.directory, tenant)?;
                tenants.push(Shown {
                    tenant: Some(tenant.clone()),
                    seq: standing.as_ref().map(|standing| standing.seq.0),
                    schema: standing.map(|standing| standing.schema),
                });
            }
            tenants
        }
    };
    let listing = Listing { tenants };
    context.output.data(&listing, |out| {
        let mut table = Table::new(["ENTITY", "MODE", "CONFLICT", "FIELD", "KIND", "RULES"]);
        let schemas = listing.tenants.iter();
        let schemas = schemas.filter_map(|one| Some((one.tenant.as_ref(), one.schema.as_ref()?)));
        for (tenant, schema) in schemas {
            for entity in &schema.entities {
                add(&mut table, tenant, entity);
            }
        }
        table.write(out, context.output.colour())
    })
}

fn add(table: &mut Table<6>, tenant: Option<&TenantId>, entity: &Entity) {
    let name = match tenant {
        Some(tenant) => format!("{tenant}: {}", entity.name),
        None => entity.name.clone(),
    };
    for field in &entity.fields {
        table.row([
            name.clone(),
            mode(entity.mode).to_owned(),
            conflict(entity.conflict).to_owned(),
            field.name.clone(),
            kind(field),
            rules(entity, field),
        ]);
    }
}

fn mode(mode: WriteMode) -> &'static str {
    match mode {
        WriteMode::Optimistic => "optimistic",
        WriteMode::Confirmed => "confirmed",
        WriteMode::Cache { .. } => "cache",
    }
}

fn conflict(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::ServerWins => "server_wins",
        Conflict::LastWriteWins => "last_write_wins",
        Conflict::Reject => "reject",
    }
}

fn kind(field: &Field) -> String {
    let kind = serde_json::to_value(&field.kind).unwrap_or_default();
    kind.as_str().unwrap_or("json").to_owned()
}

fn rules(entity: &Entity, field: &Field) -> String {
    let words = [
        (field.name == entity.key, "key"),
        (field.required, "required"),
        (field.nullable, "nullable"),
        (field.read_only, "read-only"),
        (field.owner_only, "owner-only"),
        (field.sync_exclude, "stays here"),
    ];
    let given = words.into_iter().filter(|(is_so, _)| *is_so);
    let given = given.map(|(_, word)| word.to_owned());
    let sets = entity.unique.iter();
    let sets = sets.filter(|set| set.contains(&field.name));
    let unique = sets.map(|set| {
        let others = set.iter().filter(|other| **other != field.name);
        match others.cloned().collect::<Vec<_>>().join(" and ") {
            alone if alone.is_empty() => "unique".to_owned(),
            others => format!("unique with {others}"),
        }
    });
    given.chain(unique).collect::<Vec<_>>().join(", ")
}
