//! Whose sessions the daemon captures by itself.

use syncline_capture::agent::Agent;
use syncline_daemon::Captured;

use super::SettingError;

/// Reads `true`, `false`, the name of an agent, or a JSON array of names.
pub(super) fn parse(text: &str) -> Result<Captured, SettingError> {
    let text = text.trim();
    match text {
        "true" => return Ok(Captured::Every),
        "false" => return Ok(Captured::Nobody),
        _ => {}
    }
    let names: Vec<String> = match text.starts_with('[') {
        true => serde_json::from_str(text).map_err(|_| SettingError::Capture)?,
        false => vec![text.to_owned()],
    };
    let agents = names.iter().map(|name| name.parse::<Agent>());
    let agents: Result<Vec<Agent>, _> = agents.collect();
    let agents = agents.map_err(|_| SettingError::Capture)?;
    Ok(match agents.is_empty() {
        true => Captured::Nobody,
        false => Captured::These(agents),
    })
}

/// The names of agents, where not all of them or none are captured.
fn names(captured: &Captured) -> Option<Vec<&'static str>> {
    match captured {
        Captured::Every | Captured::Nobody => None,
        Captured::These(agents) => Some(agents.iter().map(|agent| agent.as_str()).collect()),
    }
}

/// As JSON.
pub(crate) fn json(captured: &Captured) -> serde_json::Value {
    match names(captured) {
        Some(names) => names.into(),
        None => (*captured == Captured::Every).into(),
    }
}

/// As it is written into the file.
pub(super) fn to_toml(captured: &Captured) -> toml_edit::Value {
    match names(captured) {
        Some(names) => names.into_iter().collect::<toml_edit::Array>().into(),
        None => (*captured == Captured::Every).into(),
    }
}

/// As it is shown, and read again.
pub(super) fn text(captured: &Captured) -> String {
    match names(captured).as_deref() {
        Some([name]) => (*name).to_owned(),
        Some(names) => serde_json::to_string(names).expect("texts are written as JSON"),
        None => (*captured == Captured::Every).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_again() {
        for (given, shown) in [
            ("true", "true"),
            (" false ", "false"),
            ("[]", "false"),
            ("codex", "codex"),
            (r#"["codex"]"#, "codex"),
            (r#"["codex", "gemini"]"#, r#"["codex","gemini"]"#),
        ] {
            let captured = parse(given).unwrap();
            assert_eq!(text(&captured), shown);
            assert_eq!(parse(shown), Ok(captured));
        }
        for given in ["", "yes, all", "clippy", "[1]", r#"["codex""#] {
            assert_eq!(parse(given), Err(SettingError::Capture), "{given}");
        }
    }
}
