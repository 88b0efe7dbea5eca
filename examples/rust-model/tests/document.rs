//! The committed document is the one that the structs write, and means what they declare.

use std::fs;
use std::process::Command;

use syncline_codegen::resolve;
use syncline_entity::Entity;
use syncline_example_rust_model::{Book, Loan};

#[test]
fn the_example_writes_the_committed_document() {
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/rust-model.yaml");
    let program = env!("CARGO_BIN_EXE_syncline-example-rust-model");
    assert!(Command::new(program).arg(path).status().unwrap().success());
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.yaml");
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        fs::read_to_string(committed).unwrap_or_default(),
        "`cargo run -p syncline-example-rust-model` writes it anew"
    );
}

#[test]
fn the_document_means_what_the_structs_declare() {
    let resolution = resolve(&syncline_example_rust_model::document().to_yaml());
    assert_eq!(resolution.diagnostics, []);
    for declared in [Book::entity(), Loan::entity()] {
        let found = resolution.schema.entity(&declared.name).unwrap();
        assert_eq!(found.operations, declared.operations);
        assert_eq!(found.unique, declared.unique);
        for field in &declared.fields {
            assert_eq!(found.field(&field.name), Some(field));
        }
    }
}
