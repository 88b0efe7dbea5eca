//! The other agents.

use rusqlite::Connection;
use syncline_capture::agent::Agent;

use crate::place::{Done, Figures, Place};

/// Imports twice: the second time has nothing to write, neither of what is there nor of a copy.
pub(crate) fn twice(place: &mut Place, agent: Agent) -> Done {
    let done = place.import_files(agent);
    assert_eq!(done.problems, []);
    assert_eq!(place.import_files(agent).ops, 0);
    done
}

pub(crate) fn figures(place: &mut Place, session: &str) -> Figures {
    place.figures().remove(session).unwrap()
}

pub(crate) const CODEX: &str = r#"{"timestamp":"2026-05-01T10:00:00.000Z","type":"session_meta","payload":{"id":"c1","cwd":"/w/app","cli_version":"0.135.0","source":"cli","model_provider":"openai","git":{"branch":"main","commit_hash":"abc"}}}
{"timestamp":"2026-05-01T10:00:01.000Z","type":"turn_context","payload":{"cwd":"/w/app","model":"gpt-x"}}
{"timestamp":"2026-05-01T10:00:01.100Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"<environment_context>..</environment_context>"}]}}
{"timestamp":"2026-05-01T10:00:01.200Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"fix it"}]}}
{"timestamp":"2026-05-01T10:00:01.200Z","type":"event_msg","payload":{"type":"user_message","message":"fix it"}}
{"timestamp":"2026-05-01T10:00:02.000Z","type":"response_item","payload":{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"x"}}
{"timestamp":"2026-05-01T10:00:02.100Z","type":"response_item","payload":{"type":"custom_tool_call","name":"apply_patch","call_id":"k1","status":"completed","input":"*** Begin Patch\n*** Update File: src/a.rs\n@@\n-a\n+b\n*** End Patch"}}
{"timestamp":"2026-05-01T10:00:02.200Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":1500,"cached_input_tokens":900,"output_tokens":80,"reasoning_output_tokens":30,"total_tokens":1580}}}}
{"timestamp":"2026-05-01T10:00:02.250Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":1500,"cached_input_tokens":900,"output_tokens":80,"reasoning_output_tokens":30,"total_tokens":1580}}}}
{"timestamp":"2026-05-01T10:00:03.100Z","type":"response_item","payload":{"type":"custom_tool_call_output","call_id":"k1","output":"{\"output\":\"Success\",\"metadata\":{\"exit_code\":0}}"}}
{"timestamp":"2026-05-01T10:00:04.000Z","type":"event_msg","payload":{"type":"agent_message","message":"Fixed."}}
{"timestamp":"2026-05-01T10:00:04.000Z","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Fixed."}]}}
{"timestamp":"2026-05-01T10:00:05.000Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":2500,"cached_input_tokens":1500,"output_tokens":100,"reasoning_output_tokens":30,"total_tokens":2600}}}}
"#;

#[test]
fn codex_counts_what_its_totals_grow_by() {
    let mut place = Place::new();
    place.write("2026/05/01/rollout-a-c1.jsonl", CODEX);
    twice(&mut place, Agent::Codex);
    let expected = Figures {
        messages: 3,
        prompts: 1,
        tools: 1,
        failed: 0,
        tokens: [1000, 100, 1500, 0, 0, 30],
    };
    assert_eq!(figures(&mut place, "c1"), expected);
    assert_eq!(
        place.rows("answered"),
        ["assistant|600|80", "assistant|400|20"]
    );
    let said = [
        "user|text|<environment_context>..</environment_context>",
        "user|text|fix it",
        "assistant|thinking|hm",
        "assistant|text|Fixed.",
    ];
    assert_eq!(place.rows("said"), said);
    assert_eq!(place.rows("titled"), ["codex|c1|fix it|/w/app|main|gpt-x"]);
    let files = r#"apply_patch|1|[{"path":"src/a.rs","action":"edit"}]"#;
    assert_eq!(place.rows("used_files"), [files]);
    // Moved among the archived ones.
    place.write("archived/rollout-a-c1.jsonl", CODEX);
    assert_eq!(twice(&mut place, Agent::Codex).ops, 0);
}

