//! Sessions in a real tenant file.

mod once;
mod raw;
mod stats;
mod views;
mod world;

use super::*;
use crate::search::PartFilter;
use world::{CHILD, World, family, id};

#[test]
fn a_list_shows_whole_sessions_with_their_subagents_figures() {
    let world = family();
    let listed = world.listed(&SessionFilter::default());
    assert_eq!(listed.len(), 1);
    let figures = listed[0].figures;
    assert_eq!(
        (figures.messages, figures.prompts, figures.subagents),
        (3, 1, 1)
    );
    assert_eq!(
        (figures.tool_calls, figures.tool_errors, figures.errors),
        (1, 1, 1)
    );
    assert_eq!(
        (figures.tokens.output, figures.tokens.cache_write_5m),
        (107, 1000)
    );
    let computed = 3_000_000 + 1_500_000 + 3_000_000 + 3_750_000;
    assert_eq!(figures.cost.computed_nanos, computed);
    assert_eq!(figures.cost.reported_nanos, 5000);
    assert_eq!(figures.cost.source(), Some(CostSource::Mixed));
    let all = SessionFilter {
        which: Which::All,
        ..SessionFilter::default()
    };
    assert_eq!(world.names(&all), ["main", "child"]);
    let children = subagents(world.view(), id("main")).unwrap();
    assert_eq!(children.len(), 1);
}

#[test]
fn a_subagent_whose_parent_is_not_known_is_a_session() {
    let mut world = World::new();
    let parent = format!(r#"{{"session":{{"parentSession":"{}"}}}}"#, id("main"));
    world.log(&[("child", CHILD), ("child", &parent)]);
    assert_eq!(world.names(&SessionFilter::default()), ["child"]);
}

#[test]
fn figures_that_the_agent_reports_stand_where_nothing_else_is_known() {
    let mut world = World::new();
    world.log(&[(
        "old",
        r#"{"session":{"nativeId":"old","reportedInputTokens":10,"reportedOutputTokens":5,
            "reportedCostNanos":77,"reportedMessageCount":4}}"#,
    )]);
    let figures = world.listed(&SessionFilter::default())[0].figures;
    assert_eq!(
        (
            figures.messages,
            figures.tokens.input,
            figures.tokens.output
        ),
        (4, 10, 5)
    );
    assert_eq!(figures.cost.source(), Some(CostSource::Reported));
}

