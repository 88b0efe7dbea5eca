use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use super::*;

/// What a reading gave: lines, numbers of lines that were too long, whether it began anew.
#[derive(Debug, Default, PartialEq)]
struct Given {
    lines: Vec<(u64, String)>,
    too_long: Vec<u64>,
    restarted: bool,
}

/// Reads what is new, and moves the mark.
fn read(path: &Path, mark: &mut Option<Mark>) -> Option<Given> {
    let tail = match open(path, mark.as_ref()).unwrap() {
        Standing::Unchanged => return None,
        Standing::Changed(tail) => *tail,
    };
    let mut lines = tail.lines().unwrap();
    let mut given = Given {
        restarted: tail.restarted,
        ..Given::default()
    };
    while let Some(line) = lines.next_line().unwrap() {
        match line {
            Ok(line) => given.lines.push((line.number, line.text.to_owned())),
            Err(long) => given.too_long.push(long.number),
        }
    }
    *mark = Some(tail.mark_at_end(&lines).unwrap());
    Some(given)
}

fn texts(given: Option<Given>) -> Vec<String> {
    let lines = given.map(|given| given.lines).unwrap_or_default();
    lines.into_iter().map(|(_, text)| text).collect()
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn a_mark_that_is_written_down_tells_of_a_file_as_one_that_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.jsonl");
    fs::write(&path, "{\"a\":1}\n").unwrap();
    let mut mark = None;
    read(&path, &mut mark);
    let mut mark = mark.unwrap();
    let written = |mark: &Mark| serde_json::to_string(mark).unwrap();
    assert!(Mark::says_unchanged(&written(&mark), &path));
    assert!(!Mark::says_left_out(&written(&mark)));
    // Whatever its cause holds.
    mark.left_out = Some("\"look\":{\"device\":0}, \"left_out\":".into());
    assert!(Mark::says_left_out(&written(&mark)));
    assert!(Mark::says_unchanged(&written(&mark), &path));
    append(&path, b"{\"b\":2}\n");
    assert!(!Mark::says_unchanged(&written(&mark), &path));
    fs::remove_file(&path).unwrap();
    assert!(!Mark::says_unchanged(&written(&mark), &path));
    assert!(!Mark::says_unchanged("{}", &path));
}

#[test]
fn a_torn_last_line_waits_for_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.jsonl");
    fs::write(&path, "{\"a\":1}\n{\"b\":").unwrap();
    let mut mark = None;
    assert_eq!(texts(read(&path, &mut mark)), ["{\"a\":1}"]);
    assert_eq!(read(&path, &mut mark), None);
    append(&path, b"2}\n");
    let given = read(&path, &mut mark).unwrap();
    assert_eq!(given.lines, [(2, "{\"b\":2}".to_owned())]);
    assert!(!given.restarted);
}

#[test]
fn a_whole_value_needs_no_line_end_and_is_given_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.jsonl");
    fs::write(&path, "{\"a\":1}").unwrap();
    let mut mark = None;
    assert_eq!(texts(read(&path, &mut mark)), ["{\"a\":1}"]);
    append(&path, b"\n{\"b\":2}\n");
    assert_eq!(texts(read(&path, &mut mark)), ["{\"b\":2}"]);
}

#[test]
fn a_file_that_was_cut_rewound_or_replaced_is_read_from_its_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.jsonl");
    fs::write(&path, "1\n2\n3\n").unwrap();
    let mut mark = None;
    assert_eq!(texts(read(&path, &mut mark)), ["1", "2", "3"]);
    fs::write(&path, "1\n").unwrap();
    let given = read(&path, &mut mark).unwrap();
    assert!(given.restarted);
    assert_eq!(texts(Some(given)), ["1"]);
    // Rewound to after the first line, and grown beyond the mark since.
    append(&path, b"2\n");
    assert_eq!(texts(read(&path, &mut mark)), ["2"]);
    fs::write(&path, "1\nx\ny\nz\n").unwrap();
    let given = read(&path, &mut mark).unwrap();
    assert!(given.restarted);
    assert_eq!(texts(Some(given)), ["1", "x", "y", "z"]);
    // Another file under the name, which begins as the former one: it goes on.
    let other = directory.path().join("b.jsonl");
    fs::write(&other, "1\nx\ny\nz\nnew\n").unwrap();
    fs::rename(&other, &path).unwrap();
    let given = read(&path, &mut mark).unwrap();
    assert!(!given.restarted);
    assert_eq!(texts(Some(given)), ["new"]);
}

