//! What was read of transcripts.

use syncline_model::{Payload, ResourceId, Scope, Timestamp};

use super::Place;
use crate::local::{ImportNotes, ImportedFile, ImportedUnit, LocalFile, NewOp};

fn notes(mark: &str) -> ImportNotes {
    ImportNotes {
        files: vec![ImportedFile {
            path: "/a.jsonl".to_owned(),
            agent: "codex".to_owned(),
            mark: mark.to_owned(),
            memory: "{}".to_owned(),
        }],
        units: vec![ImportedUnit {
            key: [7; 16],
            note: mark.into(),
        }],
    }
}

#[test]
fn what_was_read_commits_with_the_ops_made_of_it() {
    let place = Place::new();
    let mut local = place.open();
    let op = NewOp {
        scope: Scope::thread(),
        resource: ResourceId::new("s").unwrap(),
        payload: Payload::parse("{}").unwrap(),
    };
    let now = Timestamp::UNIX_EPOCH;
    let written = local
        .write_imported(std::slice::from_ref(&op), &notes("1"), || Ok(0), now)
        .unwrap();
    assert_eq!(written.unwrap().ops.len(), 1);
    assert_eq!(local.imported_file("/a.jsonl").unwrap().unwrap().mark, "1");
    assert_eq!(local.imported_unit(&[7; 16]).unwrap().unwrap(), b"1");
    // What can't be written leaves nothing behind.
    let full = || Ok(syncline_model::limits::CLOCK_MAX);
    assert!(local.write_imported(&[op], &notes("2"), full, now).is_err());
    assert_eq!(local.imported_file("/a.jsonl").unwrap().unwrap().mark, "1");
    assert_eq!(local.imported_unit(&[7; 16]).unwrap().unwrap(), b"1");
    assert_eq!(local.imported_unit(&[8; 16]).unwrap(), None);
}

#[test]
fn notes_without_ops_are_kept_and_can_be_forgotten() {
    let place = Place::new();
    let mut local = place.open();
    let none = || unreachable!("no clock is taken");
    let now = Timestamp::UNIX_EPOCH;
    let written = local.write_imported(&[], &notes("1"), none, now).unwrap();
    assert_eq!(written, None);
    assert_eq!(marks(&local, "codex", ["/a.jsonl"]), ["1"]);
    assert_eq!(marks(&local, "gemini", ["/a.jsonl"]), [""]);
    local.forget_imported("codex").unwrap();
    assert_eq!(local.imported_file("/a.jsonl").unwrap(), None);
    assert!(local.imported_unit(&[7; 16]).unwrap().is_some());
}

/// The marks of files, asked for in this order, of those that begin with `/`; empty where there is none.
fn marks<const N: usize>(local: &LocalFile, agent: &str, paths: [&str; N]) -> [String; N] {
    let compared = local.compare_imported(agent, ["/", "0"], |marks| {
        paths.map(|path| marks.of(path).unwrap().unwrap_or_default().to_owned())
    });
    compared.unwrap()
}

#[test]
fn marks_are_compared_in_the_order_of_their_paths() {
    let place = Place::new();
    let mut local = place.open();
    let file = |path: &str, agent: &str| ImportedFile {
        path: path.to_owned(),
        agent: agent.to_owned(),
        mark: path.to_uppercase(),
        memory: "{}".to_owned(),
    };
    let files = ["/b", "/a/x", "/a.x", "/d", "#"].map(|path| file(path, "codex"));
    let notes = ImportNotes {
        files: files.into_iter().chain([file("/c", "gemini")]).collect(),
        units: Vec::new(),
    };
    let none = || unreachable!("no clock is taken");
    let written = local.write_imported(&[], &notes, none, Timestamp::UNIX_EPOCH);
    written.unwrap();
    let asked = ["/a.x", "/a/w", "/a/x", "/b", "/b", "/c", "/d", "/e", "/f"];
    let found = ["/A.X", "", "/A/X", "/B", "/B", "", "/D", "", ""];
    assert_eq!(marks(&local, "codex", asked), found);
    // What lies before what was asked for is passed over.
    assert_eq!(marks(&local, "codex", ["#", "/d"]), ["", "/D"]);
}
