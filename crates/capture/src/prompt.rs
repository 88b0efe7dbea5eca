//! What of a prompt a person has said: agents and editors put things of their own before it, between tags.

/// What agents and editors say where a person speaks, by the names of the tags around it.
const TOLD: [&str; 11] = [
    "system-reminder",
    "local-command-caveat",
    "local-command-stdout",
    "local-command-stderr",
    "bash-stdout",
    "bash-stderr",
    "ide_opened_file",
    "ide_selection",
    "ide_diagnostics",
    "user-prompt-submit-hook",
    "task-notification",
];
/// How commands are written that a person has entered.
const ENTERED: [&str; 5] = [
    "command-name",
    "command-message",
    "command-args",
    "command-contents",
    "bash-input",
];
/// Commands that are about the agent itself, whatever stands behind them.
const OF_THE_AGENT: [&str; 6] = [
    "/model",
    "/config",
    "/mcp",
    "/permissions",
    "/add-dir",
    "/output-style",
];
/// What an agent notes in a person's place.
const INTERRUPTED: &str = "[Request interrupted by user";

/// Whether nothing of a text was said by a person.
pub(crate) fn is_told(text: &str) -> bool {
    !text.trim().is_empty() && behind_interruption(behind(text, &[&TOLD])).is_empty()
}

/// Whether a person has said something in a prompt that is not about the agent itself: in words, by a command that was
/// told something, or by one of their shell.
pub(crate) fn is_said(prompt: &str) -> bool {
    title_of(prompt).is_some() || behind(prompt, &[&TOLD]).starts_with("<bash-input>")
}

/// What the title of a session is made of where nobody has given it one: its first prompt, or the command that it
/// began with, if that was told something. Secrets are taken out of it before it is cut to a headline: what is left
/// of one that was cut is not found.
pub(crate) fn title_of(prompt: &str) -> Option<String> {
    const CHARS: usize = 4_000;
    let prompt = behind(prompt, &[&TOLD]);
    let said = behind_interruption(behind(prompt, &[&TOLD, &ENTERED]));
    let title = match command_of(prompt) {
        Some(command) if said.is_empty() => command,
        _ => said.to_owned(),
    };
    (!title.is_empty()).then(|| title.chars().take(CHARS).collect())
}

/// The command that a prompt is, with what it was told.
fn command_of(prompt: &str) -> Option<String> {
    let between = |tag: &str| {
        let (_, rest) = prompt.split_once(&format!("<{tag}>"))?;
        let (said, _) = rest.split_once(&format!("</{tag}>"))?;
        Some(said.trim()).filter(|said| !said.is_empty())
    };
    let (name, told) = (between("command-name")?, between("command-args")?);
    (!OF_THE_AGENT.contains(&name)).then(|| format!("{name} {told}"))
}

/// What a person has said behind the line that an agent has noted of an interruption, if it has noted one.
fn behind_interruption(text: &str) -> &str {
    match text.strip_prefix(INTERRUPTED) {
        Some(rest) => rest.split_once('\n').map_or("", |(_, said)| said.trim()),
        None => text,
    }
}

/// What stands behind the elements of these names that a text begins with.
fn behind<'t>(text: &'t str, names: &[&[&str]]) -> &'t str {
    let mut rest = text.trim();
    while let Some((name, inside)) = rest
        .strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
        .filter(|(name, _)| names.iter().any(|names| names.contains(name)))
    {
        match inside.split_once(&format!("</{name}>")) {
            Some((_, behind)) => rest = behind.trim_start(),
            None => break,
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_what_a_person_has_said() {
        let model = "<command-name>/model</command-name>\n  <command-message>model</command-message>\n  <command-args>opus</command-args>";
        let review = "<command-message>review</command-message>\n<command-name>/review</command-name>\n<command-args>the last change</command-args>";
        for (prompt, title) in [
            ("  fix it\nnow", Some("fix it\nnow")),
            ("<b>bold</b> and <i>", Some("<b>bold</b> and <i>")),
            ("<system-reminder>be kind", Some("<system-reminder>be kind")),
            (
                "<system-reminder>be kind</system-reminder>\nfix it",
                Some("fix it"),
            ),
            ("<ide_opened_file>a.rs</ide_opened_file>", None),
            ("<local-command-stdout></local-command-stdout>", None),
            ("[Request interrupted by user for tool use]", None),
            ("[Request interrupted by user]\nfix it", Some("fix it")),
            (
                "<command-name>/clear</command-name><command-args></command-args>",
                None,
            ),
            (model, None),
            (review, Some("/review the last change")),
            ("", None),
        ] {
            assert_eq!(title_of(prompt).as_deref(), title, "{prompt}");
        }
    }

    #[test]
    fn what_is_put_in_a_persons_place_is_told_from_what_was_entered() {
        for (text, told) in [
            ("<local-command-stdout>Set.</local-command-stdout>", true),
            ("<local-command-stdout></local-command-stdout>", true),
            ("[Request interrupted by user]", true),
            ("[Request interrupted by user]\nfix it", false),
            ("<system-reminder>be kind</system-reminder> fix it", false),
            ("<command-name>/clear</command-name>", false),
            ("", false),
        ] {
            assert_eq!(is_told(text), told, "{text}");
        }
    }
}
