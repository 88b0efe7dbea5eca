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

/// Columns that notes are found with under a schema; none: another one stands.
fn found(file: &TenantFile, standing: Option<Standing>) -> Option<usize> {
    let given = [("table", "notes"), ("offset", "-1")];
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let sought = Sought {
        name: "notes".to_owned(),
        tenant: TenantId::new("acme").unwrap(),
        asker: Asker {
            user: UserId::new("ada").unwrap(),
            role: Role::Editor,
        },
        request: ShapeRequest::read(Parameters::from(given), None).unwrap(),
        standing,
    };
    let found = sought.find(file).unwrap()?.unwrap();
    Some(found.definition.relation.columns.len())
}

#[test]
fn a_table_is_not_looked_for_under_a_schema_that_stands_no_more() {
    let root = tempfile::tempdir().unwrap();
    let epoch = Epoch::new(Uuid::from_u128(1));
    let origin = Mark::origin([7; 16]);
    let path = root.path().join("t.db");
    let mut file = TenantFile::create(&path, &FileOptions::default(), epoch, origin).unwrap();
    let standing = |file: &TenantFile| {
        let standing = schema(file.connection()).unwrap()?;
        Some((Arc::new(standing.schema), standing.seq))
    };
    put(&mut file, 1, &["id", "text"]);
    let first = standing(&file);
    assert_eq!(found(&file, first.clone()), Some(2));
    put(&mut file, 2, &["id", "text", "more"]);
    assert_eq!(found(&file, first), None);
    assert_eq!(found(&file, None), None);
    let second = standing(&file);
    assert_eq!(second.as_ref().map(|(_, place)| *place), Some(ServerSeq(2)));
    assert_eq!(found(&file, second), Some(3));
}
