mod imports;

use proptest::prelude::*;
use syncline_model::ListId;

use super::*;
use imports::{Model, numbered};

fn open(text: &str, note: &str) -> Entry {
    Entry {
        id: None,
        text: text.to_owned(),
        done: false,
        note: note.to_owned(),
    }
}

fn ticked(text: &str, note: &str) -> Entry {
    Entry {
        done: true,
        ..open(text, note)
    }
}

fn entries(read: Checklist) -> Vec<Entry> {
    read.entries.into_iter().map(|(_, entry)| entry).collect()
}

#[test]
fn ticks_bullets_and_nesting_are_read() {
    let read = read_markdown(
        "\u{feff}# Shopping\r\n\r\n- [x] milk\r\n* [ ] bread\r\n  + [X] rye\r\n\t1. [ ] seeds\r\n12) [ ] tea\r\n[x] no bullet\r\n",
    );
    assert_eq!(read.title.as_deref(), Some("Shopping"));
    assert_eq!(read.foreign, []);
    assert_eq!(read.entries[2].0, Place::Line(5));
    assert_eq!(
        entries(read),
        [
            ticked("milk", ""),
            open("bread", ""),
            ticked("  rye", ""),
            open("\tseeds", ""),
            open("tea", ""),
            ticked("no bullet", ""),
        ]
    );
}

#[test]
fn notes_are_what_stands_to_the_right() {
    let read = read_markdown(
        "- [ ] milk\n\n    the good one\n\n    - from the farm\n      twice\n\n- [ ] bread\n  rye\nnot a note\n  nor this\n",
    );
    let foreign: Vec<u64> = read.foreign.iter().map(|line| line.line).collect();
    assert_eq!(foreign, [10, 11]);
    assert_eq!(
        entries(read),
        [
            open("milk", "the good one\n\n- from the farm\n  twice"),
            open("bread", "rye"),
        ]
    );
}

#[test]
fn what_is_no_checklist_is_named_line_by_line() {
    let text =
        "intro\n- [ ] a\n## Part\n- plain\n- [-] odd\n-[ ] close\n[x](link)\n1234567890. [ ] n\n";
    let read = read_markdown(text);
    let foreign: Vec<u64> = read.foreign.iter().map(|line| line.line).collect();
    assert_eq!(foreign, [1, 3, 4, 5, 6, 7, 8]);
    assert_eq!(entries(read), [open("a", "")]);
}

#[test]
fn a_fenced_block_makes_no_items() {
    let text = "```sh\n# No title\n- [ ] no item\n~~~\n- [x] nor this\n```\n# Title\n- [ ] a\n\n  ~~~\n  - [ ] in the note\n\n  ```\n  ~~~\n  - [ ] b\n````\n- [ ] code\n```\n- [ ] still\n````\n- [ ] c\n";
    let read = read_markdown(text);
    assert_eq!(read.title.as_deref(), Some("Title"));
    let foreign: Vec<u64> = read.foreign.iter().map(|line| line.line).collect();
    assert_eq!(foreign, [1, 2, 3, 4, 5, 6, 16, 17, 18, 19, 20]);
    let note = "~~~\n- [ ] in the note\n\n```\n~~~";
    assert_eq!(
        entries(read),
        [open("a", note), open("  b", ""), open("c", "")]
    );
}

#[test]
fn a_fence_that_nothing_closes_ends_with_what_it_stands_in() {
    let read = read_markdown(
        "- [ ] a\n  ```\n  - [ ] code\n- [ ] b\n- plain\n  ~~~\n  - [ ] code\n- [ ] c\n",
    );
    assert_eq!(
        entries(read),
        [open("a", "```\n- [ ] code"), open("b", ""), open("c", "")]
    );
    let read = read_markdown("- [ ] a\n```\n- [ ] code\n");
    assert_eq!(entries(read), [open("a", "")]);
    // What is written ends nowhere else.
    let list = [
        open("a", "code:\n```"),
        open("  b", ""),
        open("c", "\\```\nx"),
    ];
    let written = write_markdown(None, &list, Bullets::Dashes);
    assert_eq!(
        written,
        "- [ ] a\n\n  code:\n  \\```\n  - [ ] b\n- [ ] c\n\n  \\\\```\n  x\n"
    );
    assert_eq!(entries(read_markdown(&written)), list);
}

#[test]
fn a_checklist_is_written_as_markdown_and_as_text() {
    let list = [
        ticked("milk", "the good one\n\n- [ ] not an item"),
        open("  two\nlines", ""),
        open("a literal <br>\\", "\n edge "),
    ];
    let markdown = write_markdown(Some("Shop"), &list, Bullets::Dashes);
    assert_eq!(
        markdown,
        "# Shop\n\n- [x] milk\n\n  the good one\n\n  \\- [ ] not an item\n  - [ ] two<br>lines\n\
         - [ ] a literal \\<br>\\\n\n  <br>\n   edge&#32;\n"
    );
    assert_eq!(entries(read_markdown(&markdown)), list);
    let text = write_markdown(None, &list[..2], Bullets::None);
    assert_eq!(
        text,
        "[x] milk\n  the good one\n\n  \\- [ ] not an item\n  [ ] two<br>lines\n"
    );
    assert_eq!(entries(read_markdown(&text)), list[..2]);
}

