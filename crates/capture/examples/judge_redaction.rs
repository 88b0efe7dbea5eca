//! Shows what redaction takes out of Claude Code transcripts, one line each, so that a person can judge.
//!
//! `cargo run -p syncline-capture --example judge_redaction -- [--speed] PATH…`; other files are read as
//! one text each.

#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;
use syncline_capture::redact::Redactor;

fn main() -> std::io::Result<()> {
    let (flags, paths): (Vec<_>, Vec<_>) = std::env::args()
        .skip(1)
        .partition(|one| one.starts_with("--"));
    let mut texts = Vec::new();
    for path in &paths {
        collect(Path::new(path), &mut texts)?;
    }
    let redactor = Redactor::standard();
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    let started = Instant::now();
    let _ = redactor.redact_text("");
    let built = started.elapsed();
    let started = Instant::now();
    let found: Vec<_> = texts
        .iter()
        .map(|(_, text)| redactor.redact_text(text))
        .collect();
    let took = started.elapsed();
    if !flags.iter().any(|flag| flag == "--speed") {
        for ((path, before), after) in texts.iter().zip(&found) {
            for finding in &after.findings {
                let from = floor(&after.text, finding.range.start.saturating_sub(60));
                let to = floor(&after.text, (finding.range.end + 30).min(after.text.len()));
                println!("{}\t{:?}", path.display(), &after.text[from..to]);
            }
            if !after.findings.is_empty() && flags.iter().any(|flag| flag == "--lost") {
                lost(before, &after.text);
            }
        }
    }
    let findings: usize = found.iter().map(|one| one.findings.len()).sum();
    let speed = bytes as f64 / took.as_secs_f64() / 1e6;
    println!(
        "{} texts, {bytes} bytes, {findings} findings, {speed:.0} MB/s, built in {built:?}",
        texts.len()
    );
    Ok(())
}

/// Prints what is in `before` and no longer in `after`.
fn lost(before: &str, after: &str) {
    let mut rest = before;
    let mut kept = String::new();
    let mut shown = after;
    while let Some(start) = shown.find("[redacted:") {
        kept.push_str(&shown[..start]);
        let marker = shown[start..].find(']').map(|end| end + 1);
        let end = marker.map_or(shown.len(), |length| start + length);
        let next: String = shown[end..].chars().take(12).collect();
        rest = rest.strip_prefix(&shown[..start]).unwrap_or(rest);
        let length = if next.is_empty() {
            rest.len()
        } else {
            rest.find(&next).unwrap_or(0)
        };
        println!("\t{} lost {:?}", &shown[start..end], &rest[..length]);
        rest = &rest[length..];
        shown = &shown[end..];
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn collect(path: &Path, texts: &mut Vec<(PathBuf, String)>) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), texts)?;
        }
        return Ok(());
    }
    let Ok(text) = std::fs::read_to_string(path) else {
        return Ok(());
    };
    if path
        .extension()
        .is_none_or(|extension| extension != "jsonl")
    {
        texts.push((path.to_owned(), text));
        return Ok(());
    }
    for line in text.lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        match &line["message"]["content"] {
            Value::String(text) => texts.push((path.to_owned(), text.clone())),
            Value::Array(parts) => {
                for part in parts {
                    let mut text = String::new();
                    gather(part, &mut text);
                    texts.push((path.to_owned(), text));
                }
            }
            _ => {
                if let Some(text) = line["content"].as_str() {
                    texts.push((path.to_owned(), text.to_owned()));
                }
            }
        }
    }
    Ok(())
}

/// The texts of a part; a tool's input as JSON.
fn gather(part: &Value, text: &mut String) {
    if let Some(input) = part.get("input") {
        text.push_str(&input.to_string());
    }
    for key in ["text", "thinking", "content"] {
        match &part[key] {
            Value::String(one) => text.push_str(one),
            Value::Array(parts) => parts.iter().for_each(|part| gather(part, text)),
            _ => {}
        }
    }
}
