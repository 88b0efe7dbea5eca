use syncline_model::record::Lost;

use super::*;
use crate::local::LostEdit;

/// A page that one process applies may be met in the log by a second, before the first has let go of its ops.
#[test]
fn what_two_processes_find_pulled_has_lost_once() {
    let place = Place::new();
    let (mut first, mut second) = (place.open(), place.open());
    let written = keys(&write(&mut first, &["a"]));
    let edit = LostEdit {
        entity: "contacts".to_owned(),
        id: "c1".to_owned(),
        column: "phone".to_owned(),
        values: Lost {
            base: "1".into(),
            mine: "2".into(),
            theirs: "3".into(),
        },
        field_gone: false,
    };
    let lost = [(written[0].clone(), edit)];
    for local in [&mut first, &mut second] {
        let judged = local.judged_by(FIRST);
        judged.forget_pulled(&written, &lost).unwrap();
    }
    assert_eq!(first.count_losses().unwrap(), 1);
}
