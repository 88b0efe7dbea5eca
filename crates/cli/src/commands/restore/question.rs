//! What a person is asked before logs of a server are replaced.

use syncline_model::EpochMode;
use syncline_store::backup::{BackupKind, Manifest};
use syncline_store::control::DataDirectory;

use crate::failure::Failure;
use crate::wording::counted;

/// How many logs are named in a question.
const NAMES_MAX: usize = 5;

/// What is to be confirmed: which logs are replaced, and which become empty; none: nothing is touched.
pub(super) fn of(
    directory: &DataDirectory,
    mode: EpochMode,
    manifest: &Manifest,
) -> Result<Option<String>, Failure> {
    let (mut replaced, mut emptied) = (Vec::new(), Vec::new());
    for path in directory.tenant_files()? {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = format!("tenants/{}", name.unwrap_or_default());
        let held = manifest.files.iter().any(|file| file.name == name);
        let left_out = manifest.left_out.iter().any(|left| left.name == name);
        let is_whole = manifest.kind == BackupKind::Server;
        if held {
            replaced.push(name);
        } else if is_whole && mode == EpochMode::Follow && !left_out {
            emptied.push(name);
        }
    }
    if replaced.is_empty() && emptied.is_empty() {
        return Ok(None);
    }
    let fate = match mode {
        EpochMode::Heal => "What was written since is offered again by the replicas that hold it.",
        EpochMode::Follow => "What was written since is discarded, by every replica.",
    };
    let emptied = match emptied.len() {
        0 => String::new(),
        1 => format!(" {} that it lacks becomes empty.", listed(&emptied)),
        _ => format!(" {} that it lacks become empty.", listed(&emptied)),
    };
    Ok(Some(format!(
        "Replace {} in {} by the backup of {}?{emptied} {fate}",
        listed(&replaced),
        directory.path().display(),
        manifest.made_at
    )))
}

/// How many logs, and the names of the first of them.
pub(super) fn listed(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_MAX).map(String::as_str);
    let shown: Vec<_> = shown.collect();
    let more = if names.len() > NAMES_MAX { ", …" } else { "" };
    let count = counted(names.len() as u64, "log");
    match &shown[..] {
        [] => count,
        shown => format!("{count} ({}{more})", shown.join(", ")),
    }
}
