//! OpenCode's hook: a plugin, which is a file of ours and of nobody else.

use super::agents::Program;
use super::edit::Edit;
use super::plan::State;

/// The plugin, as it is typechecked and tested.
const SOURCE: &str = include_str!("../../../../plugins/opencode/src/syncline.ts");
/// The line that says what is called.
const PROGRAM_LINE: &str = "const program: readonly string[] = ";
/// By which a file of ours is known.
const MARK: &str = "// Syncline's plugin for OpenCode";

/// Why the plugin can't be written or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenCodeError {
    #[error("there is a file of this name that is not ours")]
    Foreign,
    #[error("it was changed by hand")]
    Edited,
}

pub(super) fn state(text: &str, program: &Program) -> State {
    match text.starts_with(MARK) {
        true if text == plugin(program) => State::Installed,
        true => State::Outdated,
        false => State::Absent,
    }
}

pub(super) fn with(text: &str, program: &Program) -> Result<(String, Vec<Edit>), OpenCodeError> {
    if !text.is_empty() {
        return Err(OpenCodeError::Foreign);
    }
    let plugin = plugin(program);
    let edit = Edit {
        find: plugin.clone(),
        leave: String::new(),
    };
    Ok((plugin, vec![edit]))
}

/// Nothing, if the file is ours as this version wrote it.
pub(super) fn without(text: &str) -> Result<String, OpenCodeError> {
    if !text.starts_with(MARK) {
        return Ok(text.to_owned());
    }
    match others(text).eq(others(SOURCE)) {
        true => Ok(String::new()),
        false => Err(OpenCodeError::Edited),
    }
}

/// All lines but that which names the program.
fn others(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with(PROGRAM_LINE))
}

fn plugin(program: &Program) -> String {
    let words = serde_json::to_string(&program.words).expect("texts are written as JSON");
    let line = |line: &str| match line.starts_with(PROGRAM_LINE) {
        true => format!("{PROGRAM_LINE}{words};\n"),
        false => format!("{line}\n"),
    };
    SOURCE.lines().map(line).collect()
}