#[test]
fn a_compressed_transcript_is_read_as_what_is_in_it() {
    let packed = |text: &str| zstd::encode_all(text.as_bytes(), 0).unwrap();
    let (begins, ends) = CODEX.split_at(CODEX.len() / 2);
    let mut place = Place::new();
    // Of two frames, as what is added to a compressed file makes.
    let content = [packed(begins), packed(ends)].concat();
    let path = place.write("rollout-a-c1.jsonl.zst", &content);
    twice(&mut place, Agent::Codex);
    assert_eq!(
        figures(&mut place, "c1").tokens,
        [1000, 100, 1500, 0, 0, 30]
    );
    // Unpacked beside it, it says the same.
    place.write("rollout-a-c1.jsonl", CODEX);
    assert_eq!(place.import_files(Agent::Codex).ops, 0);
    std::fs::remove_file(place.files().join("rollout-a-c1.jsonl")).unwrap();
    // One that was cut is told once, and what stands before the cut is taken.
    std::fs::write(&path, &content[..content.len() - 100]).unwrap();
    let done = place.import_files(Agent::Codex);
    assert_eq!((done.ops, done.problems.len()), (0, 1));
    assert_eq!(place.import_files(Agent::Codex).problems, []);
}

#[test]
fn a_compressed_transcript_that_is_cut_before_its_first_prompt_is_told_while_it_waits() {
    let packed = |text: &str| zstd::encode_all(text.as_bytes(), 0).unwrap();
    let (begins, ends) = CODEX.split_at(CODEX.find('\n').unwrap() + 1);
    let mut place = Place::new();
    let ends = packed(ends);
    let content = [&packed(begins), &ends[..ends.len() / 2]].concat();
    place.write("rollout-a-c1.jsonl.zst", content);
    let done = place.import_files(Agent::Codex);
    assert_eq!((done.ops, done.waiting, done.problems.len()), (0, 1, 1));
}

#[test]
fn a_fork_of_codex_counts_nothing_of_its_parent() {
    let mut place = Place::new();
    place.write("rollout-a-c1.jsonl", CODEX);
    let mut lines: Vec<String> = CODEX.lines().map(str::to_owned).collect();
    // The head is written anew, within a moment.
    for line in &mut lines {
        *line = format!("{}2026-05-02T09:00:00.500Z{}", &line[..14], &line[38..]);
    }
    let head = r#"{"timestamp":"2026-05-02T09:00:00.000Z","type":"session_meta","payload":{"id":"c2","forked_from_id":"c1","cwd":"/w/app"}}"#;
    let own = [
        r#"{"timestamp":"2026-05-02T09:01:00.000Z","type":"event_msg","payload":{"type":"user_message","message":"and now"}}"#,
        r#"{"timestamp":"2026-05-02T09:01:02.000Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":2600,"cached_input_tokens":1500,"output_tokens":107,"reasoning_output_tokens":30}}}}"#,
    ];
    let text = format!("{head}\n{}\n{}\n", lines.join("\n"), own.join("\n"));
    place.write("rollout-b-c2.jsonl", &text);
    twice(&mut place, Agent::Codex);
    let fork = figures(&mut place, "c2");
    assert_eq!((fork.messages, fork.tools), (1, 0));
    assert_eq!(fork.tokens, [100, 7, 0, 0, 0, 0]);
    assert_eq!(place.rows("forked"), ["c2|fork|c1"]);
    // Without its parent, too, no more than its own is counted.
    let mut alone = Place::new();
    alone.write("rollout-b-c2.jsonl", &text);
    twice(&mut alone, Agent::Codex);
    assert_eq!(figures(&mut alone, "c2").tokens, [100, 7, 0, 0, 0, 0]);
}

