//! Values, keys and rows: what is taken, and what is refused with which code.

use serde_json::{Value as Json, json};
use syncline_model::record::{RefusalCode, Write, prefill};
use syncline_model::schema::{Role, Schema};

use super::memory::{World, asker};

pub(crate) fn invoices() -> Json {
    json!([{
        "name": "invoices", "singular": "invoice", "key": "id", "mode": {"kind": "optimistic"},
        "fields": [
            {"name": "id", "kind": "text", "read_only": true},
            {"name": "title", "kind": "text", "required": true, "rules": {"min_length": 1, "max_length": 5}},
            {"name": "status", "kind": "text", "default": "draft", "rules": {"one_of": ["draft", "sent"]}},
            {"name": "total", "kind": "decimal", "nullable": true, "rules": {"minimum": {"value": 0.0}}},
            {"name": "paid", "kind": "boolean"},
            {"name": "number", "kind": "int32", "rules": {"multiple_of": 5.0}},
            {"name": "code", "kind": "text", "rules": {"pattern": "^[A-Z]+$"}},
            {"name": "draft_note", "kind": "text", "sync_exclude": true},
            {"name": "created_at", "kind": "timestamp", "read_only": true, "required": true},
            {"name": "updated_at", "kind": "timestamp", "read_only": true, "required": true},
            {"name": "sum", "kind": "float", "read_only": true},
        ],
        "unique": [["code"], ["title", "number"]],
        "not_kept": ["password"],
    }])
}

pub(crate) fn create(id: &str, values: Json) -> Json {
    json!([{"entity": "invoices", "id": id, "action": "create", "values": values}])
}

pub(crate) fn update(id: &str, values: Json) -> Json {
    json!([{"entity": "invoices", "id": id, "action": "update", "values": values}])
}

pub(crate) fn delete(id: &str) -> Json {
    json!([{"entity": "invoices", "id": id, "action": "delete"}])
}

#[test]
fn a_new_record_has_its_key_its_defaults_and_its_times() {
    let mut world = World::new(invoices());
    world.write(create("1", json!({"title": "one"}))).unwrap();
    let time = "2023-11-14T22:13:20.000Z";
    let expected = json!({
        "id": "1", "title": "one", "status": "draft", "created_at": time, "updated_at": time,
    });
    assert_eq!(world.columns("invoices", "1"), Some(expected));
}

