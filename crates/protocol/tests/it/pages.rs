//! Pages of the log.

use proptest::prelude::*;
use syncline_model::{Payload, PayloadHash};
use syncline_protocol::PullPage;

use crate::generators::{mutated, pages};

#[test]
fn an_erased_op_keeps_its_hash_and_says_that_it_is_erased() {
    let hash = PayloadHash::of("\"gone\"");
    let body = format!(
        r#"{{"epoch":"00000000-0000-0000-0000-000000000001","floor":0,"ops":[
        {{"serverSeq":1,"scope":"s","resourceId":"r","actor":"a","clock":1,"payload":null,
          "payloadHash":"{hash}","erased":true}},
        {{"serverSeq":2,"scope":"s","resourceId":"r","actor":"a","clock":2,"payload":null}}],
        "serverSeq":2,"cursor":{{"serverSeq":2,"mark":"{hash}"}},"hasMore":false}}"#
    );
    let page = PullPage::decode(body.as_bytes()).unwrap();
    assert_eq!(
        (page.ops[0].payload.as_ref(), page.ops[0].payload_hash),
        (None, hash)
    );
    assert_eq!(
        page.ops[1].payload.as_ref().map(Payload::as_str),
        Some("null")
    );
    assert_eq!(page.ops[1].payload_hash, PayloadHash::of("null"));
    let again = String::from_utf8(page.encode()).unwrap();
    assert_eq!(again.matches("\"erased\":true").count(), 1);
    assert_eq!(again.matches("\"payloadHash\"").count(), 1);
}

proptest! {
    #[test]
    fn pages_read_back_byte_for_byte(page in pages()) {
        prop_assert_eq!(PullPage::decode(&page.encode()).unwrap(), page);
    }

    #[test]
    fn a_cut_page_is_none(page in pages(), at in any::<prop::sample::Index>()) {
        let body = page.encode();
        prop_assert!(PullPage::decode(&body[..at.index(body.len())]).is_err());
    }

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = PullPage::decode(&body);
    }

    #[test]
    fn no_mutated_page_panics(body in mutated(pages().prop_map(|page| page.encode()))) {
        let _ = PullPage::decode(&body);
    }
}
