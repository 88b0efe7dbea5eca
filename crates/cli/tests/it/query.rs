//! `syncline query`: SQL over the views.

use crate::machine::Machine;
use crate::record::Served;

fn machine() -> Machine {
    let machine = Machine::new();
    machine.run(&["thread", "new", "plan", "buy | sell"]).done();
    machine
        .run(&["thread", "push", "plan", "two\nlines"])
        .done();
    machine
}

#[test]
fn rows_come_in_the_format_that_was_asked_for() {
    let machine = machine();
    let sql = "SELECT content, sequence_id, 1.5 AS half FROM entries ORDER BY timestamp";
    let printed = |format: &str| {
        machine
            .run(&["query", sql, "--format", format])
            .done()
            .stdout
    };
    assert_eq!(
        printed("table"),
        "\
┌────────────┬─────────────┬──────┐
│ CONTENT    │ SEQUENCE_ID │ HALF │
├────────────┼─────────────┼──────┤
│ buy | sell │ NULL        │  1.5 │
│ two↵lines  │ NULL        │  1.5 │
└────────────┴─────────────┴──────┘
"
    );
    assert_eq!(printed("table"), machine.run(&["query", sql]).done().stdout);
    let json = r#"[{"content":"buy | sell","sequence_id":null,"half":1.5},{"content":"two\nlines","sequence_id":null,"half":1.5}]"#;
    assert_eq!(printed("json"), format!("{json}\n"));
    assert_eq!(
        printed("json"),
        machine.run(&["query", sql, "--json"]).done().stdout
    );
    assert_eq!(
        printed("ndjson"),
        "{\"content\":\"buy | sell\",\"sequence_id\":null,\"half\":1.5}\n\
         {\"content\":\"two\\nlines\",\"sequence_id\":null,\"half\":1.5}\n"
    );
    assert_eq!(
        printed("csv"),
        "content,sequence_id,half\r\nbuy | sell,,1.5\r\n\"two\nlines\",,1.5\r\n"
    );
    assert_eq!(
        printed("markdown"),
        "| content | sequence_id | half |\n| --- | --- | --- |\n\
         | buy \\| sell |  | 1.5 |\n| two↵lines |  | 1.5 |\n"
    );
}

#[test]
fn an_object_has_a_member_for_each_column() {
    let machine = machine();
    let sql = "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a";
    for (format, row) in [
        ("json", "[{\"a\":1,\"a_3\":2,\"a_2\":3,\"a_4\":4}]\n"),
        ("ndjson", "{\"a\":1,\"a_3\":2,\"a_2\":3,\"a_4\":4}\n"),
        ("csv", "a,a,a_2,a\r\n1,2,3,4\r\n"),
    ] {
        let printed = machine.run(&["query", sql, "--format", format]).done();
        assert_eq!(printed.stdout, row, "{format}");
    }
}

#[test]
fn who_asks_for_the_steps_of_a_statement_is_told_of_its_plan() {
    let machine = machine();
    let told = "EXPLAIN QUERY PLAN tells the plan";
    machine
        .run(&["query", "explain SELECT 1"])
        .done()
        .says(told);
    let plan = machine.run(&["query", "EXPLAIN QUERY PLAN SELECT * FROM threads"]);
    assert!(!plan.done().stderr.contains(told));
}

#[test]
fn a_query_that_fails_on_its_way_leaves_a_document_that_can_be_read() {
    let machine = machine();
    // The third row is one too many for the function that makes it.
    let late = "SELECT json_extract(column1, '$') AS x FROM (VALUES ('1'), ('2'), ('no json'))";
    for (sql, rows) in [(late, 2), ("SELECT json_extract('no json', '$')", 0)] {
        let run = |format: &str| machine.run(&["query", sql, "--format", format]);
        let json = run("json");
        assert_eq!(json.code, Some(1));
        assert!(json.stderr.starts_with("error[sql_invalid]"), "{json:#?}");
        match rows {
            0 => assert_eq!(json.stdout, ""),
            _ => assert_eq!(json.json().as_array().unwrap().len(), rows),
        }
        let ndjson = run("ndjson").stdout;
        assert_eq!(ndjson.lines().count(), rows, "{ndjson}");
        let csv = run("csv").stdout;
        let head = usize::from(rows > 0);
        assert_eq!(csv.lines().count(), rows + head, "{csv}");
        assert_eq!(run("table").stdout, "");
    }
    let empty = "SELECT content FROM entries WHERE content = 'nowhere'";
    let run = |format: &str| machine.run(&["query", empty, "--format", format]).done();
    assert_eq!(run("json").stdout, "[]\n");
    assert_eq!(run("csv").stdout, "content\r\n");
}

#[test]
fn a_statement_that_can_not_be_stopped_is_left_behind() {
    let machine = machine();
    // Single calls that compare for hours, and ask nobody meanwhile.
    let of_long = |call: &str| {
        format!(
            "(SELECT {call} FROM (SELECT printf('%.*c', 30000000, 'a') AS a, \
             printf('%.*c', 9000, 'a') || 'b' AS b, printf('%.*c', 15000000, 'a') || 'b' AS c))"
        )
    };
    for call in ["instr(a, c)", "replace(a, c, '')", "a LIKE '%' || b"] {
        let sql = format!("SELECT {}", of_long(call));
        machine
            .run(&["query", &sql, "--timeout", "1s"])
            .failed(1, "sql_timeout");
    }
    let sql = format!("UPDATE threads SET name = {}", of_long("instr(a, c)"));
    machine
        .run(&["query", &sql, "--write", "--yes", "--timeout", "1s"])
        .failed(1, "sql_timeout")
        .says("nothing was changed");
}

