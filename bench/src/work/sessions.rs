//! Sessions of agents: importing transcripts, and looking for news in those that have not changed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use rusqlite::Connection;

use super::Bench;
use crate::bare;
use crate::measure::{Bar, Row};
use crate::program::syncline;

/// The tables of sessions whose rows the limit inserts, too.
const TABLES: [&str; 8] = [
    "sessions",
    "session_messages",
    "session_parts",
    "session_tools",
    "session_usage",
    "session_errors",
    "session_compactions",
    "session_links",
];

/// Transcripts under fresh ids are imported, and imported again.
pub(crate) fn import(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let bytes = bench.scaled(300_000_000, 3_000_000);
    let directory = tempfile::tempdir()?;
    let files = multiply(&directory.path().join("transcripts"), bytes)?;
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let home = tempfile::tempdir()?;
        let seconds = run_import(home.path(), &directory.path().join("transcripts"))?;
        let parse = parse(&files)?;
        let insert = insert(&tenant_file(home.path())?, &home.path().join("bare.db"))?;
        eprintln!("  import {seconds:.2} s, parse {parse:.2} s, insert {insert:.2} s");
        first.push((seconds, parse + insert));
    }
    let count = bench.scaled(10_000, 200);
    let small = tempfile::tempdir()?;
    let transcripts = small.path().join("transcripts");
    let few = multiply_files(&transcripts, count)?;
    let home = tempfile::tempdir()?;
    run_import(home.path(), &transcripts)?;
    for _ in 0..bench.runs {
        let seconds = run_import(home.path(), &transcripts)?;
        let begun = Instant::now();
        let walked = walk(&transcripts)?;
        ensure!(walked == few.len(), "{walked} files were walked");
        again.push((seconds, begun.elapsed().as_secs_f64()));
    }
    Ok(vec![
        Row::new(
            "import transcripts",
            "s",
            "parsing each line, and bare SQLite inserting the same rows with their index",
            Bar::AtMost(2.0),
            &first,
        ),
        Row::new(
            "import again, unchanged files",
            "s",
            "a bare walk with stat",
            Bar::AtMost(3.0),
            &again,
        ),
    ])
}

/// Imports all below `transcripts` into the replica of `home`; gives the seconds.
fn run_import(home: &Path, transcripts: &Path) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let output = Command::new(syncline()?)
        .args(["import", "claude-code"])
        .arg(transcripts)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(
        output.status.success(),
        "the import failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(seconds)
}

/// Parses each line of the files; gives the seconds.
fn parse(files: &[PathBuf]) -> anyhow::Result<f64> {
    let begun = Instant::now();
    for file in files {
        for line in std::fs::read(file)?.split(|byte| *byte == b'\n') {
            if !line.is_empty() {
                std::hint::black_box(serde_json::from_slice::<serde_json::Value>(line)?);
            }
        }
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Inserts the rows of `view` into a new file of the same tables; gives the seconds.
fn insert(view: &Path, path: &Path) -> anyhow::Result<f64> {
    let connection = bare::open_normal(path)?;
    connection.execute("ATTACH ? AS ours", [view.to_str().context("no text")?])?;
    let begun = Instant::now();
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for table in TABLES {
        connection.execute_batch(&format!(
            "INSERT INTO main.{table} SELECT * FROM ours.{table}"
        ))?;
    }
    connection.execute_batch(
        "INSERT INTO session_parts_fts (rowid, text) SELECT rowid, text FROM main.session_parts",
    )?;
    connection.execute_batch("COMMIT")?;
    Ok(begun.elapsed().as_secs_f64())
}

/// The tenant file below a home.
fn tenant_file(home: &Path) -> anyhow::Result<PathBuf> {
    let mut waiting = vec![home.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.unwrap_or_default();
            if path.is_dir() {
                waiting.push(path);
            } else if name.starts_with("tenant-") && name.ends_with(".db") {
                Connection::open(&path)?.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
                return Ok(path);
            }
        }
    }
    anyhow::bail!("there is no tenant file")
}

/// How many files are below a directory, each looked at.
fn walk(root: &Path) -> anyhow::Result<usize> {
    let mut waiting = vec![root.to_owned()];
    let mut files = 0;
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            let found = std::fs::metadata(&path)?;
            if found.is_dir() {
                waiting.push(path);
            } else {
                files += usize::from(found.len() > 0);
            }
        }
    }
    Ok(files)
}

/// Transcripts as an agent left them: those of the repository, and those beside it where they are there.
fn originals() -> anyhow::Result<Vec<Vec<u8>>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting = vec![here.join("../crates/capture/tests/fixtures/claude-code")];
    let beside = here.join("../../shared/data/transcripts/claude-code");
    waiting.extend(beside.is_dir().then_some(beside));
    let mut paths = Vec::new();
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|end| end == "jsonl") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let texts = paths.iter().map(std::fs::read);
    Ok(texts.collect::<Result<_, _>>()?)
}

/// Writes originals under fresh ids until they have so many bytes.
pub(super) fn multiply(root: &Path, bytes: u64) -> anyhow::Result<Vec<PathBuf>> {
    let originals = originals()?;
    let (mut files, mut written, mut copy) = (Vec::new(), 0, 0);
    while written < bytes {
        for (number, original) in originals.iter().enumerate() {
            let text = renamed(original, copy);
            written += text.len() as u64;
            files.push(put(root, copy, number, &text)?);
        }
        copy += 1;
    }
    Ok(files)
}

/// Writes so many small transcripts: the first lines of originals, under fresh ids.
fn multiply_files(root: &Path, count: u64) -> anyhow::Result<Vec<PathBuf>> {
    let originals = originals()?;
    let original = originals.first().context("there are no transcripts")?;
    let mut lines = original.split_inclusive(|byte| *byte == b'\n');
    let head: Vec<u8> = lines.by_ref().take(3).flatten().copied().collect();
    (0..count)
        .map(|copy| put(root, copy / 50, copy as usize % 50, &renamed(&head, copy)))
        .collect()
}

fn put(root: &Path, copy: u64, number: usize, text: &[u8]) -> anyhow::Result<PathBuf> {
    let directory = root.join(format!("{copy:04}"));
    std::fs::create_dir_all(&directory)?;
    let path = directory.join(format!("{number:04}.jsonl"));
    std::fs::write(&path, text)?;
    Ok(path)
}

/// The text with the beginnings of all its UUIDs, and of the ids of messages, requests and calls, made
/// those of a copy.
fn renamed(text: &[u8], copy: u64) -> Vec<u8> {
    let mut text = text.to_owned();
    let own = format!("{copy:06x}");
    let marks: [&[u8]; 3] = [b"msg_01", b"req_011", b"toolu_01"];
    let mut place = 0;
    while place + 36 <= text.len() {
        let rest = &text[place..];
        if let Some(mark) = marks.iter().find(|mark| rest.starts_with(mark)) {
            let start = place + mark.len();
            text[start..start + own.len()].copy_from_slice(own.as_bytes());
            place = start + own.len();
        } else if is_uuid(&rest[..36]) {
            text[place..place + own.len()].copy_from_slice(own.as_bytes());
            place += 36;
        } else {
            place += 1;
        }
    }
    text
}

fn is_uuid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}
