//! The views that queries of a person read.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::types::Value;
use syncline_model::session::TEXT_CHARS_MAX;

use super::world::{World, family, id};
use crate::sessions::PriceTable;
use crate::sql::views::sessions::{COMPACTION_EVENTS, MESSAGES, SESSION_ERRORS, SESSIONS, TOOLS};
use crate::sql::{SqlEnd, SqlError, SqlReader, SqlRows, SqlValue};

#[derive(Default)]
struct Printed(Vec<String>);

impl SqlRows for Printed {
    type Error = Infallible;

    fn columns(&mut self, _: &[&str]) -> Result<(), Infallible> {
        Ok(())
    }

    fn row(&mut self, values: &[SqlValue<'_>]) -> Result<ControlFlow<()>, Infallible> {
        let values = values.iter().map(|value| match value {
            SqlValue::Null => "null".to_owned(),
            SqlValue::Integer(number) => number.to_string(),
            SqlValue::Real(number) => format!("{number:.6}"),
            SqlValue::Text(text) => text.to_string(),
            SqlValue::Blob(_) => "blob".to_owned(),
        });
        self.0.push(values.collect::<Vec<_>>().join(" "));
        Ok(ControlFlow::Continue(()))
    }
}

pub(super) fn query(world: &World, sql: &str) -> Vec<String> {
    let mut reader = SqlReader::open(&world.path(), &PriceTable::built_in()).unwrap();
    let mut printed = Printed::default();
    let end = reader.run(sql, None, || false, &mut printed);
    assert_eq!(
        end.unwrap_or_else(|error| panic!("{sql}: {error}")),
        SqlEnd::Whole
    );
    printed.0
}

#[test]
fn a_session_stands_for_its_subagents_too() {
    let world = family();
    assert_eq!(
        query(
            &world,
            "SELECT id, agent, message_count, tool_call_count, input_tokens, output_tokens, \
             cache_read_tokens, cache_write_tokens, prompt_tokens, cost, cost_source, \
             subagent_count, parent_id, started_at FROM sessions"
        ),
        ["main claude-code 3 1 1000 107 10000 1000 12000 0.011255 mixed 1 null 1772359200000"]
    );
    assert_eq!(
        query(
            &world,
            "SELECT id, session_id, subagent FROM messages ORDER BY id"
        ),
        ["a1 main null", "b1 main child", "u1 main null"]
    );
    assert_eq!(
        query(
            &world,
            "SELECT m.text_content FROM sessions s JOIN messages m ON m.session_id = s.id \
             WHERE s.title LIKE '%login%' AND m.role = 'user'"
        ),
        ["please mend the flowers"]
    );
    assert_eq!(
        query(
            &world,
            "SELECT session_id, tool_name, tool_input, tool_output, file_path, success, \
             error_message FROM tools"
        ),
        [r#"main Bash {"command":"cargo test"} compilation went wrong src/a.rs 0 exit 101"#]
    );
    assert_eq!(
        query(
            &world,
            "SELECT session_id, error_type, error_message FROM session_errors"
        ),
        ["main api overloaded"]
    );
    assert_eq!(
        query(
            &world,
            "SELECT session_id, cause, summary FROM compaction_events"
        ),
        ["main auto what was planted"]
    );
}

#[test]
fn views_are_joined_by_the_names_that_they_share() {
    let world = family();
    for join in [
        "JOIN messages m ON m.session_id = s.id",
        "JOIN messages m ON m.session_id = s.session_id",
        "JOIN messages m USING (session_id)",
        "JOIN messages m USING (session_id, agent)",
    ] {
        let sql = format!(
            "SELECT m.id FROM sessions s {join} WHERE s.title LIKE '%login%' ORDER BY m.id"
        );
        assert_eq!(query(&world, &sql), ["a1", "b1", "u1"], "{join}");
    }
    assert_eq!(
        query(
            &world,
            "SELECT m.role, t.tool_name FROM tools t \
             JOIN messages m ON m.id = t.message_id AND m.session_id = t.session_id"
        ),
        ["assistant Bash"]
    );
    let resource = format!("{} main", id("main"));
    assert_eq!(
        query(&world, "SELECT resource_id, session_id FROM sessions"),
        [resource]
    );
}

#[test]
fn what_a_message_says_before_and_after_a_call_stands_around_it() {
    let long = "x".repeat(TEXT_CHARS_MAX);
    let said = format!(
        r#"{{"session":{{"agent":"codex","nativeId":"s"}},
        "messages":[{{"id":"m","role":"assistant","order":10}}],
        "tools":[{{"id":"t","messageId":"m","name":"Bash","order":12}}],
        "parts":[
            {{"messageId":"m","id":"b","kind":"text","order":14,"text":"done"}},
            {{"toolId":"t","id":"tool_input","kind":"tool_input","order":12,"text":"ls"}},
            {{"toolId":"t","id":"tool_output","kind":"tool_output","order":13,"text":"a.rs"}},
            {{"messageId":"m","id":"a","kind":"text","order":11,"text":"{long}"}},
            {{"messageId":"m","id":"a+1","kind":"text","order":12,"text":"y","continues":true}},
            {{"messageId":"m","id":"c","kind":"text","order":15,"text":"gone","removed":true}}]}}"#
    );
    let mut world = World::new();
    world.log(&[("s", &said)]);
    let of_message = "SELECT kind, substr(text, -4), tool_id, session_id FROM parts \
         WHERE message_id = 'm' ORDER BY position";
    assert_eq!(
        query(&world, of_message),
        [
            "text xxxy null s",
            "tool_input ls t s",
            "tool_output a.rs t s",
            "text done null s"
        ]
    );
    let lengths = "SELECT length(text) FROM parts WHERE id = 'a'";
    assert_eq!(query(&world, lengths), [(TEXT_CHARS_MAX + 1).to_string()]);
    let all = "SELECT count(*) FROM parts JOIN sessions USING (session_id)";
    assert_eq!(query(&world, all), ["4"]);
}

