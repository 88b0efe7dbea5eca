//! The stream: the same events however its bytes are cut.

use proptest::prelude::*;
use syncline_protocol::{
    HEARTBEAT, PullPage, StreamError, StreamEvent, StreamMessage, StreamParser, encode_event,
    parse_cursor_text,
};

use crate::generators::pages;

fn events(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<StreamEvent> {
    let mut parser = StreamParser::new(1 << 20);
    let mut events = Vec::new();
    for piece in pieces {
        parser.push(piece.as_ref());
        while let Some(event) = parser.next_event() {
            events.push(event.unwrap());
        }
    }
    events
}

fn cut(bytes: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2)
        .map(|pair| bytes[pair[0]..pair[1]].to_vec())
        .collect()
}

fn named(name: &str, id: &str, data: &str) -> StreamEvent {
    StreamEvent {
        name: name.into(),
        id: id.into(),
        data: data.into(),
    }
}

#[test]
fn the_standard_s_examples_read_as_it_says() {
    let check =
        |text: &str, expected: &[StreamEvent]| assert_eq!(events([text]), expected, "{text:?}");
    check(
        "data: YHOO\ndata: +2\ndata: 10\n\n",
        &[named("", "", "YHOO\n+2\n10")],
    );
    check(
        ": test stream\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\n\n",
        &[
            named("", "1", "first"),
            named("", "", "second"),
            named("", "", " third"),
        ],
    );
    check(
        "data\n\ndata\ndata\n\ndata:",
        &[named("", "", ""), named("", "", "\n")],
    );
    check(
        "data:test\n\ndata: test\n\n",
        &[named("", "", "test"), named("", "", "test")],
    );
    check(
        "\u{feff}event: x\r\ndata: 1\r\n\r\n",
        &[named("x", "", "1")],
    );
    check(
        "event: x\rdata: 1\r\rdata: 2\r\r",
        &[named("x", "", "1"), named("", "", "2")],
    );
    check(
        "event: lost\n\nretry: 5\nfoo: bar\ndata: 1\n\n",
        &[named("", "", "1")],
    );
    check("data: never ended\n", &[]);
}

#[test]
fn an_event_over_the_bound_ends_the_stream() {
    for text in [
        "data: 0123456789\n",
        "data: 01234\ndata: 56789\n",
        "0123456789012345",
    ] {
        let mut parser = StreamParser::new(12);
        parser.push(b"data: 1\n\n");
        parser.push(text.as_bytes());
        parser.push(b"\n\ndata: 2\n\n");
        assert_eq!(parser.next_event().unwrap().unwrap().data, b"1");
        for _ in 0..2 {
            assert_eq!(
                parser.next_event(),
                Some(Err(StreamError::TooLarge { max: 12 })),
                "{text}"
            );
        }
    }
}

#[test]
fn a_page_that_no_event_can_carry_becomes_a_hint() {
    let event = encode_event(&syncline_model::Cursor::ORIGIN, b"{\"a\":\r\n1}");
    let [event] = events([event]).try_into().unwrap();
    assert_eq!(StreamMessage::from(event), StreamMessage::Hint);
    let newer = named("brand-new", "", "{}");
    assert_eq!(StreamMessage::from(newer), StreamMessage::Unknown);
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same_events(
        text in "(data|event|id|:|: |\n|\r|\r\n|\n\n|x|é|\u{feff}|\0){0,40}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let whole = events([text.as_bytes()]);
        prop_assert_eq!(&events(cut(text.as_bytes(), &cuts)), &whole);
        let bytes: Vec<[u8; 1]> = text.bytes().map(|byte| [byte]).collect();
        prop_assert_eq!(events(bytes), whole);
    }

    #[test]
    fn pages_arrive_byte_for_byte(
        pages in prop::collection::vec(pages(), 1..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut bytes = HEARTBEAT.to_vec();
        for page in &pages {
            bytes.extend(encode_event(&page.cursor, &page.encode()));
            bytes.extend(HEARTBEAT);
        }
        let events = events(cut(&bytes, &cuts));
        prop_assert_eq!(events.len(), pages.len());
        for (event, page) in events.into_iter().zip(pages) {
            match StreamMessage::from(event) {
                StreamMessage::Page { body, reaches } => {
                    prop_assert_eq!(reaches, Some(page.cursor));
                    prop_assert_eq!(PullPage::decode(&body).unwrap(), page);
                }
                StreamMessage::Hint => prop_assert!(page.encode().contains(&b'\r')),
                StreamMessage::Unknown => prop_assert!(false),
            }
        }
    }

    #[test]
    fn no_bytes_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 0..9)) {
        events(pieces);
    }

    #[test]
    fn no_id_panics(id in any::<String>()) {
        if let Ok(cursor) = parse_cursor_text(&id) {
            let again = parse_cursor_text(&syncline_protocol::cursor_text(&cursor));
            prop_assert_eq!(again, Ok(cursor));
        }
    }
}
