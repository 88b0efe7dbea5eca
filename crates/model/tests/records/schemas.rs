//! Schemas: what stands, and what a change takes away.

use serde_json::{Value as Json, json};
use syncline_model::compaction::{Coverage, coverage};
use syncline_model::schema::{Change, RESOURCE, Schema, diff};
use syncline_model::{
    ActorId, Clock, Folded, OpKey, Payload, Place, Scope, ServerSeq, SkipReason, fold,
};

use super::deciding::invoices;
use super::memory::View;

fn changes(change: impl FnOnce(&mut Json)) -> Vec<String> {
    changes_of(&invoices(), change)
}

fn changes_of(entities: &Json, change: impl FnOnce(&mut Json)) -> Vec<String> {
    let before = json!({ "entities": entities });
    let mut after = before.clone();
    change(&mut after["entities"]);
    let read = |json: Json| serde_json::from_value::<Schema>(json).unwrap();
    let (before, after) = (read(before), read(after));
    let text = |change: &Change| {
        let mark = if change.kind.is_breaking() { "!" } else { "" };
        let field = change.field.as_deref().unwrap_or_default();
        format!("{mark}{} {field}", change.kind).trim().to_owned()
    };
    diff(&before, &after).iter().map(text).collect()
}

#[test]
fn each_change_of_a_field_has_a_name_and_what_takes_something_away_is_breaking() {
    assert_eq!(changes(|_| ()), [""; 0]);
    let field = |n: usize, name: &'static str, value: Json| {
        move |all: &mut Json| all[0]["fields"][n][name] = value
    };
    assert_eq!(
        changes(field(1, "kind", json!("uuid"))),
        ["!change-kind title"]
    );
    assert_eq!(
        changes(field(1, "required", json!(false))),
        ["widen-field title"]
    );
    assert_eq!(
        changes(field(3, "nullable", json!(false))),
        ["!tighten-field total"]
    );
    assert_eq!(
        changes(field(1, "rules", json!({"max_length": 9}))),
        ["widen-field title"]
    );
    assert_eq!(
        changes(field(1, "rules", json!({"min_length": 1, "max_length": 4}))),
        ["!tighten-field title"]
    );
    assert_eq!(
        changes(field(
            2,
            "rules",
            json!({"one_of": ["draft", "sent", "paid"]})
        )),
        ["widen-field status"]
    );
    assert_eq!(
        changes(field(2, "rules", json!({"one_of": ["draft"]}))),
        ["!tighten-field status"]
    );
    assert_eq!(
        changes(field(4, "owner_only", json!(true))),
        ["!change-access paid"]
    );
    assert_eq!(
        changes(field(2, "default", json!("sent"))),
        ["adjust status"]
    );
}

#[test]
fn a_field_that_must_be_given_from_now_on_is_a_breaking_change_however_it_comes_to_that() {
    let with = |values: Json| {
        let mut entities = invoices();
        let field = entities[0]["fields"][2].as_object_mut().unwrap();
        field.remove("default");
        field.extend(values.as_object().unwrap().clone());
        entities
    };
    let from_to = |before: Json, after: Json| {
        let after = with(after);
        changes_of(&with(before), |entities| *entities = after)
    };
    let must = json!({"required": true});
    let with_default = json!({"required": true, "default": "draft"});
    let read_only = json!({"required": true, "read_only": true});
    assert_eq!(from_to(json!({}), must.clone()), ["!tighten-field status"]);
    assert_eq!(from_to(json!({}), with_default.clone()), ["adjust status"]);
    assert_eq!(
        from_to(with_default.clone(), must.clone()),
        ["!tighten-field status", "adjust status"]
    );
    assert_eq!(
        from_to(read_only, must.clone()),
        ["!tighten-field status", "widen-field status"]
    );
    assert_eq!(from_to(must, with_default), ["adjust status"]);
    assert_eq!(
        from_to(json!({"default": "draft"}), json!({})),
        ["adjust status"]
    );
}

#[test]
fn each_change_of_an_entity_has_a_name_and_what_takes_something_away_is_breaking() {
    assert_eq!(
        changes(|all| all[0]["key"] = json!("code")),
        ["!change-key"]
    );
    assert_eq!(
        changes(|all| all[0]["conflict"] = json!("reject")),
        ["adjust"]
    );
    assert_eq!(
        changes(|all| all[0]["unique"] = json!([["code"]])),
        ["adjust"]
    );
    assert_eq!(
        changes(|all| all[0]["unique"] = json!([["code"], ["title", "number"], ["paid"]])),
        ["!add-unique"]
    );
    assert_eq!(
        changes(|all| all[0]["access"] = json!({"field_groups": {"g": ["paid"]}})),
        ["!change-access"]
    );
    assert_eq!(
        changes(|all| all[0]["name"] = json!("bills")),
        ["add-entity", "!drop-entity"]
    );
    let add =
        |field: Json| move |all: &mut Json| all[0]["fields"].as_array_mut().unwrap().push(field);
    assert_eq!(
        changes(add(json!({"name": "x", "kind": "text"}))),
        ["add-field x"]
    );
    assert_eq!(
        changes(add(json!({"name": "x", "kind": "text", "required": true}))),
        ["!tighten-field x"]
    );
    assert_eq!(
        changes(|all| _ = all[0]["fields"].as_array_mut().unwrap().pop()),
        ["!drop-field sum"]
    );
}

