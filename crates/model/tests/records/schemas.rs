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
    let before = json!({"entities": invoices()});
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

#[test]
fn a_schema_that_nothing_can_be_judged_by_is_refused_with_what_is_wrong() {
    let check = |change: &dyn Fn(&mut Json)| {
        let mut schema = json!({"entities": invoices()});
        change(&mut schema["entities"]);
        let schema: Schema = serde_json::from_value(schema).unwrap();
        schema.check().map_err(|fault| fault.to_string())
    };
    assert_eq!(check(&|_| ()), Ok(()));
    let name = invoices()[0]["name"].as_str().unwrap().to_owned();
    let set = |pointer: &'static str, value: Json| {
        move |all: &mut Json| *all.pointer_mut(pointer).unwrap() = value.clone()
    };
    let add = |key: &'static str, value: Json| move |all: &mut Json| all[0][key] = value.clone();
    let via = |field: &str| {
        json!({"role_via": {"entity": "invoices", "entity_field": "id", "field": "id",
            "user_field": field, "role_field": "status"}})
    };
    let get =
        |path: &str| json!([{"verb": "get", "method": "GET", "path": path, "key_parameter": "id"}]);
    let wrong: [(&dyn Fn(&mut Json), &str); 14] = [
        (
            &set("/0/name", json!("nul\0x")),
            "it holds a control character",
        ),
        (&set("/0/name", json!("a/b")), "it holds a slash"),
        (
            &set("/0/name", json!("n".repeat(129))),
            "it has over 128 bytes",
        ),
        (&set("/0/key", json!("nope")), "its key `nope` is no field"),
        (
            &set("/0/key", json!("total")),
            "is neither text, a uuid nor a whole number",
        ),
        (
            &set("/0/fields/1/name", json!("_base")),
            "every record has `_base`",
        ),
        (
            &set("/0/fields/1/name", json!("STATUS")),
            "two fields are called `status`",
        ),
        (
            &|all| all[0]["fields"][1]["references"] = json!("nothing"),
            "names records of no entity",
        ),
        (
            &add("unique", json!([["nope"]])),
            "`nope` is unique, and no field",
        ),
        (
            &add("access", json!({"role_permissions": {"editor": ["nope"]}})),
            "there is no group `nope`",
        ),
        (
            &add("access", via("nope")),
            "its roles can't be told by `nope`",
        ),
        (
            &add("subset", json!("nope = 1")),
            "its subset is no condition",
        ),
        (
            &add("operations", get("/x/{other}")),
            "has no parameter `id`",
        ),
        (&add("operations", get("x")), "`x` is no path"),
    ];
    for (change, what) in wrong {
        let found = check(change).unwrap_err();
        assert!(found.contains(what), "{found}: {what}");
    }
    let both = check(&|all| {
        let mut other = all[0].clone();
        other["name"] = json!(name.to_uppercase());
        all.as_array_mut().unwrap().push(other);
    });
    assert!(both.unwrap_err().ends_with("another one has its name"));
    assert_eq!(check(&add("access", via("title"))), Ok(()));
    assert_eq!(check(&add("operations", get("/x/{id}"))), Ok(()));
}
