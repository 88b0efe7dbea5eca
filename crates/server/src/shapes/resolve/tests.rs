use serde_json::json;
use syncline_model::{
    ActorId, Clock, Epoch, Mark, OpKey, Payload, ResourceId, Scope, ServerSeq, UserId,
};
use syncline_store::FileOptions;
use syncline_store::records::schema;
use uuid::Uuid;

use super::*;
use crate::shapes::request::Parameters;

/// Puts a schema in place whose notes have these fields.
fn put(file: &mut TenantFile, clock: u64, fields: &[&str]) {
    let fields: Vec<_> = fields
        .iter()
        .map(|name| json!({"name": name, "kind": "text"}))
        .collect();
    let schema = json!({"entities": [{"name": "notes", "singular": "note", "key": "id",
        "fields": fields, "mode": {"kind": "confirmed"}}]});
    let payload = Payload::stored(schema.to_string());
    let key = OpKey {
        actor: ActorId::new("a").unwrap(),
        clock: Clock::new(clock).unwrap(),
        scope: Scope::schema(),
        resource: ResourceId::new("schema").unwrap(),
    };
    let mut batch = file.begin().unwrap();
    batch.append(&key, Some(&payload), payload.hash()).unwrap();
    batch.commit().unwrap();
}

/// A tenant's file whose notes have an id and a text.
fn file(root: &tempfile::TempDir) -> TenantFile {
    let epoch = Epoch::new(Uuid::from_u128(1));
    let origin = Mark::origin([7; 16]);
    let path = root.path().join("t.db");
    let mut file = TenantFile::create(&path, &FileOptions::default(), epoch, origin).unwrap();
    put(&mut file, 1, &["id", "text"]);
    file
}

/// The schema that stands, read anew.
fn standing(file: &TenantFile) -> Option<Standing> {
    let standing = schema(file.connection()).unwrap()?;
    Some((Arc::new(standing.schema), standing.seq))
}

/// What notes are found with by a user under a schema; none: another one stands.
fn definition(
    file: &TenantFile,
    standing: Option<Standing>,
    user: &str,
    columns: &str,
) -> Option<Definition> {
    let given = [("table", "notes"), ("offset", "-1"), ("columns", columns)];
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let sought = Sought {
        name: "notes".to_owned(),
        tenant: TenantId::new("acme").unwrap(),
        asker: Asker {
            user: UserId::new(user).unwrap(),
            role: Role::Editor,
        },
        request: ShapeRequest::read(Parameters::from(given), None).unwrap(),
        standing,
    };
    Some(sought.find(file).unwrap()?.unwrap().definition)
}

#[test]
fn a_table_is_not_looked_for_under_a_schema_that_stands_no_more() {
    let root = tempfile::tempdir().unwrap();
    let mut file = file(&root);
    let found = |file: &TenantFile, standing| {
        let found = definition(file, standing, "ada", "")?;
        Some(found.relation.columns.len())
    };
    let first = standing(&file);
    assert_eq!(found(&file, first.clone()), Some(2));
    put(&mut file, 2, &["id", "text", "more"]);
    assert_eq!(found(&file, first), None);
    assert_eq!(found(&file, None), None);
    let second = standing(&file);
    assert_eq!(second.as_ref().map(|(_, place)| *place), Some(ServerSeq(2)));
    assert_eq!(found(&file, second), Some(3));
}

#[test]
fn readers_share_what_is_the_same_in_all_things_and_nothing_of_another_user() {
    let root = tempfile::tempdir().unwrap();
    let file = file(&root);
    let schema = standing(&file);
    let shape = |handle: &str| MadeShape {
        handle: handle.to_owned(),
        definition: String::new(),
        relation: 1,
        start: ServerSeq(1),
        trimmed: ServerSeq(0),
    };
    let resolved = |standing: &Option<Standing>, user, columns| Resolved {
        definition: Arc::new(definition(&file, standing.clone(), user, columns).unwrap()),
        shape: shape("h"),
        naming: Naming::Right,
    };
    let cache = crate::shapes::cache::Cache::default();
    let first = cache.share(resolved(&schema, "ada", ""));
    let again = cache.share(resolved(&schema, "ada", ""));
    assert!(Arc::ptr_eq(&first, &again));
    let read_anew = standing(&file);
    let others = [
        resolved(&schema, "bob", ""),
        resolved(&read_anew, "ada", ""),
        resolved(&schema, "ada", "id,text"),
        Resolved {
            shape: shape("i"),
            ..resolved(&schema, "ada", "")
        },
        Resolved {
            naming: Naming::Wrong,
            ..resolved(&schema, "ada", "")
        },
    ];
    for (n, other) in others.into_iter().enumerate() {
        assert_eq!(other.definition.digest, first.definition.digest, "{n}");
        let before = cache.share(resolved(&schema, "ada", ""));
        let shared = cache.share(other);
        assert!(!Arc::ptr_eq(&before, &shared), "{n}");
    }
}
