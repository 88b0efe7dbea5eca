//! What a schema drops, and who may still not read it.

use serde_json::{Value as Json, json};
use syncline_model::record::{sees_everything, visible};
use syncline_model::schema::{Change, Role, Schema, diff};

use super::memory::{World, asker};

/// An entity with a field that owners alone read.
fn kept() -> Json {
    json!([{
        "name": "deals", "singular": "deal", "key": "id", "mode": {"kind": "confirmed"},
        "fields": [{"name": "id", "kind": "text"}, {"name": "name", "kind": "text"},
            {"name": "secret", "kind": "text"}],
        "access": {
            "field_groups": {"hidden": ["secret"]},
            "read_permissions": {"owner": ["hidden"]},
        },
    }])
}

fn schema(entities: Json) -> Schema {
    serde_json::from_value(json!({"entities": entities})).unwrap()
}

/// The same without the field, its group and its permissions.
fn without() -> Schema {
    let mut entities = kept();
    entities[0]["fields"].as_array_mut().unwrap().pop();
    entities[0]["access"] = json!({});
    schema(entities)
}

/// The same with the field open to all.
fn open() -> Schema {
    let mut entities = kept();
    entities[0]["access"] = json!({});
    schema(entities)
}

fn told(before: &Schema, after: &Schema) -> Vec<String> {
    diff(before, after).iter().map(Change::to_string).collect()
}

#[test]
fn who_could_not_read_a_field_does_not_see_everything_once_it_is_dropped() {
    let after = without().following(&schema(kept()));
    let sees = |role| sees_everything(Some(&after), &asker("u", role));
    assert_eq!(Role::ALL.map(sees), [false, false, true]);
    let mut world = World::new(kept());
    let row = json!([{"entity": "deals", "id": "1", "action": "create",
        "values": {"name": "n", "secret": "s"}}]);
    world.write(row).unwrap();
    let (_, payload) = world.log[0].clone();
    let editor = asker("u", Role::Editor);
    let shown = visible(&after, &editor, &mut world.view, &payload).unwrap();
    let shown = shown.unwrap().as_str().to_owned();
    assert!(
        shown.contains("\"n\"") && !shown.contains("\"s\""),
        "{shown}"
    );
    let gone = Schema::default().following(&after);
    assert!(!sees_everything(Some(&gone), &editor));
    let shown = visible(&gone, &editor, &mut world.view, &payload).unwrap();
    assert!(!shown.unwrap().as_str().contains("\"s\""));
}

#[test]
fn what_is_dropped_is_kept_in_mind_until_it_is_there_again() {
    let first = schema(kept());
    let second = without().following(&first);
    assert_eq!(without().following(&second), second, "the same again");
    let third = Schema::default().following(&second);
    assert_eq!(
        third.known("deals").unwrap().dropped,
        second.entities[0].dropped
    );
    assert_eq!(without().following(&third), second);
    assert_eq!(open().following(&third), open());
}

#[test]
fn what_comes_back_open_to_others_is_a_change_of_access() {
    let first = schema(kept());
    let second = without().following(&first);
    assert_eq!(
        told(&second, &first),
        [
            "add-field deals.secret: is new",
            "change-access deals: has other rights"
        ]
    );
    assert_eq!(
        told(&second, &open()),
        [
            "add-field deals.secret: is new",
            "change-access deals.secret: was dropped, and others would read its values",
        ]
    );
    let third = Schema::default().following(&first);
    assert_eq!(
        told(&third, &first),
        ["add-entity deals: is there again, with the records that it had"]
    );
    assert_eq!(
        told(&third, &open()),
        [
            "add-entity deals: is there again, with the records that it had",
            "change-access deals: has other rights"
        ]
    );
    let fourth = Schema::default().following(&second);
    assert!(told(&fourth, &open()).contains(
        &"change-access deals.secret: was dropped, and others would read its values".to_owned()
    ));
}

#[test]
fn where_others_see_a_record_nobody_reads_what_was_dropped_of_it() {
    let mut shared = kept();
    shared[0]["access"] = json!({"role_via": {"entity": "members", "entity_field": "deal",
        "field": "id", "user_field": "user", "role_field": "role"}});
    let after = without().following(&schema(shared));
    assert!(!after.is_open_to(Role::Owner));
}
