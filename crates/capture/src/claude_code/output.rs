//! What tools and documents hold, as text.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::line::{Block, Content, Source, kind_of};
use crate::reference;

/// What a tool has given: text, or blocks of it. An image in it is named, not kept; what is neither stays as
/// it stands.
pub(super) fn output_of(raw: &RawValue) -> String {
    let blocks = match serde_json::from_str(raw.get()) {
        Ok(Content::Text(text)) => return text.into_owned(),
        Ok(Content::Blocks(blocks)) => blocks,
        Err(_) => return raw.get().to_owned(),
    };
    let mut output = String::new();
    for block in &blocks {
        if !output.is_empty() {
            output.push('\n');
        }
        output.push_str(&told(block));
    }
    output
}

/// Whether what a tool of the model's service has given is an error instead.
pub(super) fn is_failure(raw: &RawValue) -> bool {
    kind_of(raw.get()).is_some_and(|kind| kind.ends_with("_error"))
}

/// What stands for the bytes of an image or document.
pub(super) fn reference_of(source: &Source<'_>) -> Option<String> {
    let data = source.data.as_deref().filter(|_| !is_text(source));
    let bytes = || data.map(reference::of_bytes);
    address_of(source).map(reference::of_address).or_else(bytes)
}

/// What is said in a document, and of it: nothing of its bytes.
pub(super) fn words_of(block: &Block<'_>) -> String {
    let source = block.source.as_ref();
    let text = source.filter(|source| is_text(source));
    let text = text.and_then(|source| source.data.as_deref());
    let content = source.and_then(|source| source.content).map(output_of);
    let all = [
        block.title.as_deref(),
        block.context.as_deref(),
        text,
        content.as_deref(),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn told<'b>(block: &'b Block<'_>) -> Cow<'b, str> {
    let kind = block.kind.as_deref();
    match (block.text.as_deref(), &block.source) {
        (Some(text), _) if matches!(kind, None | Some("text")) => text.into(),
        (None, Some(source)) => shown(block, source).map_or(block.raw.into(), Cow::Owned),
        _ => block.raw.into(),
    }
}

/// What is shown of an image or document among what is text.
fn shown(block: &Block<'_>, source: &Source<'_>) -> Option<String> {
    let kind = source.media_type.as_deref().or(block.kind.as_deref());
    let kind = kind.unwrap_or_default();
    let data = source.data.as_deref().filter(|_| !is_text(source));
    let named = match data {
        Some(data) => Some(reference::bytes_in_output(kind, data)),
        None => address_of(source).map(|at| reference::address_in_output(kind, at)),
    };
    let words = Some(words_of(block)).filter(|words| !words.is_empty());
    let all: Vec<String> = [words, named].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join("\n"))
}

fn address_of<'s>(source: &'s Source<'_>) -> Option<&'s str> {
    source.url.as_deref().or(source.file_id.as_deref())
}

fn is_text(source: &Source<'_>) -> bool {
    source.kind.as_deref() == Some("text")
}