#[test]
fn counts_are_zero_where_nothing_is_known_and_the_agents_own_where_it_reports_them() {
    let mut world = World::new();
    world.log(&[
        ("bare", r#"{"session":{"nativeId":"bare"}}"#),
        ("old", r#"{"session":{"nativeId":"old","reportedInputTokens":10,"reportedCostNanos":2000000000}}"#),
    ]);
    assert_eq!(
        query(
            &world,
            "SELECT id, message_count, tool_call_count, input_tokens, output_tokens, \
             cache_read_tokens, cache_write_tokens, cost, cost_source FROM sessions ORDER BY id"
        ),
        [
            "bare 0 0 0 0 0 0 null null",
            "old 0 0 10 0 0 0 2.000000 reported"
        ]
    );
}

#[test]
fn subagents_that_are_each_others_are_no_endless_search() {
    let mut world = World::new();
    let child_of = |name: &str| {
        format!(
            r#"{{"session":{{"parentKind":"subagent","parentSession":"{}"}},"messages":[{{"id":"m{name}","role":"user"}}]}}"#,
            id(name)
        )
    };
    world.log(&[
        ("a", &child_of("b")),
        ("b", &child_of("a")),
        ("c", &child_of("c")),
    ]);
    assert_eq!(query(&world, "SELECT count(*) FROM messages"), ["3"]);
    assert_eq!(
        query(&world, "SELECT count(*), sum(message_count) FROM sessions"),
        ["1 1"]
    );
}

#[test]
fn figures_of_one_session_are_found_by_the_indexes_that_are_there() {
    let world = family();
    for view in [&SESSIONS, &MESSAGES, &TOOLS] {
        let select = view.select().replace("{secret}", "one");
        PriceTable::built_in().register(world.view()).unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {select}");
        let mut statement = world.view().prepare(&sql).unwrap();
        let plan = statement.query_map([], |row| row.get::<_, String>(3));
        let plan: Vec<String> = plan.unwrap().map(Result::unwrap).collect();
        let is_built = |step: &String| step.contains("AUTOMATIC");
        assert!(!plan.iter().any(is_built), "{}:\n{plan:#?}", view.name);
    }
}

#[test]
fn a_view_shows_one_session_as_it_shows_all() {
    let mut world = family();
    world.log(&[(
        "grandchild",
        &format!(
            r#"{{"session":{{"nativeId":"grandchild","parentKind":"subagent","parentSession":"{}"}},
                "messages":[{{"id":"g1","role":"user"}}],
                "usage":[{{"id":"r","order":1,"model":"claude-sonnet-4-5","output":9}}]}}"#,
            id("child")
        ),
    )]);
    PriceTable::built_in().register(world.view()).unwrap();
    let count: usize = [SESSIONS, MESSAGES, TOOLS, SESSION_ERRORS, COMPACTION_EVENTS]
        .map(|view| {
            let rows = |select: &str| {
                let sql = select.replace("{secret}", "it");
                let mut statement = world.view().prepare(&sql).unwrap();
                let width = statement.column_count();
                let cells =
                    |row: &rusqlite::Row<'_>| (0..width).map(|n| row.get::<_, Value>(n)).collect();
                let rows = statement.query_map([], cells).unwrap();
                let rows: Result<Vec<Vec<Value>>, _> = rows.collect();
                let mut rows: Vec<_> = rows.unwrap().iter().map(|r| format!("{r:?}")).collect();
                rows.sort();
                rows
            };
            assert_eq!(rows(view.select()), rows(view.select_all()));
            rows(view.select()).len()
        })
        .into_iter()
        .sum();
    assert_eq!(count, 1 + 4 + 1 + 1 + 1);
}

