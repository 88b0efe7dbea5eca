//! Who keeps ops in a log, and how they are let go of.

use super::*;

#[test]
fn who_holds_the_floor_is_named_with_what_lets_go_of_it() {
    let server = Server::start();
    let token = server.token("ada");
    draw(&server, &token);
    let mut wire = Wire::connect(server.address(), &token).unwrap();
    let page = wire.get("/sync/pull?limit=10").unwrap().body;
    let mark = page["cursor"]["mark"].as_str().unwrap();
    let pull = format!("/sync/pull?clientId=phone&since=10&mark={mark}");
    wire.get(&pull).unwrap();
    let behind = pushes() * OPS - 10;
    let keeps = format!(
        "acme: the client phone of ada keeps {behind} ops from before the retention window"
    );
    let said = server.machine().run(&COMPACT).done();
    said.says(&format!("{keeps}; it last moved at"));
    for (tablets, told) in [
        (1, "1 other client keeps some or all of them"),
        (2, "2 other clients keep some or all of them"),
    ] {
        wire.get(&pull.replace("phone", &format!("tablet-{tablets}")))
            .unwrap();
        let said = server.machine().run(&COMPACT).done();
        said.says(&format!("{keeps}, and {told}; it last moved at"));
    }
    let said = server.machine().run(&COMPACT).done();
    let said = said.says("syncline admin expire --data");
    let held_by = &said.json()["tenants"][0]["held_by"];
    assert_eq!(
        (
            &held_by["client_id"],
            &held_by["server_seq"],
            &held_by["lag"],
            &held_by["ops_held"],
            &held_by["other_holders"]
        ),
        (
            &json!("phone"),
            &json!(10),
            &json!(behind),
            &json!(behind),
            &json!(2)
        )
    );

    let expire = ["admin", "expire", "--data", "srv", "--idle", "0s"];
    server.machine().run(&expire).done();
    let said = server.machine().run(&COMPACT).done();
    assert_eq!(said.json()["tenants"][0]["held_by"], Value::Null);
    assert_eq!(said.stderr, "");
}
