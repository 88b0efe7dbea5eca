//! What is deleted before it was ever sent.

use syncline_model::thread::{Delete, ThreadOp};
use syncline_store::local::NewOp;

use super::*;

/// A word that full-text search keeps as it is.
const SECRET: &str = "plutonium";

fn delete() -> NewOp {
    let delete = ThreadOp::Delete(Delete {
        project: "default".into(),
        key: "plans".into(),
        generation: 1,
        at: at(),
    });
    NewOp {
        payload: delete.payload().unwrap(),
        ..create()
    }
}

/// Whether the secret is in the bytes of any file of a replica.
fn is_told(directory: &Path) -> bool {
    let files = fs::read_dir(directory).unwrap().flatten();
    files.filter(|file| file.path().is_file()).any(|file| {
        let bytes = fs::read(file.path()).unwrap();
        let mut windows = bytes.windows(SECRET.len());
        windows.any(|window| window == SECRET.as_bytes())
    })
}

#[test]
fn what_was_never_sent_is_in_no_byte_once_it_is_deleted() {
    let place = Place::new();
    let mut replica = place.open("a");
    let said = (0..50).map(|n| entry(&format!("{n} is {SECRET} {}", "and on ".repeat(n * 20))));
    let ops: Vec<NewOp> = std::iter::once(create()).chain(said).collect();
    replica.write(&ops).unwrap();
    let deletes = replica.write(&[delete()]).unwrap().keys;
    assert!(is_told(&place.path("a")));
    replica.erase_unsent(&deletes).unwrap();
    assert!(!is_told(&place.path("a")));
    assert_eq!(contents(&mut replica), [""; 0]);
    drop(replica);
    assert!(!is_told(&place.path("a")));
    // The server learns that it is deleted, and nothing else.
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    sync(&mut replica, &mut server);
    assert_eq!(server.page(ServerSeq::ZERO).ops.len(), 1);
    assert_eq!(replica.status().unwrap().pending(), 0);
    let mut other = place.open("b");
    start(&mut other, &server);
    assert_eq!(
        other.view().unwrap().dump_view().unwrap(),
        replica.view().unwrap().dump_view().unwrap()
    );
}

#[test]
fn what_was_offered_stays_until_the_log_gives_it_back() {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    replica.write(&[create(), entry("offered")]).unwrap();
    let offered = replica.next_batch(WHOLE).unwrap().unwrap();
    replica.write(&[entry("not offered")]).unwrap();
    let mut deletes = replica.write(&[delete()]).unwrap().keys;
    // An op that is no delete lets go of nothing.
    deletes.extend(replica.write(&[entry("late")]).unwrap().keys);
    replica.erase_unsent(&deletes).unwrap();
    let waiting = replica.local.outbox_after(0, 10).unwrap();
    let payloads = waiting
        .iter()
        .map(|row| row.payload.as_ref().unwrap().as_str());
    let waiting = payloads.collect::<Vec<_>>().join("\n");
    assert!(!waiting.contains("not offered"), "{waiting}");
    for kept in ["offered", "late", "delete"] {
        assert!(waiting.contains(kept), "{waiting}");
    }
    server.push(&offered.ops);
    sync(&mut replica, &mut server);
    assert_eq!(contents(&mut replica), [""; 0]);
    assert_eq!(replica.status().unwrap().pending(), 0);
}
