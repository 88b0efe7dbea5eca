//! Lines of transcripts that no importer could name.

use super::world::{World, id};
use crate::sessions::{Event, PriceTable, read_events};

#[test]
fn lines_that_no_importer_could_name_are_events_where_they_stood_each_whole() {
    let mut world = World::new();
    world.log(&[(
        "s",
        r#"{"messages":[{"id":"m","role":"user","order":20}],
          "parts":[{"messageId":"m","id":"0","kind":"text","order":20,"text":"hello"},
            {"id":"line-1","kind":"raw","order":10,"text":"{\"type\":\"new\","},
            {"id":"line-1+1","kind":"raw","order":11,"text":"\"more\":1}","continues":true},
            {"id":"line-3","kind":"raw","order":30,"text":"{\"type\":\"other\"}"},
            {"id":"line-4","kind":"raw","order":40,"removed":true}]}"#,
    )]);
    let mut told = Vec::new();
    let mut after = None;
    loop {
        let page = read_events(
            world.view(),
            id("s"),
            after.as_ref(),
            1,
            &PriceTable::built_in(),
        )
        .unwrap();
        told.extend(page.events.iter().map(|event| match event {
            Event::Raw(line) => format!("{} {}", line.kind, line.text),
            event => format!("{event:?}").chars().take(7).collect(),
        }));
        after = page.last;
        if !page.more {
            break;
        }
    }
    assert_eq!(
        told,
        [
            r#"raw {"type":"new","more":1}"#,
            "Message",
            r#"raw {"type":"other"}"#
        ]
    );
}
