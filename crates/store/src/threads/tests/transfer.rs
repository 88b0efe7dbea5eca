//! Import and export of lines.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::world::{Destination, Imported, World, at};
use crate::threads::import::{FileKind, Importer, kind_of};
use crate::threads::{
    Changes, ExportScope, ListFilter, ListStart, list_threads, plan_delete, plan_update,
};

const EXCERPT: &str = include_str!("../../../fixtures/threads_excerpt.jsonl");

/// The whole data set where it lies beside the repository, else the excerpt.
fn sessions() -> String {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let directory = std::env::var_os("SYNCLINE_SHARED_DATA").map_or(beside, PathBuf::from);
    match std::fs::read_to_string(directory.join("threads.jsonl")) {
        Ok(text) => text,
        Err(_) => {
            println!(
                "no threads.jsonl in {}: the excerpt will do",
                directory.display()
            );
            EXCERPT.to_owned()
        }
    }
}

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn import(world: &mut World, text: &str, to: Destination) -> Imported {
    let reader = Cursor::new(text.to_owned().into_bytes());
    world.import(Importer::jsonl_from(reader, "default"), to)
}

fn line(thread: &str, name: &str, content: &str) -> String {
    let line = serde_json::json!({
        "project": "p", "thread": thread, "name": name, "author": "user",
        "timestamp": "2026-01-07T14:35:30.213Z", "content": content,
    });
    format!("{line}\n")
}

/// The lines in the order in which an export gives them: threads by their first entry's time.
fn by_age(mut lines: Vec<serde_json::Value>) -> Vec<serde_json::Value> {
    let first: std::collections::HashMap<String, String> =
        lines
            .iter()
            .rev()
            .fold(std::collections::HashMap::new(), |mut first, line| {
                let text = |field: &str| line[field].as_str().unwrap().to_owned();
                first.insert(text("thread"), text("timestamp"));
                first
            });
    lines.sort_by_key(|line| first[line["thread"].as_str().unwrap()].clone());
    lines
}

#[test]
fn what_is_imported_is_exported_line_for_line() {
    let text = sessions();
    let expected = by_age(lines(&text));
    for to in [Destination::Log, Destination::Outbox] {
        let mut world = World::new();
        let imported = import(&mut world, &text, to);
        assert_eq!(imported.entries_new, expected.len() as u64);
        assert_eq!(imported.problems, [""; 0]);
        assert_eq!(lines(&world.export(ExportScope::All)), expected);
    }
}

#[test]
fn an_import_of_what_is_here_plans_nothing() {
    let text = sessions();
    let mut world = World::new();
    let first = import(&mut world, &text, Destination::Log);
    let again = import(&mut world, &text, Destination::Log);
    assert_eq!((again.ops, again.entries_new), (0, 0));
    assert_eq!(again.entries_known, first.entries_new);
    let exported = world.export(ExportScope::All);
    assert_eq!(import(&mut world, &exported, Destination::Log).ops, 0);
}

#[test]
fn an_export_of_what_was_written_here_is_known_when_it_comes_back() {
    let mut world = World::new();
    let id = world.make("p", "design", 0);
    world.write(id, &[(1, "same"), (2, "same"), (3, "other")]);
    world.write_pending(id, &[(4, "pending"), (5, "pending")]);
    let exported = world.export(ExportScope::Thread(id));
    assert_eq!(exported.lines().count(), 5);
    let back = import(&mut world, &exported, Destination::Log);
    assert_eq!((back.ops, back.entries_known), (0, 5));
    assert_eq!(back.problems, [""; 0]);
}

#[test]
fn two_replicas_that_import_one_file_write_the_same_ops() {
    let plan = || {
        let world = World::new();
        let reader = Cursor::new(EXCERPT.as_bytes());
        let mut importer = Importer::jsonl_from(reader, "default");
        let batch = importer.next_batch(world.view()).unwrap().unwrap();
        batch.ops
    };
    assert_eq!(plan(), plan());
}

#[test]
fn an_import_that_was_interrupted_goes_on_where_it_stopped() {
    let mut world = World::new();
    let half: String = EXCERPT.lines().take(30).map(|l| format!("{l}\n")).collect();
    import(&mut world, &half, Destination::Outbox);
    let rest = import(&mut world, EXCERPT, Destination::Outbox);
    assert_eq!((rest.entries_known, rest.entries_new), (30, 51));
    assert_eq!(
        lines(&world.export(ExportScope::All)),
        by_age(lines(EXCERPT))
    );
}

#[test]
fn equal_entries_of_a_file_all_stay() {
    let mut world = World::new();
    let text = line("t", "t", "again").repeat(3);
    assert_eq!(import(&mut world, &text, Destination::Log).entries_new, 3);
    assert_eq!(import(&mut world, &text, Destination::Log).entries_new, 0);
    let more = line("t", "t", "again").repeat(5);
    assert_eq!(import(&mut world, &more, Destination::Log).entries_new, 2);
}

#[test]
fn a_name_given_here_outlives_an_import_and_travels_with_an_export() {
    let mut world = World::new();
    let text = [line("t", "one", "a"), line("t", "two", "b")].concat();
    import(&mut world, &text, Destination::Log);
    let filter = ListFilter::default();
    let page = list_threads(world.view(), &filter, ListStart::Offset(0), 1).unwrap();
    let thread = &page.threads[0].thread;
    assert_eq!(thread.name, "two");
    let renamed = Changes {
        name: Some("mine"),
        ..Changes::default()
    };
    world.log(plan_update(thread, &renamed, at(9)).unwrap().ops);
    assert_eq!(import(&mut world, &text, Destination::Log).ops, 0);
    assert_eq!(world.thread(thread.thread_id).name, "mine");

    let mut other = World::new();
    import(
        &mut other,
        &world.export(ExportScope::All),
        Destination::Log,
    );
    assert_eq!(other.thread(thread.thread_id).name, "mine");
}

