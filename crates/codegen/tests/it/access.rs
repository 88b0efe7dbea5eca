//! What a page shows as writable is what a server lets be written.

use serde_json::{Value, json};
use syncline_codegen::client::Local;
use syncline_model::schema::{Entity, Field, Role, WriteMode};

use crate::sample::resolved;
use crate::typescript::{Project, package, whole};

const ROLES: [Role; 3] = [Role::Viewer, Role::Editor, Role::Owner];

/// Records with every kind of a field, under every kind of a declaration of roles.
const DOCUMENT: &str = r##"
openapi: 3.1.0
paths:
  /plain: { get: &list { responses: { "200": { content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Record" } } } } } } } }
  /grouped: { x-rbac: { field_groups: { basic: [name], money: [limit, owned] } }, get: *list }
  /permitted:
    x-rbac:
      field_groups: { basic: [name], money: [limit, owned], both: [name, limit] }
      role_permissions: { viewer: [basic], editor: [basic], owner: [money] }
    get: *list
  /partly: { x-rbac: { field_groups: { basic: [name], money: [limit] }, role_permissions: { owner: [basic] } }, get: *list }
  /cached: { x-sync: { mode: cache, ttl: 5m }, get: *list }
components:
  schemas:
    Record:
      type: object
      properties:
        id: { type: string }
        name: { type: string }
        limit: { type: integer }
        owned: { type: string, x-owner-only: true }
        other: { type: string }
        made: { type: string, readOnly: true }
        own: { type: string, x-sync-exclude: true }
"##;

fn may_write(entity: &Entity, field: &Field, role: Role) -> bool {
    if matches!(entity.mode, WriteMode::Cache { .. }) || field.name == entity.key || field.read_only
    {
        return false;
    }
    field.sync_exclude || entity.may_write(role, &field.name)
}

#[test]
fn a_page_offers_the_fields_that_the_server_takes() {
    let schema = resolved(DOCUMENT).schema;
    let project = Project::new("access");
    project.add("client", DOCUMENT, &whole(Local::Pglite));
    let mut cases: Vec<Value> = Vec::new();
    for entity in &schema.entities {
        for field in &entity.fields {
            for role in ROLES {
                let may = may_write(entity, field, role);
                cases.push(json!([entity.name, role, field.name, may]));
            }
        }
    }
    assert_eq!(cases.len(), 5 * 7 * 3);
    let writable = cases.iter().filter(|case| case[3] == true).count();
    assert!(
        (30..75).contains(&writable),
        "{writable} of {}",
        cases.len()
    );
    let entity = package().join("src/entity.ts");
    project.run(&format!(
        "transpile({}, \"./entity.js\");\n\
         transpile(\"./client/meta.ts\", \"./client/meta.js\");\n\
         const {{ can }} = await import(\"./entity.js\");\n\
         const metas = await import(\"./client/meta.js\");\n\
         const cases = {};\n\
         const wrong = cases.filter(([entity, role, field, may]) => can(metas[`${{entity}}Meta`], role, field) !== may);\n\
         deepStrictEqual(wrong, []);",
        json!(entity),
        json!(cases),
    ));
}
