//! What worlds have found, told in a few lines, so that no change of the weather forgets it.
//!
//! Most of it is told beside the code that it befell; here is what needs a binary of another age.

use std::path::Path;

use syncline_model::planted::{Binary, play};
use syncline_model::{ActorId, ClientId, Epoch, Mark, Payload, ResourceId, Scope, Timestamp};
use syncline_simdisk::Disk;
use syncline_store::local::{Identity, LocalFile, NewOp};
use syncline_store::{FileOptions, PageLimit, StoreError, TenantFile};
use uuid::Uuid;

const OLDER: Binary = Binary {
    age: 1,
    panics: false,
};

/// World 32: an older process had the file open while a newer one folded it again, went on folding
/// into it, and what its fold passes over was missing for good.
#[test]
fn an_older_process_does_not_fold_into_a_view_that_a_newer_one_has_folded_since() {
    let disk = Disk::new(1);
    let process = disk.process("r/");
    let options = FileOptions {
        vfs: Some(process.vfs_name().to_owned()),
        ..FileOptions::default()
    };
    let path = Path::new("r/tenant.db");
    play(OLDER);
    let epoch = Epoch::new(Uuid::from_u128(1));
    let mut older = TenantFile::create(path, &options, epoch, Mark::origin([7; 16])).unwrap();
    assert!(older.begin().is_ok());
    play(Binary::default());
    TenantFile::open(path, &options).unwrap();
    play(OLDER);
    let refused = older.begin().err();
    play(Binary::default());
    assert!(
        matches!(refused, Some(StoreError::NewerFold { .. })),
        "{refused:?}"
    );
}

/// World 227: an op was sent, and taken; the answer was lost, and the power went. What had been sent was
/// forgotten with it. Others removed the item that the op had made, and the log dropped both: told that
/// the key was taken, the machine took that for somebody else's, and wrote the item anew.
#[test]
fn a_power_cut_does_not_forget_how_far_the_outbox_was_sent() {
    let disk = Disk::new(1);
    let path = Path::new("r/local.db");
    let open = || {
        let process = disk.process("r/");
        let options = FileOptions {
            vfs: Some(process.vfs_name().to_owned()),
            ..FileOptions::default()
        };
        let fresh = Identity {
            replica: ClientId::new("r").unwrap(),
            actor: ActorId::new("a").unwrap(),
            clock: 0,
            host: None,
            member: None,
            tenant_file: "t.db".to_owned(),
        };
        let local = LocalFile::open_or_create(path, &options, &fresh).unwrap();
        (local, process)
    };
    let (mut local, _process) = open();
    let op = NewOp {
        scope: Scope::new("notes").unwrap(),
        resource: ResourceId::new("n").unwrap(),
        payload: Payload::parse("{}").unwrap(),
    };
    let now = Timestamp::from_millis(0).unwrap();
    local.write(&[op], || Ok(0), now).unwrap();
    let limit = PageLimit { ops: 9, bytes: 999 };
    assert_eq!(local.next_batch(limit).unwrap().unwrap().ops.len(), 1);
    disk.crash("r/");
    drop(local);
    let (local, _process) = open();
    assert_eq!(local.offered_order().unwrap(), 1);
}
