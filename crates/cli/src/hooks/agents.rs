//! The agents that call hooks: where their settings lie, which events they tell of, and what they call.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;
use syncline_capture::agent::Agent;

use super::codex;
use super::json::Json;
use crate::paths::System;

/// An agent with hooks that we can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HookAgent {
    ClaudeCode,
    #[value(name = "opencode")]
    #[serde(rename = "opencode")]
    OpenCode,
    Cursor,
    Codex,
}

/// How settings in JSON list what is called for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Groups, each with a list of handlers.
    Groups,
    /// Handlers.
    Handlers,
}

/// The events of Claude Code that say that a transcript has grown, or that a session has begun or ended.
/// Not those of single tool calls: they would cost a process each, and the transcript holds them.
const CLAUDE_CODE_EVENTS: [&str; 6] = [
    "SessionStart",
    "UserPromptSubmit",
    "Stop",
    "SubagentStop",
    "PreCompact",
    "SessionEnd",
];
/// The same of Cursor; none that waits for a verdict.
const CURSOR_EVENTS: [&str; 5] = [
    "sessionStart",
    "stop",
    "subagentStop",
    "preCompact",
    "sessionEnd",
];
/// The one event that Codex tells of.
pub(super) const CODEX_EVENT: &str = "agent-turn-complete";
/// After how many seconds Claude Code gives a hook up; ours takes some thousandths of one.
const TIMEOUT_SECONDS: u32 = 5;

impl HookAgent {
    pub(crate) const ALL: [Self; 4] = [Self::ClaudeCode, Self::OpenCode, Self::Cursor, Self::Codex];

    pub(crate) const fn agent(self) -> Agent {
        match self {
            Self::ClaudeCode => Agent::ClaudeCode,
            Self::OpenCode => Agent::OpenCode,
            Self::Cursor => Agent::Cursor,
            Self::Codex => Agent::Codex,
        }
    }

    /// The file with its user's settings; `variable` looks a variable of the environment up.
    pub(crate) fn file(self, home: &Path, variable: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
        match self {
            Self::ClaudeCode => {
                let named = variable("CLAUDE_CONFIG_DIR");
                named
                    .unwrap_or_else(|| home.join(".claude"))
                    .join("settings.json")
            }
            Self::OpenCode => {
                let named = variable("XDG_CONFIG_HOME");
                let directory = named
                    .unwrap_or_else(|| home.join(".config"))
                    .join("opencode");
                // Both names are looked in; the first is that of older versions.
                let old = directory.join("plugin");
                let plugins = if old.is_dir() {
                    old
                } else {
                    directory.join("plugins")
                };
                plugins.join("syncline.ts")
            }
            Self::Cursor => home.join(".cursor").join("hooks.json"),
            Self::Codex => {
                let named = variable("CODEX_HOME");
                named
                    .unwrap_or_else(|| home.join(".codex"))
                    .join("config.toml")
            }
        }
    }

    pub(super) const fn events(self) -> &'static [&'static str] {
        match self {
            Self::ClaudeCode => &CLAUDE_CODE_EVENTS,
            Self::Cursor => &CURSOR_EVENTS,
            Self::Codex => &[CODEX_EVENT],
            Self::OpenCode => &[],
        }
    }

    /// The settings of who manages the machine, which count before the user's.
    pub(super) fn managed_file(self) -> Option<PathBuf> {
        match (self, System::current()) {
            (Self::ClaudeCode, System::Linux) => {
                Some(PathBuf::from("/etc/claude-code/managed-settings.json"))
            }
            (Self::ClaudeCode, System::MacOs) => Some(PathBuf::from(
                "/Library/Application Support/ClaudeCode/managed-settings.json",
            )),
            (Self::ClaudeCode | Self::OpenCode | Self::Cursor | Self::Codex, _) => None,
        }
    }

    /// The keys of its settings that keep it from calling hooks of its user's, where they are true.
    pub(super) const fn disabling_keys(self) -> &'static [&'static str] {
        match self {
            Self::ClaudeCode => &["disableAllHooks", "allowManagedHooksOnly"],
            Self::OpenCode | Self::Cursor | Self::Codex => &[],
        }
    }

    pub(super) const fn shape(self) -> Shape {
        match self {
            Self::ClaudeCode => Shape::Groups,
            Self::Cursor | Self::Codex | Self::OpenCode => Shape::Handlers,
        }
    }

    /// What is listed for an event.
    pub(super) fn entry(self, command: String) -> Json {
        let command = ("command", Json::Text(command));
        match self.shape() {
            Shape::Handlers => Json::Object(vec![command]),
            Shape::Groups => {
                let kind = ("type", Json::Text("command".to_owned()));
                let timeout = ("timeout", Json::Number(TIMEOUT_SECONDS));
                let handler = Json::Object(vec![kind, command, timeout]);
                Json::Object(vec![("hooks", Json::Array(vec![handler]))])
            }
        }
    }

    /// Settings that hold these hooks and nothing else.
    pub(super) fn whole(self, hooks: Json) -> Json {
        let hooks = ("hooks", hooks);
        match self {
            Self::Cursor => Json::Object(vec![("version", Json::Number(1)), hooks]),
            Self::ClaudeCode | Self::Codex | Self::OpenCode => Json::Object(vec![hooks]),
        }
    }
}