pub(crate) const OPENCODE: [(&str, &str); 6] = [
    (
        "session/p1/s1.json",
        r#"{"id":"s1","projectID":"p1","directory":"/w/app","title":"Fix","version":"1.1","time":{"created":1767000000000,"updated":1767000005000}}"#,
    ),
    (
        "message/s1/m1.json",
        r#"{"id":"m1","sessionID":"s1","role":"user","time":{"created":1767000000500}}"#,
    ),
    (
        "message/s1/m2.json",
        r#"{"id":"m2","sessionID":"s1","role":"assistant","time":{"created":1767000001000,"completed":1767000004000},"parentID":"m1","modelID":"gpt-x","providerID":"openai","cost":0.0021,"tokens":{"input":900,"output":60,"reasoning":5,"cache":{"read":4000,"write":7}},"finish":"stop"}"#,
    ),
    (
        "part/m1/p1.json",
        r#"{"id":"p1","type":"text","text":"fix it"}"#,
    ),
    (
        "part/m2/p2.json",
        r#"{"id":"p2","type":"tool","callID":"k1","tool":"edit","state":{"status":"completed","input":{"filePath":"/w/app/a.rs"},"output":"ok","time":{"start":1767000002000,"end":1767000002500}}}"#,
    ),
    (
        "part/m2/p3.json",
        r#"{"id":"p3","type":"text","text":"Fixed."}"#,
    ),
];

