//! Codex's settings: `notify`, the one program that it calls at the end of a turn.
//!
//! The line is put first, so that it stands above every table. TOML has one `notify`: a program of
//! someone else is left there, and ours is not put beside it.

use toml_edit::{Array, Document, Item, Value};

use super::agents::{CODEX_EVENT, HookAgent, Program};
use super::edit::Edit;
use super::plan::State;

const KEY: &str = "notify";

/// Why `notify` can't be set.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CodexError {
    #[error("it is not TOML")]
    Syntax(#[from] toml_edit::TomlError),
    #[error("notify calls {program} already, and Codex calls one program only")]
    Taken { program: String },
}

pub(super) fn state(text: &str, program: &Program) -> Result<State, CodexError> {
    let words = words(&Document::parse(text)?);
    Ok(match words {
        Some(words) if words == program.call(HookAgent::Codex, CODEX_EVENT) => State::Installed,
        Some(words) if is_ours(&words) => State::Outdated,
        Some(_) | None => State::Absent,
    })
}

pub(super) fn with(text: &str, program: &Program) -> Result<(String, Vec<Edit>), CodexError> {
    let document = Document::parse(text)?;
    if let Some(item) = document.as_table().get(KEY) {
        let words = words(&document).unwrap_or_default();
        let program = words.first().cloned();
        let program = program.unwrap_or_else(|| item.to_string().trim().to_owned());
        return Err(CodexError::Taken { program });
    }
    let newline = match text.split_once('\n') {
        Some((line, _)) if line.ends_with('\r') => "\r\n",
        _ => "\n",
    };
    let call: Array = program
        .call(HookAgent::Codex, CODEX_EVENT)
        .into_iter()
        .collect();
    let find = format!("{KEY} = {}{newline}", Value::Array(call).to_string().trim());
    let edit = Edit {
        find,
        leave: String::new(),
    };
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let (mark, rest) = text.split_at(start);
    Ok((format!("{mark}{}{rest}", edit.find), vec![edit]))
}

/// The text without our line; what else stands on it stays.
pub(super) fn without(text: &str) -> Result<String, CodexError> {
    let document = Document::parse(text)?;
    let is_ours = words(&document).is_some_and(|words| is_ours(&words));
    let found = document.as_table().get_key_value(KEY).filter(|_| is_ours);
    let place = found.and_then(|(key, item)| key.span().zip(item.span()));
    let Some((key, value)) = place else {
        return Ok(text.to_owned());
    };
    let rest = &text[value.end..];
    let line = rest.find('\n').map_or(rest, |newline| &rest[..=newline]);
    let rest = match line.trim().is_empty() {
        true => &rest[line.len()..],
        false => rest.trim_start_matches([' ', '\t']),
    };
    Ok(format!("{}{rest}", &text[..key.start]))
}

/// The words of `notify`, if it is an array of texts.
fn words<S>(document: &Document<S>) -> Option<Vec<String>> {
    let words = document.as_table().get(KEY).and_then(Item::as_array)?;
    let words = words.iter().map(|word| word.as_str().map(str::to_owned));
    words.collect()
}

pub(super) fn is_ours(words: &[String]) -> bool {
    let call = ["hook", "run", "codex"];
    let is_call = |window: &[String]| window.iter().eq(call);
    words
        .first()
        .is_some_and(|program| program.contains("syncline"))
        && words.windows(call.len()).any(is_call)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(path: &str) -> Program {
        Program {
            words: vec![path.to_owned()],
        }
    }

    #[test]
    fn the_line_stands_above_all_tables_and_goes_as_it_came() {
        for text in [
            "",
            "# mine\nmodel = \"o3\" # fast\n\n[tui]\nnotifications = true",
            "[a]\r\nb = 1\r\n",
            "\u{feff}a = 1\n",
        ] {
            let (with, edits) = with(text, &program("/b in/syncline")).unwrap();
            assert_eq!(
                state(&with, &program("/b in/syncline")).unwrap(),
                State::Installed
            );
            assert_eq!(
                state(&with, &program("/other/syncline")).unwrap(),
                State::Outdated
            );
            assert_eq!(
                super::super::edit::undo(&with, &edits).as_deref(),
                Some(text)
            );
            assert_eq!(without(&with).unwrap(), text);
        }
    }

    #[test]
    fn our_line_goes_from_wherever_it_was_moved_to() {
        let text = "a = 1\nnotify = [\n  \"syncline\",\n  \"hook\", \"run\", \"codex\", \"agent-turn-complete\" ] # ours\n[b]\n";
        assert_eq!(without(text).unwrap(), "a = 1\n# ours\n[b]\n");
    }

    #[test]
    fn a_program_of_others_is_left_there() {
        let text = "notify = [\"python3\", \"n.py\"]\n";
        assert_eq!(state(text, &program("syncline")).unwrap(), State::Absent);
        assert!(
            matches!(with(text, &program("syncline")), Err(CodexError::Taken { program }) if program == "python3")
        );
        assert_eq!(without(text).unwrap(), text);
        assert!(matches!(
            with("a = ", &program("syncline")),
            Err(CodexError::Syntax(_))
        ));
    }
}
