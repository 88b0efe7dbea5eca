//! What is put together of many sessions.

use crate::search::PartFilter;
use crate::sessions::{
    PriceTable, SessionFilter, StatGroup, StatRow, StatSpan, Which, session_stats, sessions_among,
    tool_counts, touched_files,
};

use super::views::query;
use super::world::{World, family, id};

fn stats_of(world: &World, span: StatSpan, group: StatGroup) -> Vec<StatRow> {
    let filter = SessionFilter::default();
    session_stats(world.view(), &filter, span, group, &PriceTable::built_in()).unwrap()
}

#[test]
fn stats_put_together_what_is_asked_for() {
    let world = family();
    let prices = PriceTable::built_in();
    let stats = |group| {
        let filter = SessionFilter::default();
        session_stats(world.view(), &filter, StatSpan::default(), group, &prices).unwrap()
    };
    let days = stats(StatGroup::Day);
    let keys: Vec<&str> = days.iter().map(|row| row.key.as_str()).collect();
    assert_eq!(keys, ["2026-03-01", "2026-03-02"]);
    assert_eq!((days[0].messages, days[0].tool_errors), (2, 1));
    assert_eq!((days[1].messages, days[1].tokens.output), (1, 7));
    assert_eq!(days[1].cost.reported_nanos, 5000);
    let projects = stats(StatGroup::Project);
    assert_eq!(
        projects.iter().map(|row| &*row.key).collect::<Vec<_>>(),
        ["", "app"]
    );
    let agents = stats(StatGroup::Agent);
    assert_eq!(
        (agents.len(), agents[0].messages, agents[0].sessions),
        (1, 3, 1)
    );
    assert_eq!(agents[0].cost.nanos(), 11_255_000);
    let models = stats(StatGroup::Model);
    assert!(
        models
            .iter()
            .any(|row| row.key == "claude-sonnet-4-5" && row.tool_calls == 1)
    );
    let all = (&SessionFilter::default(), StatSpan::default());
    let tools = tool_counts(world.view(), all.0, all.1, 10).unwrap();
    assert_eq!(
        (tools[0].name.as_str(), tools[0].calls, tools[0].errors),
        ("Bash", 1, 1)
    );
    let files = touched_files(world.view(), all.0, all.1, 10).unwrap();
    assert_eq!(
        files.iter().map(|file| file.changes).collect::<Vec<_>>(),
        [0, 1]
    );
}

/// All that rows tell together, but for how many sessions they are of.
fn sum(rows: impl IntoIterator<Item = StatRow>) -> StatRow {
    let mut sum = StatRow::default();
    rows.into_iter().for_each(|row| sum.add(&row));
    StatRow { sessions: 0, ..sum }
}

/// All that a list tells.
fn listed(world: &World) -> StatRow {
    let listed = world.listed(&SessionFilter::default());
    sum(listed.into_iter().map(|listed| StatRow {
        messages: listed.figures.messages,
        prompts: listed.figures.prompts,
        tool_calls: listed.figures.tool_calls,
        tool_errors: listed.figures.tool_errors,
        tokens: listed.figures.tokens,
        cost: listed.figures.cost,
        ..StatRow::default()
    }))
}

#[test]
fn a_subagent_is_part_of_its_session_and_what_it_is_told_is_no_prompt() {
    let mut world = family();
    let helper = |parent: &str| {
        format!(
            r#"{{"session":{{"agent":"plugin","nativeId":"h","parentKind":"subagent","parentSession":"{}"}},
              "messages":[{{"id":"m","role":"user"}}]}}"#,
            id(parent)
        )
    };
    world.log(&[
        (
            "asked",
            r#"{"session":{"agent":"plugin","nativeId":"asked"},"messages":[{"id":"m","role":"user"}]}"#,
        ),
        ("helper", &helper("asked")),
        ("helpers_helper", &helper("helper")),
    ]);
    let agents = stats_of(&world, StatSpan::default(), StatGroup::Agent);
    let row = agents.iter().find(|row| row.key == "plugin").unwrap();
    assert_eq!((row.sessions, row.messages, row.prompts), (1, 3, 1));
    let printed = query(
        &world,
        "SELECT message_count, prompt_count FROM sessions WHERE agent = 'plugin'",
    );
    assert_eq!(printed, ["3 1"]);
    let one = "SELECT message_count, prompt_count FROM sessions WHERE id = 'asked'";
    assert_eq!(query(&world, one), ["3 1"]);
    assert_eq!(sum(agents), listed(&world));
}