fn check_opencode(place: &mut Place) {
    twice(place, Agent::OpenCode);
    let expected = Figures {
        messages: 2,
        prompts: 1,
        tools: 1,
        failed: 0,
        tokens: [900, 65, 4000, 7, 0, 5],
    };
    assert_eq!(figures(place, "s1"), expected);
    assert_eq!(
        place.rows("said"),
        ["user|text|fix it", "assistant|text|Fixed."]
    );
    assert_eq!(place.rows("titled"), ["opencode|s1|Fix|/w/app||gpt-x"]);
    assert_eq!(place.rows("costs"), ["2100000"]);
    assert_eq!(
        place.rows("used_files"),
        [r#"edit|1|[{"path":"/w/app/a.rs","action":"edit"}]"#]
    );
}

#[test]
fn opencode_is_read_from_its_files_and_from_its_database() {
    let mut files = Place::new();
    for (path, content) in OPENCODE {
        files.write(&format!("storage/{path}"), content);
    }
    check_opencode(&mut files);
    let mut place = Place::new();
    let database = Connection::open(place.files().join("opencode.db")).unwrap();
    let tables = include_str!("opencode.sql");
    database.execute_batch(tables).unwrap();
    for (path, content) in &OPENCODE[1..] {
        let names: Vec<&str> = path.split(['/', '.']).collect();
        let insert = include_str!("insert.sql").replace("{table}", names[0]);
        let row = (names[2], names[1], content);
        database.execute(&insert, row).unwrap();
    }
    drop(database);
    check_opencode(&mut place);
}

#[test]
fn cursor_is_read_from_its_database_and_from_its_transcripts() {
    let mut place = Place::new();
    std::fs::create_dir(place.files().join("globalStorage")).unwrap();
    let database = Connection::open(place.files().join("globalStorage/state.vscdb")).unwrap();
    database.execute_batch(include_str!("cursor.sql")).unwrap();
    drop(database);
    place.write(
        "agent-transcripts/t1/t1.jsonl",
        "{\"role\":\"user\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"<timestamp>now</timestamp>\\n<user_query>\\nrun\\n</user_query>\"}]}}\n\
         {\"role\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"Ran.\"},{\"type\":\"tool_use\",\"name\":\"Shell\",\"input\":{\"command\":\"ls\"}}]}}\n\
         {\"type\":\"turn_ended\",\"status\":\"success\"}\n",
    );
    twice(&mut place, Agent::Cursor);
    let expected = Figures {
        messages: 2,
        prompts: 1,
        tools: 1,
        failed: 0,
        tokens: [2100, 35, 0, 0, 0, 0],
    };
    assert_eq!(figures(&mut place, "7f2a"), expected);
    let written = figures(&mut place, "t1");
    assert_eq!(
        (written.messages, written.prompts, written.tools),
        (2, 1, 1)
    );
    assert_eq!(
        place.rows("titled"),
        ["cursor|7f2a|Fix||main|gpt-x", "cursor|t1|run|||"]
    );
}

#[test]
fn conversations_that_newer_versions_of_cursor_list_in_a_table_are_placed_and_linked() {
    let mut place = Place::new();
    std::fs::create_dir(place.files().join("globalStorage")).unwrap();
    let database = Connection::open(place.files().join("globalStorage/state.vscdb")).unwrap();
    database
        .execute_batch(include_str!("cursor_listed.sql"))
        .unwrap();
    drop(database);
    twice(&mut place, Agent::Cursor);
    assert_eq!(
        place.rows("titled"),
        [
            "cursor|c1|Mend the build|/w/app||gpt-x",
            "cursor|task-1||/w/app||"
        ]
    );
    assert_eq!(place.rows("forked"), ["task-1|subagent|c1"]);
    let figures = figures(&mut place, "c1");
    assert_eq!((figures.messages, figures.tools, figures.failed), (4, 2, 2));
    let told = place.rows("told").join("\n");
    assert!(told.contains("thinking|it may be the lock file"), "{told}");
    assert!(told.contains("tool_error|the file is locked"), "{told}");
    let messages = place.rows("messages");
    assert!(
        messages.iter().any(|row| row.contains("|u1|user||1790")),
        "{messages:?}"
    );
}

#[test]
fn a_conversation_that_cursor_keeps_in_two_ways_is_counted_once() {
    let transcript = "{\"role\":\"user\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"fix it\"}]}}\n\
         {\"role\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"Fixed.\"},{\"type\":\"tool_use\",\"name\":\"edit_file\",\"input\":{\"path\":\"a.rs\"}}]}}\n";
    let put_database = |place: &Place| {
        std::fs::create_dir(place.files().join("globalStorage")).unwrap();
        let database = Connection::open(place.files().join("globalStorage/state.vscdb")).unwrap();
        database.execute_batch(include_str!("cursor.sql")).unwrap();
    };
    let put_transcript =
        |place: &Place| place.write("agent-transcripts/7f2a/7f2a.jsonl", transcript);
    let expected = Figures {
        messages: 2,
        prompts: 1,
        tools: 1,
        failed: 0,
        tokens: [2100, 35, 0, 0, 0, 0],
    };
    let together = Place::new();
    put_database(&together);
    put_transcript(&together);
    let mut transcript_first = Place::new();
    put_transcript(&transcript_first);
    twice(&mut transcript_first, Agent::Cursor);
    assert_eq!(figures(&mut transcript_first, "7f2a").messages, 2);
    put_database(&transcript_first);
    let mut noted_badly = Place::new();
    put_transcript(&noted_badly);
    twice(&mut noted_badly, Agent::Cursor);
    noted_badly.spoil_notes();
    put_database(&noted_badly);
    assert_eq!(noted_badly.import_files(Agent::Cursor).counts.damaged, 2);
    for mut place in [together, transcript_first] {
        twice(&mut place, Agent::Cursor);
        assert_eq!(figures(&mut place, "7f2a"), expected);
    }
}

#[test]
fn a_subagent_of_cursor_is_below_its_session() {
    let line =
        "{\"role\":\"user\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"go\"}]}}\n";
    let mut place = Place::new();
    place.write("agent-transcripts/t1/t1.jsonl", line);
    place.write("agent-transcripts/t1/subagents/s1.jsonl", line);
    twice(&mut place, Agent::Cursor);
    assert_eq!(place.rows("forked"), ["s1|subagent|t1"]);
}

pub(crate) const GEMINI: &str = r#"{"sessionId":"g1","projectHash":"h","startTime":"2026-02-01T09:00:00.000Z","lastUpdated":"2026-02-01T09:00:09.000Z","messages":[
{"id":"m1","timestamp":"2026-02-01T09:00:01.000Z","type":"user","content":"read a.rs"},
{"id":"m2","timestamp":"2026-02-01T09:00:03.000Z","type":"gemini","content":"Done.","model":"gemini-x","thoughts":[{"subject":"Look","description":"at it"}],"tokens":{"input":5200,"output":40,"cached":4800,"thoughts":12,"tool":0,"total":5252},"toolCalls":[{"id":"c1","name":"read_file","args":{"path":"a.rs"},"status":"success","timestamp":"2026-02-01T09:00:02.000Z","result":[{"functionResponse":{"response":{"output":"fn"}}}]}]}]}"#;