#[test]
fn a_decimal_is_taken_as_a_number_too_and_kept_as_text() {
    let mut world = World::new(invoices());
    for (at, (value, kept)) in [
        (json!(10.5), "10.5"),
        (json!(7), "7"),
        (json!(1e-7), "0.0000001"),
        (json!("12345678901234567890.10"), "12345678901234567890.10"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = at.to_string();
        world
            .write(create(&id, json!({"title": id, "total": value})))
            .unwrap();
        let total = &world.columns("invoices", &id).unwrap()["total"];
        assert_eq!(*total, json!(kept), "{value}");
    }
    world.write(update("0", json!({"total": 3.25}))).unwrap();
    assert_eq!(world.columns("invoices", "0").unwrap()["total"], "3.25");
    for (wrong, rule) in [
        (json!(-1), "minimum"),
        (json!("1,5"), "type"),
        (json!(true), "type"),
    ] {
        let refusal = world
            .write(update("0", json!({"total": wrong})))
            .unwrap_err();
        assert_eq!(refusal.errors[0].rule, rule, "{wrong}");
    }
}

#[test]
fn a_whole_number_may_be_written_with_a_fraction_of_nothing_or_an_exponent() {
    let mut world = World::new(invoices());
    for (at, (value, kept)) in [("5.0", 5), ("1e3", 1000), ("-2.50e1", -25), ("-0.0", 0)]
        .into_iter()
        .enumerate()
    {
        let value: Json = serde_json::from_str(value).unwrap();
        let id = at.to_string();
        let made = create(&id, json!({"title": id, "number": value}));
        world.write(made).unwrap();
        let number = &world.columns("invoices", &id).unwrap()["number"];
        assert_eq!(number.to_string(), kept.to_string(), "{value}");
    }
    for wrong in ["5.5", "1e10", "1e300", "-5e-1"] {
        let wrong: Json = serde_json::from_str(wrong).unwrap();
        let refusal = world.write(update("0", json!({"number": wrong})));
        assert_eq!(refusal.unwrap_err().errors[0].rule, "type", "{wrong}");
    }
}

#[test]
fn what_waits_has_its_key_and_beside_what_was_said_the_defaults() {
    let mut entities = invoices();
    let fields = entities[0]["fields"].as_array_mut().unwrap();
    let all = [
        json!({"name": "short", "kind": "text", "default": "", "rules": {"min_length": 1}}),
        json!({"name": "set_here", "kind": "text", "default": "x", "read_only": true}),
        json!({"name": "of_owners", "kind": "text", "default": "x", "owner_only": true}),
    ];
    fields.extend(all);
    let schema: Schema = serde_json::from_value(json!({"entities": entities})).unwrap();
    let entity = &schema.entities[0];
    let mut write: Write =
        serde_json::from_value(create("7", json!({"title": "t"}))[0].clone()).unwrap();
    prefill(entity, &mut write);
    assert_eq!(json!(write.values), json!({"id": "7", "title": "t"}));
    let defaults = json!({"status": "draft", "short": "", "set_here": "x", "of_owners": "x"});
    assert_eq!(json!(write.defaults), defaults);
    let mut write: Write =
        serde_json::from_value(create("7", json!({"status": "sent"}))[0].clone()).unwrap();
    prefill(entity, &mut write);
    assert_eq!(write.defaults.get("status"), None, "it was said");
}

#[test]
fn a_default_of_an_older_schema_is_held_against_nobody() {
    let mut entities = invoices();
    let status = json!({"name": "status", "kind": "text", "default": "new", "rules": {"one_of": ["new", "sent"]}});
    let fields = entities[0]["fields"].as_array_mut().unwrap();
    let known = fields.iter_mut().find(|field| field["name"] == "status");
    *known.unwrap() = status;
    let mut world = World::new(entities);
    // As a replica offers it that knows the default `draft`.
    let old: Schema = serde_json::from_value(json!({"entities": invoices()})).unwrap();
    let mut write: Write =
        serde_json::from_value(create("1", json!({"title": "t"}))[0].clone()).unwrap();
    prefill(&old.entities[0], &mut write);
    world.write(json!([write])).unwrap();
    assert_eq!(world.columns("invoices", "1").unwrap()["status"], "new");
    let said = create("2", json!({"title": "u", "status": "draft"}));
    let refusal = world.write(said).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::ValidationFailed);
}

#[test]
fn each_broken_rule_names_its_field() {
    let mut world = World::new(invoices());
    let cases = [
        (json!({}), "title", "required"),
        (json!({"title": null}), "title", "not_nullable"),
        (json!({"title": 7}), "title", "type"),
        (json!({"title": ""}), "title", "min_length"),
        (json!({"title": "äöüäöü"}), "title", "max_length"),
        (json!({"title": "x", "status": "lost"}), "status", "one_of"),
        (json!({"title": "x", "total": true}), "total", "type"),
        (json!({"title": "x", "total": "-0.01"}), "total", "minimum"),
        (json!({"title": "x", "paid": "yes"}), "paid", "type"),
        (
            json!({"title": "x", "number": 2_147_483_648_u64}),
            "number",
            "type",
        ),
        (json!({"title": "x", "number": 7}), "number", "multiple_of"),
        (json!({"title": "x", "code": "a"}), "code", "pattern"),
        (json!({"title": "x", "sum": 1.5}), "sum", "read_only"),
        (json!({"title": "x", "id": "2"}), "id", "key"),
    ];
    for (values, field, rule) in cases {
        let refusal = world.write(create("1", values.clone())).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::ValidationFailed, "{values}");
        let found: Vec<_> = refusal.errors.iter().map(|e| (&*e.field, e.rule)).collect();
        assert_eq!(found, [(field, rule)], "{values}");
    }
    let two = world.write(create("1", json!({"total": false, "paid": 1})));
    assert_eq!(two.unwrap_err().errors.len(), 3);
    assert_eq!(world.log.len(), 0);
}

