//! Query strings.

use proptest::prelude::*;
use syncline_model::{Mark, ServerSeq};
use syncline_protocol::limits::SERVER_SEQ_MAX;
use syncline_protocol::{BootstrapQuery, ErrorCode, PullQuery, StreamQuery};

#[test]
fn bad_numbers_are_refused_by_name() {
    for query in [
        "since=-1",
        "since=9007199254740992",
        "since=99999999999999999999",
        "since=1.0",
        "since=+1",
        "since=x",
        "limit=0",
        "limit=-5",
        "floor=-1",
        "mark=XYZ",
        "epoch=1",
        "since=1&since=2",
        "clientId=%00",
        "clientId=%",
        "clientId=%zz",
        "clientId=%ff",
    ] {
        let error = PullQuery::parse(query).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadRequest, "{query}: {error}");
    }
}

#[test]
fn what_is_unknown_or_empty_is_passed_over() {
    let query = PullQuery::parse("&foo=1&since=&mark=&limit=7&bar").unwrap();
    assert_eq!(
        query,
        PullQuery {
            limit: Some(7),
            ..PullQuery::default()
        }
    );
    assert_eq!(PullQuery::parse("").unwrap(), PullQuery::default());
}

#[test]
fn last_event_id_stands_in_place_of_since() {
    let id = "17-000102030405060708090a0b0c0d0e0f";
    let query = StreamQuery::parse("since=3&clientId=c", Some(id)).unwrap();
    assert_eq!(query.since, ServerSeq(17));
    assert_eq!(
        query.mark,
        Some("000102030405060708090a0b0c0d0e0f".parse().unwrap())
    );
    assert!(StreamQuery::parse("since=3", Some("nonsense")).is_err());
    assert_eq!(
        StreamQuery::parse("since=3", Some("")).unwrap().since,
        ServerSeq(3)
    );
}

proptest! {
    #[test]
    fn queries_read_back(
        client in "[^\\p{Cc}]{1,40}",
        since in 0_u64..=SERVER_SEQ_MAX,
        mark in any::<Option<[u8; 16]>>(),
        limit in prop::option::of(1_usize..),
        epoch in prop::option::of(any::<u128>()),
        floor in prop::option::of(0_u64..=SERVER_SEQ_MAX),
        sight in prop::option::of("[a-z.0-9]{1,40}"),
    ) {
        let query = PullQuery {
            client_id: Some(client.parse().unwrap()),
            since: ServerSeq(since),
            mark: mark.map(Mark::origin),
            limit,
            epoch: epoch.map(|n| format!("{n:032x}").parse().unwrap()),
            floor: floor.map(ServerSeq),
            sight,
        };
        prop_assert_eq!(&PullQuery::parse(&query.encode()).unwrap(), &query);
    }

    #[test]
    fn no_query_panics(query in any::<String>(), id in any::<Option<String>>()) {
        let _ = PullQuery::parse(&query);
        let _ = StreamQuery::parse(&query, id.as_deref());
        let _ = BootstrapQuery::parse(&query);
    }
}