/// Each would take some GiB.
#[test]
#[cfg(target_os = "linux")]
fn a_query_takes_no_more_memory_than_it_may() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;

    let machine = machine();
    let wide = vec!["hex(zeroblob(30000000))"; 60].join(", ");
    let zeros = "'[' || rtrim(replace(hex(zeroblob(500000)), '0', '1,'), ',') || ']'";
    for sql in [
        format!("SELECT {wide}"),
        format!("SELECT json_pretty({zeros}, printf('%.*c', 60000, ' '))"),
    ] {
        machine
            .run(&["query", &sql, "--timeout", "5m"])
            .failed(1, "sql_too_large")
            .says("substr(content, 1, 1000)");
    }
    // Other bounds answer alike: here the process goes on, and its system tells what it took at most.
    let mut command = machine.command(&["query", "-i", "--timeout", "5m"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "SELECT {wide};").unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = said.map(Result::unwrap);
    assert!(said.any(|line| line.contains("sql_too_large")));
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    drop(input);
    child.wait().unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: u64 = peak.unwrap().replace("kB", "").trim().parse().unwrap();
    assert!(peak < 2_400_000, "{peak} kB");
    // The longest row that there may be is printed, in the format that makes most of it.
    let longest = "SELECT replace(printf('%.*c', 67000000, 'x'), 'x', char(1))";
    let args = ["query", longest, "--width", "0", "--timeout", "5m"];
    machine.run(&args).done();
}

#[test]
fn a_statement_may_come_from_standard_input_and_begin_with_a_remark() {
    let machine = machine();
    let read = machine.run_on(
        "-- how many\nSELECT count(*) AS n FROM entries;\n",
        &["query", "-", "--json"],
    );
    assert_eq!(read.done().stdout, "[{\"n\":2}]\n");
    let typed = machine.run(&[
        "query",
        "-- how many\nSELECT count(*) AS n FROM entries",
        "--json",
    ]);
    assert_eq!(typed.done().stdout, "[{\"n\":2}]\n");
}

#[test]
fn a_query_that_is_none_says_what_helps_and_changes_nothing() {
    let machine = machine();
    for (sql, code, exit) in [
        ("SELECT * FROM thread", "sql_invalid", 1),
        ("SELECT titel FROM lists", "sql_invalid", 1),
        ("SELEC 1", "sql_invalid", 1),
        ("DELETE FROM threads", "sql_read_only", 1),
        (
            "WITH x AS (SELECT 1)\nDELETE\nFROM main.threads",
            "sql_read_only",
            1,
        ),
        ("PRAGMA journal_mode", "sql_read_only", 1),
        ("SELECT payload FROM ops", "sql_read_only", 1),
        ("", "sql_empty", 2),
        ("SELECT 1; SELECT 2", "sql_several", 2),
        ("SELECT ?", "sql_parameters", 2),
    ] {
        machine.run(&["query", sql]).failed(exit, code).says("fix:");
    }
    machine
        .run(&["query", "SELECT * FROM thread"])
        .failed(1, "sql_invalid")
        .says("maybe: threads");
    machine
        .run(&["query", "SELECT s.title FROM session_errors AS s"])
        .failed(1, "sql_invalid")
        .says("there are agent, created_at, error_message");
    machine
        .run(&["query", "SELECT agnet FROM session_errors"])
        .failed(1, "sql_invalid")
        .says("maybe: agent");
    machine
        .run_on("SELECT 1\0; nonsense", &["query", "-"])
        .failed(1, "sql_read_only")
        .says("NUL");
    let count = machine.run(&["query", "SELECT count(*) AS n FROM entries", "--json"]);
    assert_eq!(count.done().stdout, "[{\"n\":2}]\n");
}

#[test]
fn a_query_without_end_ends_at_its_limits() {
    let machine = machine();
    let endless = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let rows = machine
        .run(&["query", endless, "--limit", "2", "--format", "csv"])
        .done();
    assert_eq!(rows.stdout, "i\r\n1\r\n2\r\n");
    rows.says("more rows than the 2 given");
    let sum = format!("SELECT count(*) FROM ({endless})");
    machine
        .run(&["query", &sum, "--timeout", "1s"])
        .failed(1, "sql_timeout");
}

#[test]
fn the_views_are_told_with_their_columns() {
    let machine = machine();
    let views = machine.run(&["query", "--views", "--json"]).done().json();
    let names: Vec<&str> = views
        .as_array()
        .unwrap()
        .iter()
        .map(|view| view["name"].as_str().unwrap())
        .collect();
    for name in ["threads", "entries", "lists", "items"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    assert!(
        machine
            .run(&["query", "--views"])
            .done()
            .stdout
            .contains("│ thread_id")
    );
}

#[test]
fn who_queries_an_entity_is_told_what_reads_its_records() {
    let served = Served::start();
    let ada = served.member("ada");
    ada.run(&["query", "SELECT * FROM contacts"])
        .failed(1, "sql_invalid")
        .says("fix:   syncline record contacts list");
    // What is wrong with a name is not mended by the same name.
    let told = ada.run(&["query", "SELECT id FROM records"]);
    assert!(!told.stderr.contains("maybe: id\n"), "{}", told.stderr);
}