#[test]
fn a_cost_that_the_agent_reports_stands_unless_its_responses_have_their_own() {
    let session = r#""session":{"nativeId":"s","reportedCostNanos":77}"#;
    let response = |cost: &str| {
        format!(
            r#"{{{session},"usage":[{{"id":"r","order":1,"model":"claude-sonnet-4-5","input":9{cost}}}]}}"#
        )
    };
    for (cost, nanos) in [("", 77), (r#","costNanos":5"#, 5)] {
        let mut world = World::new();
        world.log(&[("s", &response(cost))]);
        let figures = world.listed(&SessionFilter::default())[0].figures;
        assert_eq!(figures.tokens.input, 9);
        assert_eq!(figures.cost.nanos(), nanos, "{cost}");
        assert_eq!(figures.cost.source(), Some(CostSource::Reported));
        let of_view = views::query(
            &world,
            "SELECT round(cost * 1e9), cost_source FROM sessions",
        );
        assert_eq!(of_view, [format!("{nanos}.000000 reported")]);
    }
}

#[test]
fn a_search_is_narrowed_by_what_the_whole_session_came_to() {
    let mut world = family();
    let said = r#""parts":[{"messageId":"m","id":"0","kind":"text","order":0,"text":"flowers"}]"#;
    world.log(&[
        ("child", &format!("{{{said}}}")),
        (
            "other",
            &format!(r#"{{"session":{{"nativeId":"other"}},{said}}}"#),
        ),
    ]);
    let count = |has_error, cost_nanos_min| {
        let filter = PartFilter {
            has_error,
            cost_nanos_min,
            ..PartFilter::default()
        };
        world.found_where("flowers", filter).len()
    };
    assert_eq!(count(None, None), 3);
    assert_eq!(
        count(Some(true), None),
        2,
        "a subagent's with its session's"
    );
    assert_eq!(count(Some(false), None), 1);
    assert_eq!(count(None, Some(11_000_000)), 2);
    assert_eq!(count(None, Some(12_000_000)), 0);
    assert_eq!(count(Some(false), Some(1)), 0);
}

#[test]
fn filters_pass_what_they_name() {
    let mut world = family();
    world.log(&[(
        "other",
        r#"{"session":{"agent":"codex","nativeId":"other","machine":"lap","gitBranch":"dev",
            "updatedAt":"2026-04-01T00:00:00Z"}}"#,
    )]);
    let day = |text: &str| text.parse().ok();
    type Narrow<'a> = &'a dyn Fn(&mut SessionFilter<'static>);
    let cases: [(Narrow<'_>, &[&str]); 13] = [
        (&|_| (), &["other", "main"]),
        (&|f| f.agent = Some("codex"), &["other"]),
        (&|f| f.project = Some("/w/app"), &["main"]),
        (&|f| f.project = Some("app"), &["main"]),
        (&|f| f.machine = Some("lap"), &["other"]),
        (&|f| f.branch = Some("dev"), &["other"]),
        (&|f| f.model = Some("claude-sonnet-4-5"), &["main"]),
        (&|f| f.since = day("2026-03-15T00:00:00Z"), &["other"]),
        (&|f| f.until = day("2026-03-15T00:00:00Z"), &["main"]),
        (&|f| f.has_error = Some(true), &["main"]),
        (&|f| f.has_error = Some(false), &["other"]),
        (&|f| f.cost_nanos_min = Some(11_000_000), &["main"]),
        (&|f| f.cost_nanos_min = Some(12_000_000), &[]),
    ];
    for (narrow, names) in cases {
        let mut filter = SessionFilter::default();
        narrow(&mut filter);
        assert_eq!(world.names(&filter), names, "{filter:?}");
    }
}

#[test]
fn all_that_was_said_and_done_is_found() {
    let world = family();
    for (text, owner, kind) in [
        ("flowers", "message", "text"),
        ("gardener", "message", "thinking"),
        ("cargo test", "tool", "tool_input"),
        ("compilation", "tool", "tool_output"),
        ("login", "title", "title"),
        ("overloaded", "error", "error"),
        ("101", "tool_error", "tool_error"),
        ("planted", "compaction", "compaction"),
    ] {
        let hits = world.found(text);
        assert_eq!(hits.len(), 1, "{text}");
        assert_eq!((&*hits[0].owner, &*hits[0].kind), (owner, kind), "{text}");
        assert_eq!(hits[0].session_id, id("main"));
        assert!(hits[0].snippet.contains(text.split(' ').next().unwrap()));
    }
    let here = PartFilter {
        agent: Some("claude-code"),
        kind: Some("text"),
        ..PartFilter::default()
    };
    assert_eq!(world.found_where("flowers", here).len(), 1);
    let elsewhere = PartFilter {
        agent: Some("codex"),
        ..PartFilter::default()
    };
    assert_eq!(world.found_where("flowers", elsewhere), []);
    for (model, hits) in [("claude-sonnet-4-5", 1), ("gpt-5", 0)] {
        let model = PartFilter {
            model: Some(model),
            ..PartFilter::default()
        };
        assert_eq!(world.found_where("flowers", model).len(), hits);
    }
}

#[test]
fn a_text_that_is_written_again_is_found_by_its_new_words_alone() {
    let said = |text: &str| {
        format!(
            r#"{{"parts":[{{"messageId":"m","id":"0","kind":"text","order":0,"text":"{text}"}}]}}"#
        )
    };
    let mut world = World::new();
    world.log(&[
        ("s", &said("one")),
        ("s", &said("two")),
        ("s", &said("three")),
    ]);
    assert!(world.found("one").is_empty() && world.found("two").is_empty());
    assert_eq!(world.found("three").len(), 1);
    world.pend("s", &said("four"));
    assert!(world.found("three").is_empty());
    assert_eq!(world.found("four").len(), 1);
    // The log tells more of the session: what is pending stays on top.
    world.log(&[("s", r#"{"session":{"title":"five"}}"#)]);
    assert_eq!(world.found("four").len(), 1);
    assert_eq!(world.found("five").len(), 1);
}

#[test]
fn a_deleted_session_is_nowhere() {
    let mut world = family();
    let delete = world.op(
        id("main"),
        r#"{"type":"delete","at":"2026-03-03T00:00:00Z"}"#,
    );
    world.append(&[delete]);
    assert!(world.found("flowers").is_empty());
    assert_eq!(world.names(&SessionFilter::default()), ["child"]);
    assert_eq!(session(world.view(), id("main")).unwrap(), None);
    assert!(is_known(world.view(), id("main")).unwrap());
}

#[test]
fn a_session_is_read_in_order_page_by_page() {
    let world = family();
    let page = read_events(world.view(), id("main"), None, 100, &PriceTable::built_in()).unwrap();
    assert!(!page.more);
    let names: Vec<String> = page
        .events
        .iter()
        .map(|event| match event {
            Event::Message(message) => {
                let texts = message.parts.iter().map(|part| part.text.as_str());
                format!("{}: {}", message.id, texts.collect::<Vec<_>>().join("|"))
            }
            Event::Tool(tool) => format!("{}: {} {:?}", tool.id, tool.parts.len(), tool.files),
            Event::Error(error) => error.id.clone(),
            Event::Compaction(compaction) => compaction.id.clone(),
            Event::Raw(line) => line.id.clone(),
            Event::Usage(usage) => usage.id.clone(),
        })
        .collect();
    assert_eq!(
        names,
        [
            "u1: please mend the flowers",
            "a1: the gardener knows|I will call getUserName",
            "r1",
            r#"t1: 2 [("src/a.rs", "edit"), ("b", "read")]"#,
            "e1",
            "c1",
        ]
    );
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = read_events(
            world.view(),
            id("main"),
            after.as_ref(),
            2,
            &PriceTable::built_in(),
        )
        .unwrap();
        paged.extend(page.events);
        after = page.last.or(after);
        let cursor = after.clone().unwrap();
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        if !page.more {
            break;
        }
    }
    assert_eq!(paged, page.events);
}

#[test]
fn what_is_kept_is_as_old_as_the_first_time_that_a_session_tells() {
    let mut world = World::new();
    let oldest = |world: &World| archived(world.view()).unwrap()[0].oldest;
    world.log(&[("s", r#"{"session":{"agent":"codex","nativeId":"s"}}"#)]);
    assert_eq!(oldest(&world), None);
    let told = r#"{"session":{"agent":"codex","updatedAt":"2026-03-01T00:00:00Z"}}"#;
    world.log(&[("t", told)]);
    assert_eq!(oldest(&world), "2026-03-01T00:00:00Z".parse().ok());
}

#[test]
fn references_name_sessions_by_ids_and_their_beginnings() {
    let world = family();
    let found =
        |reference: &str, agent| match resolve_session(world.view(), reference, agent).unwrap() {
            ResolvedSession::Found(session) => session.native_id,
            ResolvedSession::Ambiguous(some) => Some(format!("{} of them", some.len())),
            ResolvedSession::Unknown => None,
        };
    assert_eq!(found("main", None).as_deref(), Some("main"));
    assert_eq!(found("ch", None).as_deref(), Some("child"));
    assert_eq!(
        found(&id("main").to_string(), None).as_deref(),
        Some("main")
    );
    assert_eq!(found("main", Some("codex")), None);
    let whole = id("child").to_string();
    assert_eq!(found(&whole[28..], None).as_deref(), Some("child"));
    assert_eq!(found("hild", None).as_deref(), Some("child"));
    assert_eq!(found("ild", None), None);
    assert_eq!(found("", None), None);
}

#[test]
fn copies_are_told_from_their_originals() {
    let mut world = World::new();
    let copied = format!(
        r#"{{"messages":[{{"id":"m","copiedFrom":"{}"}}]}}"#,
        id("original")
    );
    world.log(&[
        ("fork", copied.as_str()),
        ("original", r#"{"messages":[{"id":"m","role":"user"}]}"#),
    ]);
    let origin = |name, message| origin_of_message(world.view(), id(name), message).unwrap();
    assert_eq!(origin("fork", "m"), Some(Some(id("original"))));
    assert_eq!(origin("original", "m"), Some(None));
    assert_eq!(origin("original", "n"), None);
}

#[test]
fn links_stand_until_they_are_taken_off() {
    let link = |target: &str, present: bool| {
        format!(r#"{{"links":[{{"kind":"thread","target":"{target}","present":{present}}}]}}"#)
    };
    let mut world = World::new();
    world.log(&[
        ("s", &link("one", true)),
        ("s", &link("two", true)),
        ("s", &link("one", false)),
    ]);
    let links = session_links(world.view(), id("s")).unwrap();
    let targets: Vec<&str> = links.iter().map(|link| link.target.as_str()).collect();
    assert_eq!(targets, ["two"]);
    assert_eq!(session_ids(world.view()).unwrap(), [id("s")]);
}
