//! What a struct declares is what its document is resolved to.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use syncline_codegen::resolve;
use syncline_entity::schema::{Conflict, Role, Verb, WriteMode};
use syncline_entity::{Builder, Document, Entity, FieldBuilder, schema};
use syncline_model::record::Rulebook;

/// An account of a household.
#[derive(Entity)]
#[entity(
    name = "accounts",
    path = "/api/v1/accounts",
    local_first,
    subset = "closed = false",
    conflict = "last_write_wins",
    unique(name, currency),
    role_permissions(viewer(), editor(basic), owner(basic, financial)),
    read_permissions(viewer(basic), editor(basic), owner(basic, financial)),
    role_via(entity = "user_accounts", entity_field = "account_id")
)]
#[allow(dead_code, reason = "only its declaration is asked for")]
struct Account {
    id: uuid::Uuid,
    /// What its owner calls it.
    #[field(group = "basic", min_length = 1, max_length = 80)]
    name: String,
    #[field(group = "basic", default = "EUR", pattern = "^[A-Z]{3}$")]
    currency: String,
    #[field(one_of("checking", "savings"))]
    kind: Option<String>,
    #[field(group = "financial", owner_only, decimal, minimum = 0, maximum = 1e9)]
    credit_limit: Option<String>,
    #[field(unique, format = "email")]
    email: Option<String>,
    #[field(sync_exclude)]
    local_notes: Option<String>,
    #[field(default = false)]
    closed: bool,
    opened_on: Option<jiff::civil::Date>,
    closes_at: Option<jiff::civil::Time>,
    #[field(read_only)]
    created_at: jiff::Timestamp,
    #[field(rename = "type")]
    type_: i32,
    #[field(minimum = -1.5)]
    weight: f64,
    count: i64,
    tags: Vec<String>,
    owners: Option<Vec<Option<uuid::Uuid>>>,
    table: Vec<Vec<i32>>,
    notes: Vec<serde_json::Value>,
    settings: Option<serde_json::Value>,
}

/// Who may do what with an account.
#[derive(Entity)]
#[entity(name = "user_accounts", unique(user_id, account_id))]
#[allow(dead_code, reason = "only its declaration is asked for")]
struct UserAccount {
    id: i64,
    #[field(owner_only)]
    user_id: String,
    #[field(references = "accounts", owner_only)]
    account_id: uuid::Uuid,
    #[field(one_of("viewer", "editor", "owner"), owner_only)]
    role: String,
}

/// The rates of a day, by their currency.
#[derive(Entity)]
#[entity(name = "rates", key = "currency", mode = "cache", ttl_seconds = 3600)]
#[allow(dead_code, reason = "only its declaration is asked for")]
struct Rate {
    currency: String,
    #[field(decimal)]
    rate: String,
}

/// The entities of a document, once it has been resolved without a word.
fn resolved(document: &Document) -> Vec<schema::Entity> {
    let resolution = resolve(&document.to_yaml());
    assert_eq!(resolution.diagnostics, []);
    assert_eq!(
        resolve(&document.to_json().to_string())
            .schema
            .entities
            .len(),
        resolution.schema.entities.len()
    );
    resolution.schema.entities
}

fn sorted(mut entity: schema::Entity) -> schema::Entity {
    entity.fields.sort_by(|a, b| a.name.cmp(&b.name));
    entity
}

#[test]
fn structs_come_back_as_they_were_declared() {
    let document = Document::new("Finance", "1.0.0")
        .with::<Account>()
        .with::<UserAccount>()
        .with::<Rate>();
    let entities = resolved(&document);
    let declared = [Account::entity(), Rate::entity(), UserAccount::entity()];
    assert_eq!(entities.len(), declared.len());
    for (entity, declared) in entities.into_iter().zip(declared) {
        assert_eq!(sorted(entity), sorted(declared));
    }
}

