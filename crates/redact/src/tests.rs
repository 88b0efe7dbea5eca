//! Tests of redaction as a whole. Secrets are drawn or put together as the tests run: no text of this
//! repository looks like one.

mod arguments;
mod contexts;
mod disguises;
mod entropy;
mod judged;
mod keys;
mod labels;
mod laws;
mod lines;
mod members;
mod options;
mod samples;
mod tokens;
mod torn;

use super::Redactor;

/// A piece of a secret so long tells something.
const TELLING_BYTES: usize = 8;

/// Fails with every text that still tells a piece of its secret.
#[track_caller]
fn assert_all_gone(texts: impl IntoIterator<Item = (String, String)>) {
    let redactor = Redactor::standard();
    let mut failures = Vec::new();
    let mut count = 0;
    for (text, secret) in texts {
        count += 1;
        let redacted = redactor.redact_text(&text);
        if let Some(left) = survivor(&redacted.text, &secret) {
            failures.push(format!(
                "{left:?} of {secret:?} survives:\n{text}\nbecomes\n{}",
                redacted.text
            ));
        } else if redactor.redact_text(&redacted.text).text != redacted.text {
            failures.push(format!("redacting twice changes\n{}", redacted.text));
        }
    }
    let failed = failures.len();
    assert!(
        failures.is_empty(),
        "{failed} of {count}:\n{}",
        failures.join("\n\n")
    );
}

/// Fails with every text that is changed.
#[track_caller]
fn assert_all_kept<'t>(texts: impl IntoIterator<Item = &'t str>) {
    let redactor = Redactor::standard();
    let changed: Vec<_> = texts
        .into_iter()
        .map(|text| (text, redactor.redact_text(text).text))
        .filter(|(text, redacted)| text != redacted)
        .collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

/// A telling piece of `secret` that is in `text`.
fn survivor<'s>(text: &str, secret: &'s str) -> Option<&'s str> {
    let length = secret.len().min(TELLING_BYTES);
    let text: String = text
        .split(super::MARKER)
        .enumerate()
        .map(|(at, part)| match part.split_once(']') {
            Some((_, after)) if at > 0 => after,
            _ => part,
        })
        .collect::<Vec<_>>()
        .join("\n");
    (0..=secret.len() - length)
        .filter_map(|at| secret.get(at..at + length))
        .find(|piece| text.contains(piece))
}