#[test]
fn null_empties_absent_leaves_and_unknown_fields_stay() {
    let mut world = World::new(invoices());
    let values = json!({"title": "one", "total": "1.50", "color": {"red": [1, null]}, "draft_note": "mine", "password": "mine"});
    world.write(create("1", values)).unwrap();
    world
        .write(update(
            "1",
            json!({"total": null, "draft_note": "still mine", "password": "still mine"}),
        ))
        .unwrap();
    let columns = world.columns("invoices", "1").unwrap();
    assert_eq!(columns["total"], Json::Null);
    assert_eq!(columns["title"], "one");
    assert_eq!(columns["color"], json!({"red": [1, null]}));
    assert_eq!(columns.get("draft_note"), None);
    assert_eq!(columns.get("password"), None);
    let texts: String = world
        .log
        .iter()
        .map(|(_, payload)| payload.as_str())
        .collect();
    assert!(
        !texts.contains("mine"),
        "what never leaves a client stands in the log: {texts}"
    );
}

#[test]
fn what_is_shown_beside_a_record_is_no_column_of_it() {
    let mut world = World::new(invoices());
    let shown = json!({"title": "one", "_role": "viewer", "txid": 5, "_lost": {}, "color": 1});
    world.write(create("1", shown.clone())).unwrap();
    world.write(update("1", shown)).unwrap();
    let columns = world.columns("invoices", "1").unwrap();
    assert_eq!(columns["color"], 1);
    for name in ["_role", "txid", "_lost"] {
        assert_eq!(columns.get(name), None, "{name}");
    }
}

#[test]
fn what_is_not_there_can_not_be_changed_and_what_is_there_not_be_made() {
    let mut world = World::new(invoices());
    let owner = asker("o", Role::Owner);
    assert_eq!(
        world.code(&owner, update("1", json!({}))),
        Some(RefusalCode::NotFound)
    );
    assert_eq!(world.code(&owner, delete("1")), Some(RefusalCode::NotFound));
    world
        .write(create("1", json!({"title": "one", "paid": true})))
        .unwrap();
    let again = create("1", json!({"title": "two"}));
    assert_eq!(
        world.code(&owner, again.clone()),
        Some(RefusalCode::AlreadyExists)
    );
    world.write(delete("1")).unwrap();
    assert_eq!(world.columns("invoices", "1"), None);
    assert_eq!(
        world.code(&owner, update("1", json!({}))),
        Some(RefusalCode::Gone)
    );
    assert_eq!(world.code(&owner, delete("1")), Some(RefusalCode::Gone));
    world.write(again).unwrap();
    let columns = world.columns("invoices", "1").unwrap();
    assert_eq!(
        (&columns["title"], columns.get("paid")),
        (&json!("two"), None)
    );
    let other = json!([{"entity": "nothing", "id": "1", "action": "delete"}]);
    assert_eq!(world.code(&owner, other), Some(RefusalCode::UnknownEntity));
    assert_eq!(world.code(&owner, json!([])), Some(RefusalCode::InvalidOp));
}