#[test]
fn a_rewrite_far_before_the_mark_of_a_long_file_is_seen_at_its_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.jsonl");
    let rest = "x\n".repeat(20_000);
    fs::write(&path, format!("first\n{rest}")).unwrap();
    let mut mark = None;
    read(&path, &mut mark);
    fs::write(&path, format!("other\n{rest}more\n")).unwrap();
    assert!(read(&path, &mut mark).unwrap().restarted);
}

#[test]
fn junk_is_mended_and_blank_lines_count_as_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.jsonl");
    fs::write(&path, b"\0\0\0\n\r\n\0\0{\"a\":1}\r\n\xff\xfe\n").unwrap();
    let given = read(&path, &mut None).unwrap();
    let expected = [
        (3, "{\"a\":1}".to_owned()),
        (4, "\u{fffd}\u{fffd}".to_owned()),
    ];
    assert_eq!(given.lines, expected);
}

#[test]
fn of_a_line_over_the_bound_its_texts_are_cut_or_its_ids_given_however_it_is_written() {
    let long = format!("{{\"uuid\":\"u1\",\"x\":\"{}\"}}", "x".repeat(1000));
    let text = format!("a\n{long}\nb\n");
    for (cut, longest) in (0..=text.len()).flat_map(|cut| [(cut, 8), (cut, 256)]) {
        let (mut mark, mut given, mut too_long) = (Mark::default(), Vec::new(), Vec::new());
        for end in [cut, text.len()] {
            let rest = &text.as_bytes()[mark.offset as usize..end];
            let mut lines = Lines::bounded(rest, &mark, longest);
            while let Some(line) = lines.next_line().unwrap() {
                match line {
                    Ok(line) => given.push((line.number, line.text.to_owned())),
                    Err(long) => too_long.push(long),
                }
            }
            assert!(lines.held.capacity() < 600);
            mark = lines.position();
        }
        let [found] = &*too_long else {
            unreachable!("{too_long:?}");
        };
        assert_eq!(found.is_shortened, longest == 256);
        match found.is_shortened {
            true => assert_eq!(
                found.stub,
                "{\"uuid\":\"u1\",\"x\":\"xxxx … 996 bytes left out\"}"
            ),
            false => assert!(found.stub.contains("\"uuid\":\"u1\"")),
        }
        // It is whole without its end, as far as its texts tell that.
        let is_taken_early = found.is_shortened && cut == 2 + long.len();
        let bytes = long.len() as u64 + u64::from(!is_taken_early);
        assert_eq!((found.number, found.bytes), (2, bytes));
        assert_eq!(given, [(1, "a".to_owned()), (3, "b".to_owned())]);
    }
}

#[test]
fn a_file_that_takes_the_name_while_another_is_read_is_read_from_its_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.jsonl");
    fs::write(&path, "1\n2\n").unwrap();
    let Standing::Changed(tail) = open(&path, None).unwrap() else {
        unreachable!("it was never read");
    };
    let mut lines = tail.lines().unwrap();
    while lines.next_line().unwrap().is_some() {}
    let other = directory.path().join("b.jsonl");
    fs::write(&other, "x\ny\nz\n").unwrap();
    fs::rename(&other, &path).unwrap();
    let mut mark = Some(tail.mark_at_end(&lines).unwrap());
    let given = read(&path, &mut mark).unwrap();
    assert!(given.restarted);
    assert_eq!(texts(Some(given)), ["x", "y", "z"]);
}

#[test]
fn a_reading_that_was_cut_short_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.jsonl");
    fs::write(&path, "1\n2\n3\n").unwrap();
    let Standing::Changed(tail) = open(&path, None).unwrap() else {
        unreachable!("it was never read");
    };
    let mut lines = tail.lines().unwrap();
    assert_eq!(lines.next_line().unwrap().unwrap().unwrap().text, "1");
    let mut mark = Some(tail.mark_midway(&lines).unwrap());
    assert_eq!(texts(read(&path, &mut mark)), ["2", "3"]);
    assert_eq!(read(&path, &mut mark), None);
}

#[test]
fn a_file_that_vanishes_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let missing = open(&directory.path().join("none"), None);
    assert!(matches!(missing, Err(TailError::Gone { .. })));
}