#[test]
fn a_model_chooses_whole_sessions_whichever_of_them_used_it() {
    let mut world = family();
    let said =
        r#"{"parts":[{"messageId":"b1","id":"0","kind":"text","order":0,"text":"flowers"}]}"#;
    world.log(&[
        ("child", said),
        ("other", r#"{"session":{"nativeId":"other","model":"y"}}"#),
    ]);
    let prices = PriceTable::built_in();
    for (model, by_itself) in [
        ("x", &["main", "child"][..]),
        ("claude-sonnet-4-5", &["main"]),
    ] {
        let mut filter = SessionFilter {
            model: Some(model),
            ..SessionFilter::default()
        };
        assert_eq!(world.names(&filter), ["main"]);
        let parts = PartFilter {
            model: Some(model),
            ..PartFilter::default()
        };
        assert_eq!(world.found_where("flowers", parts).len(), 2);
        filter.which = Which::All;
        let mut names = world.names(&filter);
        names.sort_by_key(|name| by_itself.iter().position(|it| it == name));
        assert_eq!(names, by_itself);
        let among = sessions_among(world.view(), &filter, &prices).unwrap();
        filter.among = among.as_deref();
        let (span, by) = (StatSpan::default(), StatGroup::Agent);
        let stats = session_stats(world.view(), &filter, span, by, &prices).unwrap();
        assert_eq!(stats.iter().map(|row| row.messages).sum::<u64>(), 3);
    }
}

#[test]
fn what_sessions_report_of_themselves_is_in_the_stats_as_it_is_in_the_list() {
    let mut world = family();
    let child_of_priced = format!(
        r#"{{"session":{{"agent":"plugin","nativeId":"helper","parentKind":"subagent","parentSession":"{}",
            "startedAt":"2026-03-05T09:30:00.000Z","reportedCostNanos":9}},
          "usage":[{{"id":"h","order":1,"at":"2026-03-05T09:30:00.000Z","model":"claude-sonnet-4-5","output":10}}]}}"#,
        id("priced")
    );
    world.log(&[
        // Totals, and nothing else.
        (
            "totals",
            r#"{"session":{"agent":"recorder","nativeId":"totals","model":"m-1","projectName":"app",
                "startedAt":"2026-03-03T09:00:00.000Z","updatedAt":"2026-03-04T09:00:00.000Z",
                "reportedInputTokens":10,"reportedOutputTokens":5,"reportedCostNanos":500000000,
                "reportedMessageCount":4,"reportedToolCallCount":3}}"#,
        ),
        // Of its responses it tells the tokens, of itself the cost: prices make none beside that.
        (
            "priced",
            r#"{"session":{"agent":"plugin","nativeId":"priced","startedAt":"2026-03-05T09:00:00.000Z",
                "reportedInputTokens":99,"reportedCostNanos":700,"reportedMessageCount":9},
              "messages":[{"id":"m","role":"user","at":"2026-03-05T09:00:00.000Z"}],
              "usage":[{"id":"m","order":1,"at":"2026-03-05T09:00:00.000Z","model":"claude-sonnet-4-5","input":20}]}"#,
        ),
        ("helper", &child_of_priced),
    ]);
    let whole = StatSpan::default();
    for group in [
        StatGroup::Day,
        StatGroup::Project,
        StatGroup::Model,
        StatGroup::Agent,
    ] {
        let rows = stats_of(&world, whole, group);
        assert_eq!(sum(rows), listed(&world), "{group:?}");
    }
    let agents = stats_of(&world, whole, StatGroup::Agent);
    let of = |key: &str| agents.iter().find(|row| row.key == key).unwrap();
    assert_eq!((of("recorder").sessions, of("recorder").messages), (1, 4));
    assert_eq!(of("plugin").cost.nanos(), 700);
    // What is told of a session as a whole counts on the day that it last told of itself.
    let days = stats_of(&world, whole, StatGroup::Day);
    let day = days.iter().find(|row| row.key == "2026-03-04").unwrap();
    assert_eq!(
        (day.sessions, day.tokens.input, day.cost.nanos()),
        (1, 10, 500_000_000)
    );
    let span = StatSpan {
        since: Some("2026-03-04T10:00:00.000Z".parse().unwrap()),
        ..whole
    };
    let since = stats_of(&world, span, StatGroup::Agent);
    let keys: Vec<&str> = since.iter().map(|row| &*row.key).collect();
    assert_eq!(keys, ["plugin"]);
}

#[test]
fn a_tool_call_that_is_told_when_it_ended_counts_on_that_day() {
    let mut world = World::new();
    world.log(&[(
        "s",
        r#"{"tools":[{"id":"t","name":"Read","completedAt":"2026-03-03T09:00:00.000Z",
            "files":[{"path":"a","action":"read"}]}]}"#,
    )]);
    let days = stats_of(&world, StatSpan::default(), StatGroup::Day);
    assert_eq!(
        (days.len(), &*days[0].key, days[0].tool_calls),
        (1, "2026-03-03", 1)
    );
    let span = StatSpan {
        since: Some("2026-03-03T00:00:00.000Z".parse().unwrap()),
        ..StatSpan::default()
    };
    let filter = SessionFilter::default();
    assert_eq!(
        tool_counts(world.view(), &filter, span, 9).unwrap().len(),
        1
    );
    assert_eq!(
        touched_files(world.view(), &filter, span, 9).unwrap().len(),
        1
    );
}
