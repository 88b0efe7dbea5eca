//! What worlds have found, told in a few lines, so that no change of the weather forgets it.
//!
//! Most of it is told beside the code that it befell; here is what needs a binary of another age.

use std::path::Path;

use syncline_model::planted::{Binary, play};
use syncline_model::{Epoch, Mark};
use syncline_simdisk::Disk;
use syncline_store::{FileOptions, StoreError, TenantFile};
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