#[test]
fn a_file_that_grew_brings_its_new_entries_and_names() {
    let mut world = World::new();
    let first = line("t", "one", "a");
    import(&mut world, &first, Destination::Log);
    let grown = [first, line("t", "two", "b")].concat();
    let imported = import(&mut world, &grown, Destination::Log);
    assert_eq!((imported.ops, imported.entries_new), (2, 1));
    assert!(world.export(ExportScope::All).contains("\"two\""));
}

#[test]
fn a_thread_that_was_moved_away_is_known_there() {
    let mut world = World::new();
    import(&mut world, &line("t", "t", "a"), Destination::Log);
    let id = syncline_model::thread::thread_id("p", "t", 0);
    let moved = Changes {
        project: Some("q"),
        ..Changes::default()
    };
    world.log(plan_update(&world.thread(id), &moved, at(9)).unwrap().ops);
    let again = import(&mut world, &line("t", "t", "a").repeat(2), Destination::Log);
    assert_eq!(
        (again.threads_new, again.entries_new, again.entries_known),
        (0, 1, 1)
    );
}

#[test]
fn a_thread_that_was_deleted_is_made_again() {
    let mut world = World::new();
    import(&mut world, &line("t", "t", "a"), Destination::Log);
    let id = syncline_model::thread::thread_id("p", "t", 0);
    world.log(plan_delete(&world.thread(id), at(9)).unwrap().ops);
    let again = import(&mut world, &line("t", "t", "a"), Destination::Log);
    assert_eq!((again.threads_new, again.entries_new), (1, 1));
    assert_eq!(
        import(&mut world, &line("t", "t", "a"), Destination::Log).ops,
        0
    );
}

#[test]
fn damaged_lines_are_told_by_number_and_the_rest_is_imported() {
    let mut world = World::new();
    let long = format!(
        "{{\"thread\":\"t\",\"content\":\"{}\"}}\n",
        "x".repeat(3_000_000)
    );
    let text = [
        "\u{feff}",
        &line("t", "t", "first"),
        "\r\n",
        "not json\n",
        "[1,2]\n",
        "{\"thread\":\"t\",\"content\":7,\"timestamp\":\"2026-01-07T14:35:30Z\"}\n",
        "{\"thread\":\"t\",\"content\":\"no time\"}\n",
        &line("t", "t", ""),
        &line("", "t", "no thread"),
        &line("a\tb", "t", "a control character"),
        &long,
        &"[".repeat(100_000),
        "\n",
        "{\"thread\":\"t\",\"content\":\"bare\",\"timestamp\":\"2026-01-07T15:35:30+01:00\",\"more\":[]}",
    ]
    .concat();
    let imported = import(&mut world, &text, Destination::Log);
    let told: Vec<&str> = imported
        .problems
        .iter()
        .map(|problem| problem.split_once(':').unwrap().0)
        .collect();
    assert_eq!(
        told,
        [
            "line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "line 9", "line 10",
            "line 11"
        ]
    );
    assert_eq!(imported.entries_new, 2);
    let bare = lines(&world.export(ExportScope::Project("default")));
    assert_eq!(bare[0]["author"], "user");
    assert_eq!(bare[0]["timestamp"], "2026-01-07T14:35:30.000Z");
}

#[test]
fn bytes_that_are_no_text_are_damaged_lines() {
    let mut world = World::new();
    let mut bytes = line("t", "t", "fine").into_bytes();
    bytes.extend(b"{\"thread\":\"t\",\"content\":\"\xff\xfe\"}\n\0\0\0\n\x80");
    bytes.extend(line("t", "t", "eaten by the line before").as_bytes());
    let importer = Importer::jsonl_from(Cursor::new(bytes), "default");
    let imported = world.import(importer, Destination::Log);
    assert_eq!((imported.entries_new, imported.problems.len()), (1, 3));
}

#[test]
fn other_content_under_a_known_place_is_told_and_kept_apart() {
    let mut world = World::new();
    import(&mut world, &line("t", "t", "mine"), Destination::Log);
    let other = import(&mut world, &line("t", "t", "theirs"), Destination::Log);
    assert_eq!((other.ops, other.entries_new), (0, 0));
    assert_eq!(
        other.problems,
        ["line 1: entry 0 of thread t is here already, with other content"]
    );
}

#[test]
fn a_file_is_known_by_its_first_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    for (bytes, kind) in [
        (&b""[..], FileKind::Jsonl),
        (b"{}", FileKind::Jsonl),
        (b"SQLite format 3\0 and more", FileKind::Vault),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(kind_of(&path).unwrap(), kind);
    }
    assert!(kind_of(&directory.path().join("none")).is_err());
    assert!(Importer::jsonl(&directory.path().join("none"), "p").is_err());
}

#[test]
fn a_large_file_comes_in_batches_of_bounded_size() {
    let mut world = World::new();
    let text: String = (0..2_500)
        .map(|n| line("t", "t", &format!("entry {n}")))
        .collect();
    let reader = Cursor::new(text.clone().into_bytes());
    let mut importer = Importer::jsonl_from(reader, "default");
    let mut sizes = Vec::new();
    while let Some(batch) = importer.next_batch(world.view()).unwrap() {
        sizes.push(batch.ops.len());
        if sizes.len() == 3 {
            assert_eq!(batch.progress.done, text.len() as u64);
        }
        world.log(batch.ops);
    }
    assert_eq!(sizes, [1_000, 1_000, 501]);
}
