use std::fs::{self, File};

use syncline_model::Mark;
use syncline_store::{FileOptions, TenantFile};
use uuid::Uuid;

use super::*;

const EPOCH: Epoch = Epoch::new(Uuid::nil());

fn day(day: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + day * 24 * 60 * 60 * 1_000).unwrap()
}

/// A data directory with one tenant.
fn data(root: &Path) -> (DataDirectory, TenantId) {
    let data = DataDirectory::open(root).unwrap();
    let tenant = TenantId::new("acme").unwrap();
    let start = || (EPOCH, Mark::origin([7; 16]));
    let path = data.tenant_file(&tenant);
    TenantFile::open_or_create(&path, &FileOptions::default(), start).unwrap();
    (data, tenant)
}

fn kept(data: &DataDirectory) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.path().join(RESETS)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn a_log_that_was_reset_is_dropped_after_its_time() {
    let root = tempfile::tempdir().unwrap();
    let (data, tenant) = data(root.path());
    drop_old_resets(&data, day(0));
    let [_, young] = [1, 3].map(|at| keep_before_reset(&data, &tenant, EPOCH, day(at)).unwrap());
    fs::create_dir(data.path().join(RESETS).join("my-own")).unwrap();
    drop_old_resets(&data, day(32));
    assert_eq!(
        kept(&data),
        [data.path().join(RESETS).join("my-own"), young]
    );
}

#[test]
fn what_a_killed_reset_has_left_is_removed_and_what_is_under_way_is_not() {
    let root = tempfile::tempdir().unwrap();
    let (data, tenant) = data(root.path());
    let whole = keep_before_reset(&data, &tenant, EPOCH, day(1)).unwrap();
    let part = |at: i64| {
        let name = format!("{}-{EPOCH}.part-7", backup_name(day(at)));
        let path = data.path().join(RESETS).join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let [left, held, begun] = [2, 3, 4].map(part);
    for path in [&left, &held] {
        fs::create_dir(path.join("tenants")).unwrap();
        fs::write(path.join("tenants/t-acme.db"), "half").unwrap();
    }
    let holding = File::open(&held).unwrap();
    holding.lock().unwrap();
    drop_old_resets(&data, day(5));
    assert_eq!(kept(&data), [whole.clone(), held, begun.clone()]);
    drop(holding);
    drop_old_resets(&data, day(5));
    assert_eq!(kept(&data), [whole, begun]);
}
