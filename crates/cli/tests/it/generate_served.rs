//! `syncline generate`: a client of what a server says that its records are, without their document.

use std::fs;

use serde_json::Value;

use crate::generate::{DOCUMENT, files, machine};
use crate::machine::Machine;
use crate::serve_schema::{Backend, write_document};

#[test]
fn a_server_s_schema_gives_what_its_document_gives() {
    let (machine, document, out) = machine();
    let dir = out.to_str().unwrap();
    machine.run(&["generate", &document, "--out", dir]).done();
    let of_document = files(&out);
    let backend = Backend::open(&machine);
    let address = format!("{}/api/schema", backend.url);
    machine
        .run(&["generate", &address, "--out", dir, "--check"])
        .done();
    fs::remove_dir_all(&out).unwrap();
    machine
        .run(&["generate", &address, "--out", dir, "--json"])
        .done();
    assert!(files(&out) == of_document);
    let shown = machine
        .run_with(
            &[("SYNCLINE_ENDPOINT", &backend.url)],
            &["schema", "show", "--json"],
        )
        .done();
    machine
        .run_on(&shown.stdout, &["generate", "-", "--out", dir, "--check"])
        .done();
}

#[test]
fn what_is_said_of_records_by_several_tenants_or_another_version_is_refused() {
    let machine = Machine::new();
    write_document(&machine, DOCUMENT);
    let backend = Backend::open(&machine);
    let shown = machine
        .run_with(
            &[("SYNCLINE_ENDPOINT", &backend.url)],
            &["schema", "show", "--json"],
        )
        .done()
        .json();
    let tenant = &shown["tenants"][0];
    let altered = |pointer: &str, value: Value| {
        let mut altered = tenant.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        altered
    };
    let other = altered("/schema/entities/0/singular", "other".into());
    let newer = altered("/schema/entities/0/conflict", "newer".into());
    let broken = altered("/schema/entities/0/key", "gone".into());
    let without = serde_json::json!({ "seq": null, "schema": null });
    for (tenants, code) in [
        (vec![tenant.clone(), other], "several_schemas"),
        (vec![newer], "schema_invalid"),
        (vec![broken], "schema_invalid"),
        (vec![without.clone()], "no_schema"),
    ] {
        let text = serde_json::json!({ "tenants": tenants }).to_string();
        machine
            .run_on(&text, &["generate", "-", "--out", "generated"])
            .failed(1, code)
            .says("nothing was written");
    }
    machine
        .run_on(
            &without.to_string(),
            &["generate", "-", "--out", "generated"],
        )
        .failed(1, "no_schema")
        .says("fix:   syncline schema apply");
    let twice = serde_json::json!({ "tenants": [tenant, tenant] }).to_string();
    machine
        .run_on(&twice, &["generate", "-", "--out", "generated"])
        .done();
}
