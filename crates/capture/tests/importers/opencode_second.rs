//! What OpenCode's second version keeps: a row for each message, with all that was said in it.

use rusqlite::Connection;
use syncline_capture::agent::Agent;
use syncline_capture::privacy::{Exclusions, Privacy};
use syncline_capture::redact::Redactor;

use crate::agents::{figures, twice};
use crate::place::{Figures, Place};

/// A place with a database of these tables and rows.
fn holding(tables: &[&str]) -> (Place, Connection) {
    let place = Place::new();
    let database = Connection::open(place.files().join("opencode.db")).unwrap();
    database.execute_batch(&tables.concat()).unwrap();
    (place, database)
}

const SECOND: &str = include_str!("opencode_second.sql");

/// The tables of the first version, which stay where the second has come, and the one session in them.
fn first() -> String {
    let tables = include_str!("opencode.sql").lines();
    let tables = tables.filter(|line| !line.contains(" TRIGGER "));
    tables.collect()
}

#[test]
fn messages_of_the_second_version_are_read_with_or_without_the_tables_of_the_first() {
    for tables in [&[SECOND][..], &[&first(), SECOND]] {
        let (mut place, _database) = holding(tables);
        assert_eq!(twice(&mut place, Agent::OpenCode).counts.not_understood, 0);
        let expected = Figures {
            messages: 3,
            prompts: 1,
            tools: 2,
            failed: 1,
            tokens: [900, 65, 4000, 7, 0, 5],
        };
        assert_eq!(figures(&mut place, "s2"), expected);
        let said = place.rows("said");
        for told in [
            "user|text|fix it",
            "user|file|",
            "assistant|thinking|hm",
            "assistant|text|Fixed.",
            "assistant|text|It is fixed.",
            "user|text|told by the program",
        ] {
            assert!(said.iter().any(|said| said == told), "{told}: {said:?}");
        }
        let told = place.rows("told").join("\n");
        assert!(
            told.contains("tool_output|ok\n[image/png, 7 bytes, "),
            "{told}"
        );
        assert!(told.contains("tool_output|none"), "{told}");
        assert_eq!(place.rows("errors"), ["provider.rate-limit|429: slow down"]);
        assert_eq!(place.rows("compactions"), ["auto|"]);
        assert_eq!(
            place.rows("used_files")[0],
            r#"edit|1|[{"path":"/w/app/a.rs","action":"edit"}]"#
        );
        let titled = place.rows("titled");
        assert!(
            titled.contains(&"opencode|s2|Second|/w/app||gpt-x".to_owned()),
            "{titled:?}"
        );
        // What is written later is found, and what is of no known kind is kept as it stands, and counted.
        let database = Connection::open(place.files().join("opencode.db")).unwrap();
        database
            .execute_batch(include_str!("opencode_dreamt.sql"))
            .unwrap();
        assert_eq!(twice(&mut place, Agent::OpenCode).counts.not_understood, 1);
        assert!(place.rows("raw").concat().contains("tomorrow"));
        assert!(
            place
                .rows("said")
                .contains(&"user|text|told anew".to_owned())
        );
    }
}

#[test]
fn what_was_torn_of_the_second_version_is_kept_no_more_once_it_is_whole() {
    let tables = [SECOND, include_str!("opencode_dreamt.sql")];
    let (mut never_torn, _database) = holding(&tables);
    never_torn.import_files(Agent::OpenCode);
    let (mut place, database) = holding(&tables);
    database.execute_batch(include_str!("tear.sql")).unwrap();
    place.import_files(Agent::OpenCode);
    assert!(place.rows("raw").iter().all(|kept| kept.starts_with('!')));
    database.execute_batch(include_str!("mend.sql")).unwrap();
    twice(&mut place, Agent::OpenCode);
    for query in ["raw", "titled", "messages", "tools", "said", "spent"] {
        assert_eq!(place.rows(query), never_torn.rows(query), "{query}");
    }
}

#[test]
fn a_fork_of_the_second_version_counts_nothing_of_its_origin() {
    let (mut place, _database) = holding(&[SECOND]);
    twice(&mut place, Agent::OpenCode);
    let fork = figures(&mut place, "s3");
    assert_eq!((fork.messages, fork.prompts), (1, 1));
    assert_eq!(fork.tokens, [0; 6]);
    assert_eq!(place.rows("forked"), ["s3|fork|s2"]);
}

#[test]
fn of_a_session_that_both_versions_hold_the_second_tells_what_came_after() {
    let carried = include_str!("opencode_carried.sql");
    let (mut place, _database) = holding(&[&first(), SECOND, carried]);
    twice(&mut place, Agent::OpenCode);
    assert_eq!(figures(&mut place, "s1").prompts, 2);
    let said = place.rows("said");
    let told = |words: &str| said.iter().filter(|said| said.ends_with(words)).count();
    assert_eq!(
        (
            told("said before"),
            told("said after"),
            told("split from it")
        ),
        (1, 1, 0)
    );
}

#[test]
fn rules_hold_for_the_second_version_also_where_a_session_was_before() {
    for rule in ["/w/app", "/w/before"] {
        let (mut place, _database) = holding(&[SECOND]);
        let rules = Exclusions {
            paths: vec![rule.parse().unwrap()],
            ..Exclusions::default()
        };
        let files = place.files();
        let privacy = Privacy::new(Redactor::standard(), rules);
        assert_eq!(place.import_with(Agent::OpenCode, &files, privacy).ops, 0);
        place.import_files(Agent::OpenCode);
        assert_eq!(place.figures().len(), 2);
    }
}
