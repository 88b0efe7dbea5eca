//! Tombstones that a server has collected, met by those who come late and by those who come meanwhile.

use syncline_model::Scope;

use super::compaction::{list_op, rename, write_op};
use super::*;

fn has_list(server: &WireServer) -> bool {
    let keys = server.keys();
    keys.iter().any(|key| key.scope.as_str() == Scope::LIST)
}

#[test]
fn an_own_write_that_a_log_put_back_lost_and_a_collected_tombstone_outran_is_stamped_anew() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut c) = (machines.node("a", LIVE), machines.node("c", LIVE));
    a.write(&["kept"]);
    a.settle(&mut server);
    c.settle(&mut server);
    let copy = server.back_up();
    let insert = r#"{"type":"insert","itemId":"bread","payload":{"text":"bread","pos":[{"digit":1,"actor":"a"}]}}"#;
    write_op(&mut a, list_op(insert), &mut server);
    a.stop();
    server.restore(&copy);
    for n in 0..5 {
        write_op(&mut c, rename(&format!("name {n}")), &mut server);
    }
    let insert = r#"{"type":"insert","itemId":"milk","payload":{"text":"milk","pos":[{"digit":1,"actor":"c"}]}}"#;
    write_op(&mut c, list_op(insert), &mut server);
    let remove = r#"{"type":"remove","itemId":"milk"}"#;
    write_op(&mut c, list_op(remove), &mut server);
    write_op(&mut c, rename("the end"), &mut server);
    let head = server.head();
    server.compact(head);
    assert!(!has_list(&server), "the tombstone is collected");
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    c.settle(&mut server);
    assert!(a.engine.replica().quarantined().unwrap().is_empty());
    assert!(has_list(&server));
    assert_eq!((a.waiting(), c.waiting()), (0, 0));
    equal_views(&mut [&mut a, &mut c]);
}
