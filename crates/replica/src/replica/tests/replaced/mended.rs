//! A replica that is put back while a check reads its damaged log.

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
