//! What is told of a thing in two ways is found, and counts, once.

use super::views::query;
use super::*;

#[test]
fn an_error_that_the_output_tells_is_found_once_whichever_came_first() {
    let error = r#"{"tools":[{"id":"t","success":false,"error":"no such crate"}]}"#;
    let said = |text: &str| {
        format!(
            r#"{{"parts":[{{"toolId":"t","id":"tool_output","kind":"tool_output","order":0,"text":"{text}"}}]}}"#
        )
    };
    let output = said("no such crate: serde");
    let errors = PartFilter {
        kind: Some("tool_error"),
        ..PartFilter::default()
    };
    for told in [[error, &output], [&output, error]] {
        let mut world = World::new();
        world.log(&[("s", told[0]), ("s", told[1])]);
        let hits = world.found("crate");
        assert_eq!(hits.len(), 1, "{told:?}");
        assert_eq!((&*hits[0].owner, &*hits[0].kind), ("tool", "tool_output"));
        assert_eq!(world.found_where("crate", errors).len(), 1);
        // Once the output tells something else, the error is found by itself.
        world.log(&[("s", &said("a crate of another"))]);
        let kinds: Vec<String> = world
            .found("crate")
            .into_iter()
            .map(|hit| hit.kind)
            .collect();
        assert_eq!(kinds.len(), 2, "{kinds:?}");
        assert_eq!(world.found_where("crate", errors).len(), 1);
        // Another error, of which the output says nothing, is found beside it too.
        world.log(&[("s", r#"{"tools":[{"id":"t","error":"no crate left"}]}"#)]);
        world.log(&[("s", &output)]);
        assert_eq!(world.found("crate").len(), 2);
        assert_eq!(world.found_where("serde", errors), []);
    }
}

#[test]
fn what_each_response_has_used_is_told_once_and_amounts_to_the_whole() {
    let used = r#"{"session":{"agent":"codex","nativeId":"s"},
        "messages":[{"id":"m","role":"assistant","responseId":"r1","model":"gpt-5"}],
        "usage":[{"id":"r1","order":7,"model":"claude-sonnet-4-5","input":100,"output":20,"cacheRead":3},
                 {"id":"r2","order":9,"model":"nobody's","input":4,"cacheWrite1h":5,"reasoning":1}]}"#;
    let mut world = World::new();
    world.log(&[("s", used)]);
    let prices = PriceTable::built_in();
    let page = read_events(world.view(), id("s"), None, 10, &prices).unwrap();
    let used: Vec<&SessionUsage> = page
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Message(message) => message.usage.as_ref(),
            Event::Usage(usage) => Some(usage),
            _ => None,
        })
        .collect();
    assert_eq!(
        used.iter().map(|used| &*used.id).collect::<Vec<_>>(),
        ["r1", "r2"]
    );
    let mut whole = Tokens::default();
    used.iter().for_each(|used| whole.add(&used.tokens));
    let figures = figures(world.view(), id("s"), &prices).unwrap();
    assert_eq!(whole, figures.tokens);
    assert_eq!(
        used[0].cost,
        Cost {
            unpriced: 0,
            ..figures.cost
        }
    );
    assert_eq!((used[1].cost.nanos(), used[1].cost.unpriced), (0, 1));
}

#[test]
fn what_a_fork_repeats_is_shown_by_its_origin_and_by_the_fork_when_that_has_gone() {
    let mut world = World::new();
    let said = |copied: &str| {
        format!(
            r#"{{"session":{{"agent":"a"}},
              "messages":[{{"id":"m","role":"user","order":1{copied}}}],
              "tools":[{{"id":"t","name":"Bash","order":2{copied}}}],
              "parts":[{{"messageId":"m","id":"0","kind":"text","order":1,"text":"hello"}}]}}"#
        )
    };
    let copied = format!(r#","copiedFrom":"{}""#, id("origin"));
    world.log(&[("origin", &said("")), ("fork", &said(&copied))]);
    let shown = |world: &World| {
        ["messages WHERE text_content = 'hello'", "tools", "parts"]
            .map(|rows| query(world, &format!("SELECT DISTINCT session_id FROM {rows}")))
    };
    let all = |name: &str| [(); 3].map(|()| vec![id(name).to_string()]);
    assert_eq!(shown(&world), all("origin"));
    let delete = r#"{"type":"delete","at":"2026-03-02T00:00:00.000Z"}"#;
    let delete = world.op(id("origin"), delete);
    world.append(&[delete]);
    assert_eq!(shown(&world), all("fork"));
    assert_eq!(world.found("hello").len(), 1);
    assert_eq!(query(&world, "SELECT message_count FROM sessions"), ["0"]);
}