#[test]
fn views_are_joined_without_asking_of_each_row_what_is_asked_of_a_session() {
    const SESSIONS: usize = 60;
    const MESSAGES: usize = 50;
    let mut world = World::new();
    let messages: Vec<String> = (0..MESSAGES)
        .map(|n| format!(r#"{{"id":"m{n}","role":"user","order":{n}}}"#))
        .collect();
    for n in 0..SESSIONS {
        // A third are subagents.
        let parent = match n % 3 {
            2 => format!(
                r#","parentKind":"subagent","parentSession":"{}""#,
                id(&format!("s{}", n - 1))
            ),
            _ => String::new(),
        };
        let patch = format!(
            r#"{{"session":{{"nativeId":"s{n}"{parent}}},"messages":[{}]}}"#,
            messages.join(",")
        );
        world.log(&[(&format!("s{n}"), &patch)]);
    }
    let mut reader = SqlReader::open(&world.path(), &PriceTable::built_in()).unwrap();
    for sql in [
        "SELECT count(*) FROM messages m JOIN sessions s ON m.session_id = s.id",
        "SELECT sum(n) FROM (SELECT s.id, s.cost, count(*) AS n FROM sessions s \
         LEFT JOIN messages m ON s.id = m.session_id GROUP BY s.id)",
        "SELECT count(*) FROM messages WHERE session_id IN (SELECT id FROM sessions)",
    ] {
        let looks = Arc::new(AtomicU64::new(0));
        let looked = Arc::clone(&looks);
        let is_up = move || {
            looked.fetch_add(1, Ordering::Relaxed);
            false
        };
        let mut printed = Printed::default();
        reader.run(sql, None, is_up, &mut printed).unwrap();
        assert_eq!(printed.0, [(SESSIONS * MESSAGES).to_string()]);
        // A look is a thousand steps of SQLite's: a few hundred for each message would be too many.
        let looks = looks.load(Ordering::Relaxed);
        assert!(looks <= 600, "{sql}: {looks} looks");
    }
}

#[test]
fn the_source_of_a_session_is_its_agent_and_where_it_ran_is_its_channel() {
    let mut world = World::new();
    world.log(&[(
        "s",
        r#"{"session":{"nativeId":"s","agent":"codex","source":"vscode"},"messages":[{"id":"m","role":"user"}]}"#,
    )]);
    for view in ["sessions", "messages"] {
        let sql = format!("SELECT source, channel FROM {view}");
        assert_eq!(query(&world, &sql), ["codex vscode"], "{view}");
    }
}

#[test]
fn a_message_has_the_tokens_of_its_response_by_an_id_of_its_own_or_the_messages() {
    let mut world = World::new();
    world.log(&[(
        "s",
        r#"{"messages":[{"id":"same","role":"assistant","order":1},
              {"id":"apart","role":"assistant","responseId":"r","order":2},
              {"id":"none","role":"user","order":3}],
          "usage":[{"id":"same","order":1,"input":10,"cacheRead":5,"output":2},
              {"id":"r","order":2,"input":20,"output":3}]}"#,
    )]);
    assert_eq!(
        query(
            &world,
            "SELECT id, prompt_tokens, completion_tokens, input_tokens, cache_read_tokens \
             FROM messages ORDER BY position"
        ),
        [
            "same 15 2 10 5",
            "apart 20 3 20 0",
            "none null null null null"
        ]
    );
}