#[test]
fn a_list_is_one_of_what_its_type_says() {
    let account = Account::entity();
    let check = |name: &str, value: serde_json::Value| {
        let field = account.field(name).unwrap();
        let found = Rulebook::of_field(field).check(field, &value);
        found.map(|error| error.rule)
    };
    assert_eq!(check("tags", json!(["a"])), None);
    assert!(check("tags", json!("a")).is_some() && check("tags", json!([1])).is_some());
    assert_eq!(check("owners", json!(null)), None);
    assert_eq!(check("owners", json!([null])), None);
    assert!(check("owners", json!(["a"])).is_some());
    assert_eq!(check("table", json!([[1], []])), None);
    assert!(check("table", json!([1])).is_some());
    assert_eq!(check("notes", json!([1, "a", null])), None);
    assert!(check("notes", json!({})).is_some());
}

#[test]
fn attributes_mean_what_they_say() {
    let account = Account::entity();
    assert_eq!(
        (account.name.as_str(), account.singular.as_str()),
        ("accounts", "account")
    );
    assert_eq!(account.mode, WriteMode::Optimistic);
    assert_eq!(account.conflict, Conflict::LastWriteWins);
    assert_eq!(account.unique, [vec!["email"], vec!["name", "currency"]]);
    assert_eq!(account.access.field_groups["basic"], ["name", "currency"]);
    assert_eq!(
        account.access.role_permissions[&Role::Owner],
        ["basic", "financial"]
    );
    let verbs: Vec<_> = account.operations.iter().map(|one| one.verb).collect();
    assert_eq!(
        verbs,
        [
            Verb::List,
            Verb::Get,
            Verb::Create,
            Verb::Update,
            Verb::Delete
        ]
    );
    let field = |name: &str| account.field(name).unwrap();
    assert!(field("name").required && !field("name").nullable);
    assert!(!field("currency").required && !field("email").required && !field("id").required);
    assert!(field("local_notes").sync_exclude && field("credit_limit").owner_only);
    assert!(field("created_at").read_only && !field("created_at").required);
    assert_eq!(
        field("name").description.as_deref(),
        Some("What its owner calls it.")
    );
    assert_eq!(Rate::entity().mode, WriteMode::Cache { ttl_seconds: 3600 });
}

fn any_field() -> impl Strategy<Value = FieldBuilder> {
    let name = "[a-z][a-z_ 🦀\"']{0,12}[a-z]";
    let field = (name, 0..10u8).prop_map(|(name, kind)| match kind {
        0 => FieldBuilder::of::<String>(&name)
            .max_length(9)
            .pattern("^a"),
        1 => FieldBuilder::of::<Option<bool>>(&name),
        2 => FieldBuilder::of::<i32>(&name)
            .minimum(-3.0)
            .default_value(7),
        3 => FieldBuilder::of::<Option<i64>>(&name).read_only(),
        4 => FieldBuilder::of::<f64>(&name).maximum(2.5).owner_only(),
        5 => FieldBuilder::of::<Option<String>>(&name).one_of(&["a", "b"]),
        6 => FieldBuilder::of::<String>(&name).decimal().group("g"),
        7 => FieldBuilder::of::<Option<serde_json::Value>>(&name).sync_exclude(),
        8 => FieldBuilder::of::<Vec<Option<bool>>>(&name),
        _ => FieldBuilder::of::<jiff::Timestamp>(&name)
            .description("When.")
            .unique(),
    });
    field.no_shrink()
}

proptest! {
    #[test]
    fn every_entity_comes_back(
        fields in prop::collection::vec(any_field(), 0..12),
        mode in select(vec![WriteMode::Optimistic, WriteMode::Confirmed, WriteMode::Cache { ttl_seconds: 5 }]),
        conflict in select(vec![Conflict::ServerWins, Conflict::LastWriteWins, Conflict::Reject]),
    ) {
        let mut builder = Builder::new("notes", "note").mode(mode).conflict(conflict);
        builder = builder.field(FieldBuilder::of::<uuid::Uuid>("id"));
        let mut entity = fields.into_iter().fold(builder, Builder::field).build();
        // One name is one field.
        let mut names = std::collections::HashSet::new();
        let is_first = entity.fields.iter().all(|field| names.insert(field.name.clone()));
        prop_assume!(is_first);
        for group in entity.access.field_groups.values_mut() {
            group.sort();
        }
        let mut found = resolved(&Document::new("Notes", "1").with_declared(entity.clone())).remove(0);
        for group in found.access.field_groups.values_mut() {
            group.sort();
        }
        prop_assert_eq!(sorted(found), sorted(entity));
    }
}