#[test]
fn gemini_is_read_whole_and_by_lines_with_what_was_taken_back() {
    let mut place = Place::new();
    place.write("h/chats/session-a.json", GEMINI);
    twice(&mut place, Agent::Gemini);
    let expected = Figures {
        messages: 2,
        prompts: 1,
        tools: 1,
        failed: 0,
        tokens: [400, 52, 4800, 0, 0, 12],
    };
    assert_eq!(figures(&mut place, "g1"), expected);
    let whole: serde_json::Value = serde_json::from_str(GEMINI).unwrap();
    let mut lines = vec![
        r#"{"sessionId":"g1","projectHash":"h","startTime":"2026-02-01T09:00:00.000Z"}"#.to_owned(),
    ];
    lines.extend(
        whole["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string),
    );
    lines.push(
        r#"{"id":"m3","timestamp":"2026-02-01T09:00:05.000Z","type":"user","content":"no"}"#
            .to_owned(),
    );
    let mut other = Place::new();
    other.write("h/chats/session-a.jsonl", lines.join("\n") + "\n");
    twice(&mut other, Agent::Gemini);
    assert_eq!(figures(&mut other, "g1").messages, 3);
    lines.push(r#"{"$rewindTo":"m3"}"#.to_owned());
    other.write("h/chats/session-a.jsonl", lines.join("\n") + "\n");
    twice(&mut other, Agent::Gemini);
    assert_eq!(figures(&mut other, "g1"), expected);
}

#[test]
fn aider_is_read_from_the_history_of_a_repository() {
    let mut place = Place::new();
    let text = "\n# aider chat started at 2026-01-02 10:00:00\n\n> Aider v0.86.1\n> Main model: x/y with diff edit format\n\n#### rename foo\n#### to bar\n\nRenamed in src/lib.rs.\n\nAll of it.\n\n> Tokens: 4.9k sent, 1.0k received. Cost: $0.03 message, $0.05 session.\n";
    let path = place.write("app/.aider.chat.history.md", text);
    twice(&mut place, Agent::Aider);
    let all = place.figures();
    let (native, found) = all.iter().next().unwrap();
    assert!(native.ends_with("/app#2026-01-02 10:00:00"), "{native}");
    assert_eq!((found.messages, found.prompts), (2, 1));
    assert_eq!(found.tokens, [4900, 1000, 0, 0, 0, 0]);
    assert_eq!(place.rows("costs"), ["30000000"]);
    let said = place.rows("said");
    assert!(
        said.contains(&"user|text|rename foo\nto bar".to_owned()),
        "{said:?}"
    );
    let more = format!("{text}\n# aider chat started at 2026-01-03 10:00:00\n#### more\n\nMore.\n");
    std::fs::write(&path, more).unwrap();
    assert_eq!(place.import_files(Agent::Aider).counts.new, 3);
}

#[test]
fn what_aider_sends_is_counted_once_whether_it_came_from_the_cache_or_not() {
    let mut place = Place::new();
    let text = "# aider chat started at 2026-01-02 10:00:00\n#### one\n\nOne.\n\n> Tokens: 10k sent, 2.0k cache write, 7.0k cache hit, 1.0k received. Cost: $0.03 message, $0.05 session.\n\n#### two\n\nTwo.\n\n> Tokens: 1k sent, 1.1k cache hit, 10 received.\n";
    place.write("app/.aider.chat.history.md", text);
    twice(&mut place, Agent::Aider);
    let all = place.figures();
    let found = all.values().next().unwrap();
    assert_eq!(found.tokens, [1000, 1010, 8100, 2000, 0, 0]);
    assert_eq!(
        place.rows("answered"),
        ["assistant|1000|1000", "assistant|0|10"]
    );
}
