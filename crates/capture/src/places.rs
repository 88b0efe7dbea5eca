//! Where each agent leaves its transcripts.
//!
//! [`standard`] is a pure function of the system, the environment and the home directory, so that the
//! places of every system are tested on every other.

mod histories;

use crate::agent::Agent;
pub(crate) use histories::HISTORY;
pub use histories::histories;

/// A family of operating systems with places of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux and other Unix systems: the XDG base directories.
    Linux,
    MacOs,
    Windows,
}

impl System {
    /// The system that this was built for.
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// What a place is looked up in.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<F> {
    pub system: System,
    /// Gives the value of a variable of the environment; none where it is empty or not set.
    pub variable: F,
}

/// The places in which `agent` leaves its transcripts, the preferred one first. Not all of them need
/// be there. Aider's lie in each repository: [`histories`] finds them.
pub fn standard<F: Fn(&str) -> Option<String>>(
    agent: Agent,
    surroundings: &Surroundings<F>,
    home: &str,
) -> Vec<String> {
    let find = Find { surroundings, home };
    match agent {
        Agent::ClaudeCode => match find.variable("CLAUDE_CONFIG_DIR") {
            // Several directories may be named, as `:` of a path is no part of a name there.
            Some(dirs) => {
                let named = dirs.split(',').filter(|dir| !dir.is_empty());
                named.map(|dir| find.join(dir, &["projects"])).collect()
            }
            None => vec![
                find.home(&[".claude", "projects"]),
                find.join(&find.config(), &["claude", "projects"]),
            ],
        },
        Agent::Codex => {
            let base = find.variable("CODEX_HOME");
            let base = base.unwrap_or_else(|| find.home(&[".codex"]));
            vec![
                find.join(&base, &["sessions"]),
                find.join(&base, &["archived_sessions"]),
            ]
        }
        Agent::OpenCode => {
            let data = find.variable("XDG_DATA_HOME");
            let data = data.unwrap_or_else(|| find.home(&[".local", "share"]));
            vec![find.join(&data, &["opencode"])]
        }
        Agent::Cursor => vec![
            find.join(&find.application(), &["Cursor", "User"]),
            find.home(&[".cursor", "projects"]),
        ],
        Agent::Gemini => vec![find.home(&[".gemini", "tmp"])],
        Agent::Aider => Vec::new(),
        Agent::Clankers => {
            let base = find.variable("CLANKERS_DATA_PATH");
            let base = base.unwrap_or_else(|| match surroundings.system {
                System::Linux => find.data(),
                System::MacOs | System::Windows => find.application(),
            });
            vec![find.join(&base, &["clankers"])]
        }
    }
}

struct Find<'a, F> {
    surroundings: &'a Surroundings<F>,
    home: &'a str,
}

impl<F: Fn(&str) -> Option<String>> Find<'_, F> {
    fn variable(&self, name: &str) -> Option<String> {
        (self.surroundings.variable)(name).filter(|value| !value.is_empty())
    }

    fn home(&self, parts: &[&str]) -> String {
        self.join(self.home, parts)
    }

    fn config(&self) -> String {
        let named = self.variable("XDG_CONFIG_HOME");
        named.unwrap_or_else(|| self.home(&[".config"]))
    }

    fn data(&self) -> String {
        let named = self.variable("XDG_DATA_HOME");
        named.unwrap_or_else(|| self.home(&[".local", "share"]))
    }

    /// Where applications with a window keep what is theirs.
    fn application(&self) -> String {
        match self.surroundings.system {
            System::Linux => self.config(),
            System::MacOs => self.home(&["Library", "Application Support"]),
            System::Windows => {
                let named = self.variable("APPDATA");
                named.unwrap_or_else(|| self.home(&["AppData", "Roaming"]))
            }
        }
    }

    /// Joins with the separator of the system in question, which `Path` would not.
    fn join(&self, base: &str, parts: &[&str]) -> String {
        let separator = match self.surroundings.system {
            System::Linux | System::MacOs => '/',
            System::Windows => '\\',
        };
        let mut path = base.to_owned();
        for part in parts {
            if !path.ends_with(separator) {
                path.push(separator);
            }
            path.push_str(part);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(system: System, variables: &[(&str, &str)], home: &str, agent: Agent) -> Vec<String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        standard(agent, &Surroundings { system, variable }, home)
    }

    #[test]
    fn each_agent_has_its_places_on_linux() {
        let linux = |agent| places(System::Linux, &[], "/home/ada", agent);
        let claude = [
            "/home/ada/.claude/projects",
            "/home/ada/.config/claude/projects",
        ];
        assert_eq!(linux(Agent::ClaudeCode), claude);
        let codex = [
            "/home/ada/.codex/sessions",
            "/home/ada/.codex/archived_sessions",
        ];
        assert_eq!(linux(Agent::Codex), codex);
        assert_eq!(linux(Agent::OpenCode), ["/home/ada/.local/share/opencode"]);
        let cursor = [
            "/home/ada/.config/Cursor/User",
            "/home/ada/.cursor/projects",
        ];
        assert_eq!(linux(Agent::Cursor), cursor);
        assert_eq!(linux(Agent::Gemini), ["/home/ada/.gemini/tmp"]);
        assert!(linux(Agent::Aider).is_empty());
        assert_eq!(linux(Agent::Clankers), ["/home/ada/.local/share/clankers"]);
    }

    #[test]
    fn macos_and_windows_have_theirs() {
        let mac = |agent| places(System::MacOs, &[], "/Users/ada", agent);
        assert_eq!(
            mac(Agent::Cursor)[0],
            "/Users/ada/Library/Application Support/Cursor/User"
        );
        assert_eq!(mac(Agent::OpenCode), ["/Users/ada/.local/share/opencode"]);
        assert_eq!(
            mac(Agent::Clankers),
            ["/Users/ada/Library/Application Support/clankers"]
        );
        let variables = [("APPDATA", r"D:\R")];
        let windows = |agent| places(System::Windows, &variables, r"C:\Users\Ada", agent);
        assert_eq!(windows(Agent::Cursor)[0], r"D:\R\Cursor\User");
        assert_eq!(
            windows(Agent::ClaudeCode)[0],
            r"C:\Users\Ada\.claude\projects"
        );
        assert_eq!(windows(Agent::Clankers), [r"D:\R\clankers"]);
    }

    #[test]
    fn variables_move_the_places() {
        let variables = [
            ("CLAUDE_CONFIG_DIR", "/c1,/c2/"),
            ("CODEX_HOME", "/x"),
            ("XDG_DATA_HOME", "/d"),
            ("XDG_CONFIG_HOME", "/k"),
            ("CLANKERS_DATA_PATH", "/n"),
        ];
        let moved = |agent| places(System::Linux, &variables, "/home/ada", agent);
        assert_eq!(moved(Agent::ClaudeCode), ["/c1/projects", "/c2/projects"]);
        assert_eq!(moved(Agent::Codex), ["/x/sessions", "/x/archived_sessions"]);
        assert_eq!(moved(Agent::OpenCode), ["/d/opencode"]);
        assert_eq!(moved(Agent::Cursor)[0], "/k/Cursor/User");
        assert_eq!(moved(Agent::Clankers), ["/n/clankers"]);
    }
}
