//! Which of several sessions has said what all of them hold.

use syncline_model::session::{
    Counting, SessionId, is_named_everywhere, origin_among, session_id, words,
};

fn id(name: &str) -> SessionId {
    session_id("claude-code", name, "")
}

#[test]
fn the_origin_is_the_same_in_any_order_and_no_fork_of_another() {
    let check = |sessions: [(&str, &[&str]); 2], origin: SessionId| {
        let mut sessions = sessions.map(|(name, forked_from)| Counting {
            session: id(name),
            forked_from: forked_from.iter().copied().map(id).collect(),
        });
        assert_eq!(origin_among(&sessions), Some(origin), "{sessions:?}");
        sessions.reverse();
        assert_eq!(origin_among(&sessions), Some(origin), "{sessions:?}");
    };
    for (one, other) in [("a", "b"), ("b", "a")] {
        check([(one, &[other]), (other, &[])], id(other));
        check([(one, &["absent", other]), (other, &[])], id(other));
        // Where nothing tells them apart, or each is said to be the other's fork, one is taken all the same.
        let first = id(one).min(id(other));
        check([(one, &["absent"]), (other, &[])], first);
        check([(one, &[other]), (other, &[one])], first);
    }
    assert_eq!(origin_among(&[]), None);
}

#[test]
fn an_id_that_relays_may_give_twice_names_nothing_everywhere() {
    let of = |agent, role, message| is_named_everywhere(agent, role, message);
    assert!(of("claude-code", words::USER, "u1"));
    assert!(of("claude-code", words::ASSISTANT, "m1:r1"));
    assert!(!of("claude-code", words::ASSISTANT, "m1"));
    assert!(!of("claude-code", words::USER, ""));
    assert!(!of("codex", words::USER, "u1"));
}