#[test]
fn what_an_explanation_tells_of_a_view_opens_nothing() {
    let world = family();
    let mut reader = SqlReader::open(&world.path(), &PriceTable::built_in()).unwrap();
    let mut run = |sql: &str| {
        let mut printed = Printed::default();
        reader
            .run(sql, None, || false, &mut printed)
            .map(|_| printed.0.join("\n"))
    };
    let plan = run("EXPLAIN QUERY PLAN SELECT sum(cost) FROM sessions").unwrap();
    let name = plan.split_whitespace().find(|word| word.starts_with("v_"));
    let name = name.expect("the plan names the views' lower halves");
    for name in [name.to_owned(), name.to_lowercase()] {
        let forged = format!("WITH {name} AS (SELECT * FROM main.state) SELECT * FROM {name}");
        assert!(
            matches!(run(&forged), Err(SqlError::Refused { .. })),
            "{forged}"
        );
    }
}

#[test]
fn texts_of_a_message_stand_apart_and_pieces_of_one_do_not() {
    let mut world = World::new();
    world.log(&[(
        "s",
        r#"{"session":{"agent":"claude-code","nativeId":"s"},
          "messages":[{"id":"m","role":"user","order":1},{"id":"n","role":"user","order":9}],
          "parts":[{"messageId":"m","id":"0","kind":"text","order":1,"text":"part A"},
            {"messageId":"m","id":"1","kind":"text","order":2,"text":"part "},
            {"messageId":"m","id":"1+1","kind":"text","order":3,"text":"B","continues":true}]}"#,
    )]);
    let told = query(&world, "SELECT text_content FROM messages ORDER BY id");
    assert_eq!(told, ["part A\n\npart B", "null"]);
}

#[test]
fn a_compaction_has_the_summary_that_was_said_after_it() {
    let mut world = World::new();
    world.log(&[(
        "s",
        r#"{"session":{"nativeId":"s"},
            "compactions":[{"id":"c1","order":1},{"id":"c2","order":5,"summary":"told"}],
            "messages":[{"id":"m1","role":"user","kind":"summary","parentId":"c1","order":2},
                {"id":"m2","role":"user","parentId":"c1","order":3},
                {"id":"m3","role":"user","kind":"summary","parentId":"c2","order":6}],
            "parts":[{"messageId":"m1","id":"0","kind":"text","order":0,"text":"in short: "},
                {"messageId":"m1","id":"0+1","kind":"text","order":1,"text":"flowers","continues":true},
                {"messageId":"m2","id":"0","kind":"text","order":0,"text":"go on"},
                {"messageId":"m3","id":"0","kind":"text","order":0,"text":"else"}]}"#,
    )]);
    for beneath in ["", " WHERE session_id = 's'"] {
        let sql = format!("SELECT id, summary FROM compaction_events{beneath} ORDER BY id");
        assert_eq!(query(&world, &sql), ["c1 in short: flowers", "c2 told"]);
    }
}
