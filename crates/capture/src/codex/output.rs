//! What calls have given.

use std::str::FromStr;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::line::Block;
use crate::reference;

/// What a call has given.
pub(super) struct Output {
    pub text: String,
    pub exit_code: Option<i64>,
    pub success: Option<bool>,
    pub duration_ms: Option<u64>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Structured<'l> {
    #[serde(borrow)]
    output: Option<&'l RawValue>,
    #[serde(borrow)]
    content: Option<&'l RawValue>,
    success: Option<bool>,
    metadata: Option<Metadata>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Metadata {
    exit_code: Option<i64>,
    duration_seconds: Option<f64>,
}

impl Output {
    /// A text, a text that is JSON of an output and its exit code, such an object itself, or a list of blocks.
    pub(super) fn of(raw: Option<&RawValue>) -> Self {
        let written = raw.map(RawValue::get).unwrap_or_default();
        let plain = serde_json::from_str::<String>(written).ok();
        let structured = plain.as_deref().unwrap_or(written);
        let structured = serde_json::from_str::<Structured<'_>>(structured).ok();
        if let Some(found) = structured
            && let Some(text) = match plain {
                Some(_) => found.written(),
                None => found.given(),
            }
        {
            let about = found.metadata.unwrap_or_default();
            return Self {
                text,
                exit_code: about.exit_code,
                success: found.success,
                duration_ms: about.duration_seconds.and_then(millis_of),
            };
        }
        let text = plain.unwrap_or_else(|| shown(raw));
        Self {
            exit_code: told_in(&text, &["Process exited with code ", "Exit code: "]),
            success: None,
            duration_ms: told_in(&text, &["Wall time: "]).and_then(millis_of),
            text,
        }
    }
}

impl Structured<'_> {
    /// What it gives where it is an object; none: it says more, and stays as it stands.
    fn given(&self) -> Option<String> {
        let given = self.output.or(self.content);
        let given = given.filter(|_| self.rest.is_empty())?;
        Some(shown(Some(given)))
    }

    /// What it gives where it was written as a text.
    fn written(&self) -> Option<String> {
        let given = self.output.or(self.content)?;
        serde_json::from_str(given.get()).ok()
    }
}

/// What the blocks of an output say; one that is neither text nor image stays as it stands.
fn shown(raw: Option<&RawValue>) -> String {
    let blocks = Block::all_of(raw).into_iter();
    let texts = blocks.map(|block| match (&block.image_url, block.text) {
        (Some(image), _) => reference::address_in_output("image", image).into(),
        (None, Some(text)) => text,
        (None, None) => block.raw.into(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// The number that the head of an output tells behind one of `marks`.
fn told_in<T: FromStr>(text: &str, marks: &[&str]) -> Option<T> {
    let mut head = text.lines().take(8).take_while(|line| *line != "Output:");
    head.find_map(|line| {
        let told = marks.iter().find_map(|mark| line.strip_prefix(mark))?;
        told.split_whitespace().next()?.parse().ok()
    })
}

fn millis_of(seconds: f64) -> Option<u64> {
    (seconds.is_finite() && seconds >= 0.0).then(|| (seconds * 1e3).round() as u64)
}
