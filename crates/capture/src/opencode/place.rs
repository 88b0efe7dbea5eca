//! Where a session took place, where its own file does not tell.

use std::path::PathBuf;

use serde_json::Value;
use syncline_redact::read_json;

use crate::value::text;

/// The directory that the first of these messages names that names one.
pub(super) fn directory_in(messages: &[PathBuf]) -> Option<String> {
    messages.iter().find_map(|path| {
        // Whoever reads it for what it says tells what is wrong with it.
        let message: Value = read_json(&std::fs::read(path).ok()?).ok()?;
        Some(text(&message, &["path", "cwd"])?.to_owned())
    })
}