#[test]
fn the_last_schema_in_the_log_stands_and_covers_those_before() {
    let mut view = View::default();
    let key = |clock, resource: &str| OpKey {
        actor: ActorId::new("admin").unwrap(),
        clock: Clock::new(clock).unwrap(),
        scope: Scope::schema(),
        resource: resource.parse().unwrap(),
    };
    let payload = |text: &str| Payload::parse(text).unwrap();
    let (one, two) = (
        payload(r#"{"entities":[]}"#),
        payload(r#"{"entities":[],"more":1}"#),
    );
    let mut put = |key: &OpKey, payload: &Payload, seq| {
        let Ok(folded) = fold(
            &mut view,
            key,
            Some(payload),
            Place::Confirmed(ServerSeq(seq)),
        );
        folded
    };
    let skipped = Folded::Skipped(SkipReason::Unreadable);
    assert_eq!(put(&key(1, RESOURCE), &one, 1), Folded::Applied);
    assert_eq!(put(&key(2, RESOURCE), &two, 2), Folded::Applied);
    assert_eq!(put(&key(3, "another"), &one, 3), skipped);
    assert_eq!(put(&key(4, RESOURCE), &payload("[]"), 4), skipped);
    let mut judge = |clock, payload: &Payload| {
        let Ok(found) = coverage(&mut view, &key(clock, RESOURCE), Some(payload));
        found
    };
    assert_eq!(judge(1, &one), Coverage::Covered);
    assert_eq!(judge(2, &two), Coverage::Needed);
    assert_eq!(judge(4, &payload("[]")), Coverage::Needed);
}

/// What is found wrong with the schema of invoices where this value stands at this pointer of it.
fn fault_of(pointer: &str, value: Json) -> Option<String> {
    let mut schema = json!({"entities": invoices()});
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    schema.pointer_mut(parent).unwrap()[name] = value;
    let schema: Schema = serde_json::from_value(schema).unwrap();
    schema.check().err().map(|fault| fault.to_string())
}

fn role_via(user_field: &str) -> Json {
    json!({"role_via": {"entity": "invoices", "entity_field": "id", "field": "id",
        "user_field": user_field, "role_field": "status"}})
}

fn get_at(path: &str) -> Json {
    json!([{"verb": "get", "method": "GET", "path": path, "key_parameter": "id"}])
}

#[test]
fn a_schema_that_nothing_can_be_judged_by_is_refused_with_what_is_wrong() {
    const FIELD: &str = "/entities/0/fields/1";
    let cases = [
        ("name", json!("nul\0x"), "it holds a control character"),
        ("name", json!("a/b"), "it holds a slash"),
        ("name", json!("n".repeat(129)), "it has over 128 bytes"),
        ("key", json!("nope"), "its key `nope` is no field"),
        (
            "key",
            json!("total"),
            "is neither text, a uuid nor a whole number",
        ),
        (
            "unique",
            json!([["nope"]]),
            "`nope` is unique, and no field",
        ),
        (
            "access",
            json!({"role_permissions": {"editor": ["nope"]}}),
            "there is no group `nope`",
        ),
        (
            "access",
            role_via("nope"),
            "its roles can't be told by `nope`",
        ),
        ("subset", json!("nope = 1"), "its subset is no condition"),
        ("operations", get_at("/x/{other}"), "has no parameter `id`"),
        ("operations", get_at("x"), "`x` is no path"),
    ];
    for (name, value, what) in cases {
        let fault = fault_of(&format!("/entities/0/{name}"), value).unwrap();
        assert!(fault.contains(what), "{fault}: {what}");
    }
    for (name, value, what) in [
        ("name", "_base", "every record has `_base`"),
        ("name", "STATUS", "two fields are called `status`"),
        ("references", "nothing", "names records of no entity"),
    ] {
        let fault = fault_of(&format!("{FIELD}/{name}"), json!(value)).unwrap();
        assert!(fault.contains(what), "{fault}: {what}");
    }
    for (name, value) in [
        ("access", role_via("title")),
        ("operations", get_at("/x/{id}")),
    ] {
        assert_eq!(fault_of(&format!("/entities/0/{name}"), value), None);
    }
}

#[test]
fn names_of_entities_differ_in_more_than_case() {
    let mut entities = invoices();
    let mut other = entities[0].clone();
    other["name"] = json!(other["name"].as_str().unwrap().to_uppercase());
    entities.as_array_mut().unwrap().push(other);
    let fault = fault_of("/entities", entities).unwrap();
    assert!(fault.ends_with("another one has its name"), "{fault}");
}