#[test]
fn values_that_are_one_records_alone_are_kept_so_within_an_op_and_across() {
    let mut world = World::new(invoices());
    let owner = asker("o", Role::Owner);
    let new = |id: &str, values| create(id, values)[0].clone();
    world
        .write(create("1", json!({"title": "a", "code": "A", "number": 5})))
        .unwrap();
    world.write(create("2", json!({"title": "b"}))).unwrap();
    world.write(create("3", json!({"title": "a"}))).unwrap();
    let taken = Some(RefusalCode::UniqueViolation);
    assert_eq!(
        world.code(&owner, create("4", json!({"title": "c", "code": "A"}))),
        taken
    );
    let together = world.write(update("3", json!({"number": 5}))).unwrap_err();
    assert_eq!(
        (together.code, together.errors[1].message.as_str()),
        (
            RefusalCode::UniqueViolation,
            "another record has the same title and number together"
        )
    );
    let both = json!([
        new("5", json!({"title": "x", "code": "X"})),
        new("6", json!({"title": "y", "code": "X"}))
    ]);
    let refusal = world.write(both).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.write),
        (RefusalCode::UniqueViolation, 1)
    );
    let swapped = json!([
        update("1", json!({"code": null}))[0],
        update("2", json!({"code": "A"}))[0],
    ]);
    assert_eq!(
        world.code(&owner, swapped.clone()).unwrap(),
        RefusalCode::ValidationFailed
    );
    let freed = json!([delete("1")[0], update("2", json!({"code": "A"}))[0]]);
    world.write(freed).unwrap();
    assert_eq!(world.columns("invoices", "2").unwrap()["code"], "A");
    assert_eq!(world.log.len(), 4);
}

#[test]
fn an_op_with_one_bad_row_changes_none() {
    let mut world = World::new(invoices());
    let writes = json!([
        create("1", json!({"title": "one"}))[0],
        update("2", json!({"title": "two"}))[0],
    ]);
    let refusal = world.write(writes).unwrap_err();
    assert_eq!((refusal.write, &*refusal.id), (1, "2"));
    assert!(world.view.records().is_empty());
}

#[test]
fn a_column_is_taken_out_unless_it_must_be_there() {
    let mut world = World::new(invoices());
    let row = json!({"title": "one", "paid": true, "total": "1", "more": [1]});
    world.write(create("1", row)).unwrap();
    let take = |columns: Json, values: Json| json!([{"entity": "invoices", "id": "1", "action": "update", "unset": columns, "values": values}]);
    let decision = world.write(take(
        json!(["paid", "more", "number"]),
        json!({"total": "2"}),
    ));
    let decided = serde_json::to_value(&decision.unwrap().decided[0]).unwrap();
    assert_eq!(
        decided["unset"],
        json!(["more", "paid"]),
        "the others were not there"
    );
    let columns = world.columns("invoices", "1").unwrap();
    assert_eq!(
        (&columns["total"], columns.get("paid")),
        (&json!("2"), None)
    );
    assert_eq!(columns.get("more"), None);
    for (column, rule) in [("title", "required"), ("id", "key")] {
        let refused = world.write(take(json!([column]), json!({}))).unwrap_err();
        assert_eq!(
            (refused.errors[0].rule, &*refused.errors[0].field),
            (rule, column)
        );
    }
    // Both said of one column: it has the value.
    world
        .write(take(json!(["paid"]), json!({"paid": false})))
        .unwrap();
    assert_eq!(world.columns("invoices", "1").unwrap()["paid"], false);
}

#[test]
fn what_others_have_changed_is_not_taken_out_where_the_server_wins() {
    let mut world = World::new(invoices());
    world
        .write(create("1", json!({"title": "one", "paid": true})))
        .unwrap();
    let late = json!([{"entity": "invoices", "id": "1", "action": "update", "unset": ["paid"],
        "base": {"paid": false}}]);
    let decision = world.write(late).unwrap();
    assert_eq!(world.columns("invoices", "1").unwrap()["paid"], true);
    let lost = serde_json::to_value(&decision.decided[0].lost).unwrap();
    assert_eq!(
        lost,
        json!({"paid": {"base": false, "mine": null, "theirs": true}})
    );
}
