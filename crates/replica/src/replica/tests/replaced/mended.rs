//! A replica that is put back while a check reads its damaged log.

use syncline_store::FileOptions;
use syncline_store::local::{AcknowledgedOps, LocalFile, OldFile, Switch};

use super::*;
use crate::mend::set_aside_if;

#[test]
fn a_check_keeps_no_restore_waiting_and_leaves_what_that_has_put_back() {
    let place = Place::new();
    let (open, copy) = backed_up(&place);
    drop(open);
    set_aside_if(&place.path("a"), |_| {
        restore(&place.path("a"), &copy, |_| ()).unwrap();
        Ok(Some("what was replaced is damaged".into()))
    })
    .unwrap();
    assert_eq!(contents(&mut place.open("a")), ["one"]);
    let names = fs::read_dir(place.path("a")).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.any(|name| name.starts_with("damaged-")));
}

#[test]
fn a_log_that_nobody_has_exchanged_is_set_aside_by_its_check() {
    let place = Place::new();
    let (open, _) = backed_up(&place);
    let name = open.tenant_name.clone();
    drop(open);
    let damaged = |_: &Path| Ok(Some("it is damaged".into()));
    set_aside_if(&place.path("a"), damaged).unwrap();
    assert!(place.path("a").join(format!("damaged-{name}")).exists());
    assert_eq!(contents(&mut place.open("a")), ["one", "two"]);
}

#[test]
fn a_log_of_another_name_is_not_what_its_check_has_read() {
    let place = Place::new();
    let (open, _) = backed_up(&place);
    drop(open);
    let directory = place.path("a");
    set_aside_if(&directory, |path| {
        // As where the file of a log that was fetched again has the inode of the one that was read.
        let local = directory.join(LOCAL_FILE_NAME);
        let mut local = LocalFile::open(&local, &FileOptions::default()).unwrap();
        let name = local.identity().unwrap().tenant_file;
        let switch = Switch {
            from: &name,
            to: "tenant-new.db",
            old_file: OldFile::SetAside,
            heal: None,
            acknowledged: AcknowledgedOps::Keep,
            cut: 0,
            cut_end: None,
            clock_seen: 0,
            now: at(),
        };
        fs::rename(path, directory.join(switch.to)).unwrap();
        local.switch(&switch, std::iter::empty()).unwrap();
        Ok(Some("what was read is damaged".into()))
    })
    .unwrap();
    assert!(!directory.join("damaged-tenant-new.db").exists());
    assert_eq!(contents(&mut place.open("a")), ["one", "two"]);
}