/// What the format of each kind of file is tested with: much of it what the formats are made of.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("- [ ] ".to_owned()),
        Just("[x]".to_owned()),
        Just("<br>".to_owned()),
        Just("```".to_owned()),
        Just("~~~\n".to_owned()),
        Just("&#32;".to_owned()),
        Just("&#9;".to_owned()),
        Just("# ".to_owned()),
        "[ \\t\\r\\n\\\\]",
        "[ \\\\]{1,3}",
        "[a-z\\[\\]\\-.1äß\u{2028}\u{1}]{1,3}",
    ];
    proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

fn any_entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (text(), any::<bool>(), text());
    let entry = entry.prop_map(|(text, done, note)| Entry {
        id: None,
        text,
        done,
        note,
    });
    proptest::collection::vec(entry, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_was_written_is_read_as_it_was(list in any_entries(), dashes in any::<bool>()) {
        let bullets = if dashes { Bullets::Dashes } else { Bullets::None };
        let written = write_markdown(Some("Title"), &list, bullets);
        let read = read_markdown(&written);
        prop_assert_eq!(&read.foreign, &[]);
        prop_assert_eq!(read.title.as_deref(), Some("Title"));
        prop_assert_eq!(entries(read), list, "{}", written);
    }

    #[test]
    fn any_text_is_read_and_what_was_read_is_settled(file in proptest::collection::vec(text(), 0..20)) {
        let read = entries(read_markdown(&file.join("\n")));
        let written = write_markdown(None, &read, Bullets::Dashes);
        prop_assert_eq!(entries(read_markdown(&written)), read, "{}", written);
    }

    #[test]
    fn no_text_makes_the_snapshot_reader_panic(file in "[\\[\\]{}:,\"a-z0-9 ]{0,60}") {
        let _ = read_snapshot(&file);
    }

    #[test]
    fn a_snapshot_is_read_as_it_was_written(list in any_entries(), title in text()) {
        let mut snapshot = snapshot_of(&title, list);
        let written = write_snapshot(snapshot.clone(), "1").unwrap();
        snapshot.lists[0].checklist.title = Some(title);
        prop_assert_eq!(read_snapshot(&written).unwrap(), snapshot);
    }

    #[test]
    fn an_import_changes_nothing_the_second_time(
        before in any_entries(),
        file in any_entries(),
        twist in any::<[u8; 4]>(),
    ) {
        let mut list = Model::default();
        list.import(numbered(before, twist[0]));
        list.twist(twist);
        let file = numbered(file, twist[1]);
        let first = list.import(file.clone());
        let again = list.plan(file);
        prop_assert_eq!(&again.commands, &[]);
        prop_assert_eq!(again.items_new + again.items_changed, 0);
        prop_assert_eq!(
            again.items_known + again.items_gone,
            first.items_new + first.items_changed + first.items_known + first.items_gone
        );
    }
}

fn snapshot_of(title: &str, entries: Vec<Entry>) -> Snapshot {
    let entries = (1..).zip(entries).map(|(item, mut entry)| {
        entry.id = Some(ItemId::new(format!("id-{item}")).unwrap());
        (Place::Item { list: 1, item }, entry)
    });
    Snapshot {
        lists: vec![SnapshotList {
            list: ListId::new("l").unwrap(),
            title: title.to_owned(),
            checklist: Checklist {
                title: None,
                entries: entries.collect(),
                foreign: Vec::new(),
            },
        }],
    }
}

#[test]
fn snapshots_are_read_strictly() {
    let with = |schema: &str, lists: &str| {
        read_snapshot(&format!(
            r#"{{"schema":"{schema}","exportedAt":"now","more":1,"data":{{"lists":{lists},"x":[]}}}}"#
        ))
    };
    let items = |item: &str| format!(r#"[{{"listId":"l","title":"T","items":[{item}]}}]"#);
    let good = with(SCHEMA, &items(r#"{"id":"a","text":"x","done":true,"z":0}"#)).unwrap();
    assert_eq!(good.lists[0].title, "T");
    assert!(good.lists[0].checklist.entries[0].1.done);
    for wrong in [
        r#"{"id":"a","text":"x"}"#,
        r#"{"id":"a","text":"x","done":"yes"}"#,
        r#"{"id":"a","text":5,"done":true}"#,
        r#"{"text":"x","done":true}"#,
        r#"{"id":"a","text":"x","done":true,"note":7}"#,
    ] {
        let read = with(SCHEMA, &items(wrong));
        assert!(matches!(read, Err(SnapshotError::Shape(_))), "{wrong}");
    }
    let newer = with("net.aggregat4.tasklist.snapshot@v2", "7").unwrap_err();
    assert!(matches!(newer, SnapshotError::Newer { .. }));
    assert!(newer.to_string().contains("newer version"));
    let foreign = with("net.aggregat4.tasklist.snapshot@v0", "7");
    assert!(matches!(foreign, Err(SnapshotError::Foreign { .. })));
    assert!(matches!(read_snapshot("[]"), Err(SnapshotError::Shape(_))));
}
