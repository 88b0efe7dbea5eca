//! A transcript that is larger than what may be held of it.
//!
//! It has 200 MB here. `SYNCLINE_LARGE_BYTES=2000000000 cargo test -p syncline-capture --test large` reads
//! as much as is wanted, in no more memory.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that meets an error ends there and shows it"
)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use syncline_capture::agent::Agent;
use syncline_capture::import::{Counts, Importer, Keeping, Problem, Source};
use syncline_capture::privacy::Privacy;
use syncline_replica::{Replica, ReplicaOptions};

/// What is held besides: less than the line below, and than half of the transcript.
const HELD_BYTES_MAX: u64 = 95_000_000;
const LONG_LINE_BYTES: usize = 100_000_000;

fn prompt(number: u64) -> String {
    format!(
        r#"{{"type":"user","uuid":"u{number}","sessionId":"s","cwd":"/w","timestamp":"2026-03-01T10:00:00.000Z","message":{{"role":"user","content":"prompt {number}"}}}}"#
    )
}

/// Writes prompts with much of no use between them, and one that is too long in the middle; gives
/// how many prompts there are, and the number of that line.
fn write(path: &Path, bytes: u64) -> (u64, u64) {
    let idle = format!(
        r#"{{"type":"progress","sessionId":"s","data":"{}"}}"#,
        "x".repeat(64 * 1024)
    );
    let mut file = BufWriter::new(File::create(path).unwrap());
    let (mut written, mut prompts, mut lines, mut long) = (0, 0, 0, None);
    while written < bytes {
        prompts += 1;
        let prompt = prompt(prompts);
        writeln!(file, "{prompt}\n{idle}").unwrap();
        written += (prompt.len() + idle.len() + 2) as u64;
        lines += 2;
        if long.is_none() && written > bytes / 2 {
            write!(
                file,
                r#"{{"type":"user","uuid":"long","sessionId":"s","message":{{"role":"user","content":"It begins. "#
            )
            .unwrap();
            for _ in 0..LONG_LINE_BYTES / 1_000 {
                file.write_all(&[b'y'; 1_000]).unwrap();
            }
            file.write_all(b"\"}}\n").unwrap();
            written += LONG_LINE_BYTES as u64;
            lines += 1;
            long = Some(lines);
        }
    }
    file.flush().unwrap();
    (prompts, long.unwrap())
}

/// The most memory that this process has had.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse::<u64>().unwrap() * 1024
}

fn import(files: &Path, replica: &Path) -> (Counts, Vec<Problem>) {
    let mut replica = Replica::open(replica, ReplicaOptions::default()).unwrap();
    let sources = [Source {
        agent: Agent::ClaudeCode,
        root: files.to_owned(),
    }];
    let importer = Importer::new(
        &sources,
        Keeping::Written,
        Privacy::standard(),
        &mut replica,
    );
    let (mut counts, mut problems) = (Counts::default(), Vec::new());
    let told = |batch: syncline_capture::import::ImportBatch| {
        counts.add(&batch.counts);
        problems.extend(batch.problems);
    };
    importer.unwrap().write_all(&mut replica, told).unwrap();
    (counts, problems)
}

/// What a message says.
fn said(replica: &Path, message: &str) -> String {
    let mut replica = Replica::open(replica, ReplicaOptions::default()).unwrap();
    let connection = replica.view().unwrap().connection();
    let mut statement = connection.prepare(include_str!("large.sql")).unwrap();
    let texts = statement.query_map([message], |row| row.get::<_, String>(0));
    texts.unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_transcript_of_any_size_is_read_in_bounded_memory() {
    let bytes = std::env::var("SYNCLINE_LARGE_BYTES");
    let bytes = bytes.map_or(200_000_000, |bytes| bytes.parse().unwrap());
    let place = tempfile::tempdir().unwrap();
    for name in ["files", "replica"] {
        std::fs::create_dir(place.path().join(name)).unwrap();
    }
    let (files, replica) = (place.path().join("files"), place.path().join("replica"));
    let (prompts, long) = write(&files.join("s.jsonl"), bytes);
    let before = peak();
    let (counts, problems) = import(&files, &replica);
    let held = peak() - before;
    assert!(held < HELD_BYTES_MAX, "{held} bytes were held");
    assert!(counts.new >= prompts, "{counts:?}");
    let told: Vec<_> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(told, [Some(long)], "{problems:?}");
    assert!(problems[0].path.ends_with("s.jsonl"));
    let long = said(&replica, "long");
    assert!(long.starts_with("It begins. yyy"));
    assert!(
        long.ends_with("yyy … 99475723 bytes left out"),
        "{}",
        &long[long.len() - 64..]
    );
    // What was read of it is known to have been.
    let (again, _) = import(&files, &replica);
    assert_eq!((again.files, again.new), (0, 0));
}