/// This program, as agents are to call it: its path, and the flags that come first.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) words: Vec<String>,
}

impl Program {
    /// The words by which the hook of an event is called.
    pub(super) fn call(&self, agent: HookAgent, event: &str) -> Vec<String> {
        let mut words = self.words.clone();
        words.extend(["hook", "run", agent.agent().as_str(), event].map(str::to_owned));
        words
    }

    /// The same, as a line for a shell.
    pub(super) fn line(&self, agent: HookAgent, event: &str) -> String {
        let words = self.call(agent, event);
        let words: Vec<String> = words.iter().map(|word| shell_quoted(word)).collect();
        words.join(" ")
    }

    /// Whether its calls are known as ours where they stand: by its name, as nothing else there tells.
    pub(super) fn is_known(&self, agent: HookAgent) -> bool {
        match agent {
            HookAgent::ClaudeCode | HookAgent::Cursor => {
                let mut events = agent.events().iter();
                events.all(|event| is_ours(&self.line(agent, event), agent))
            }
            HookAgent::Codex => codex::is_ours(&self.call(agent, CODEX_EVENT)),
            // The plugin is a file of its own.
            HookAgent::OpenCode => true,
        }
    }
}

/// Whether a line for a shell calls our hook.
pub(super) fn is_ours(line: &str, agent: HookAgent) -> bool {
    let call = format!(" hook run {} ", agent.agent());
    line.split_once(&call)
        .is_some_and(|(program, _)| program.contains("syncline"))
}

/// A word as a shell reads it back; on Windows such a shell comes with the agent, and reads `\` as we do
/// not mean it.
fn shell_quoted(word: &str) -> String {
    let word = match cfg!(windows) {
        true => word.replace('\\', "/"),
        false => word.to_owned(),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell_where_they_need_to_be() {
        for (word, quoted) in [
            ("/usr/bin/syncline", "/usr/bin/syncline"),
            ("/a b/syncline", "'/a b/syncline'"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(shell_quoted(word), quoted);
        }
    }

    #[test]
    fn our_own_calls_are_known_wherever_the_program_lies() {
        let words = vec![
            "/opt/a b/syncline".to_owned(),
            "--profile".to_owned(),
            "x".to_owned(),
        ];
        let line = Program { words }.line(HookAgent::Cursor, "stop");
        assert!(is_ours(&line, HookAgent::Cursor));
        assert!(!is_ours(&line, HookAgent::ClaudeCode));
        assert!(!is_ours("echo hook run cursor stop", HookAgent::Cursor));
    }

    #[test]
    fn settings_lie_where_their_agents_look() {
        let home = Path::new("/home/ada");
        let none = |_: &str| None;
        let of = |agent: HookAgent| agent.file(home, none);
        assert_eq!(
            of(HookAgent::ClaudeCode),
            Path::new("/home/ada/.claude/settings.json")
        );
        assert_eq!(
            of(HookAgent::Cursor),
            Path::new("/home/ada/.cursor/hooks.json")
        );
        assert_eq!(
            of(HookAgent::Codex),
            Path::new("/home/ada/.codex/config.toml")
        );
        let plugin = Path::new("/home/ada/.config/opencode/plugins/syncline.ts");
        assert_eq!(of(HookAgent::OpenCode), plugin);
        let named = |_: &str| Some(PathBuf::from("/x"));
        let of = |agent: HookAgent| agent.file(home, named);
        assert_eq!(of(HookAgent::ClaudeCode), Path::new("/x/settings.json"));
        assert_eq!(of(HookAgent::Codex), Path::new("/x/config.toml"));
        assert_eq!(
            of(HookAgent::OpenCode),
            Path::new("/x/opencode/plugins/syncline.ts")
        );
    }
}
