//! How long agents keep their transcripts, by their own settings.
//!
//! What deletes at all: Claude Code after `cleanupPeriodDays` (30 where nothing is set; 0: it keeps none),
//! Gemini CLI after `general.sessionRetention.maxAge` (30 days) and all but the newest `maxCount`, unless
//! it is turned off. The others keep everything. [`of`] is a pure function of what settings hold, the first
//! of which that says something counts.

use std::fmt;

use serde_json::Value;

use crate::agent::Agent;

/// What counts where the settings of Claude Code and Gemini CLI say nothing.
const DAYS: u32 = 30;

/// How long transcripts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Until somebody deletes them.
    Forever,
    /// So many days; 0: they are not kept at all.
    Days {
        days: u32,
        set: Set,
        /// No more than so many, however new they are; none: as many as there are.
        newest: Option<u64>,
    },
}

/// Who has set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    ByDefault,
    /// Its settings say so.
    BySettings,
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forever => f.write_str("keeps its transcripts"),
            Self::Days { days: 0, .. } => f.write_str("keeps no transcripts"),
            Self::Days { days, set, newest } => {
                let days = match days {
                    1 => "a day".to_owned(),
                    days => format!("{days} days"),
                };
                let set = match set {
                    Set::ByDefault => ", as nothing else is set",
                    Set::BySettings => "",
                };
                write!(f, "deletes its transcripts after {days}{set}")?;
                match newest {
                    Some(newest) => write!(f, ", and all but the newest {newest}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The key by which a user makes an agent keep transcripts longer; none: it has none.
pub const fn key_of(agent: Agent) -> Option<&'static str> {
    match agent {
        Agent::ClaudeCode => Some("cleanupPeriodDays"),
        Agent::Gemini => Some("general.sessionRetention.maxAge"),
        Agent::Codex | Agent::OpenCode | Agent::Cursor | Agent::Aider | Agent::Clankers => None,
    }
}

/// How long `agent` keeps its transcripts by `settings`, what its settings files hold, those that count
/// most first.
pub fn of(agent: Agent, settings: &[Value]) -> Retention {
    let days = |said: Option<u32>, newest: Option<u64>| Retention::Days {
        days: said.unwrap_or(DAYS),
        set: match said {
            Some(_) => Set::BySettings,
            None => Set::ByDefault,
        },
        newest,
    };
    match agent {
        Agent::ClaudeCode => {
            let said = first(settings, |value| {
                let days = value.get("cleanupPeriodDays")?.as_u64()?;
                Some(u32::try_from(days).unwrap_or(u32::MAX))
            });
            days(said, None)
        }
        Agent::Gemini => {
            let said = |name: &'static str| {
                first(settings, |value| {
                    let retention = value.get("general")?.get("sessionRetention")?;
                    retention.get(name).cloned()
                })
            };
            if said("enabled") == Some(Value::Bool(false)) {
                return Retention::Forever;
            }
            let age = said("maxAge");
            let newest = said("maxCount").as_ref().and_then(Value::as_u64);
            days(
                age.as_ref().and_then(Value::as_str).and_then(days_of),
                newest,
            )
        }
        Agent::Codex | Agent::OpenCode | Agent::Cursor | Agent::Aider | Agent::Clankers => {
            Retention::Forever
        }
    }
}

fn first<T>(values: &[Value], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    values.iter().find_map(read)
}

/// The days of an age such as `30d`, `24h`, `2w` or `1m`; a part of a day is none.
fn days_of(age: &str) -> Option<u32> {
    let unit = age.chars().next_back()?;
    let count: u32 = age[..age.len() - unit.len_utf8()].parse().ok()?;
    match unit {
        'h' => Some(count / 24),
        'd' => Some(count),
        'w' => Some(count.saturating_mul(7)),
        'm' => Some(count.saturating_mul(30)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(agent: Agent, settings: &[&str]) -> String {
        let settings = settings
            .iter()
            .map(|text| serde_json::from_str(text).unwrap());
        of(agent, &settings.collect::<Vec<_>>()).to_string()
    }

    #[test]
    fn claude_code_deletes_after_what_is_set_and_else_after_30_days() {
        let told = |settings: &[&str]| told(Agent::ClaudeCode, settings);
        let default = "deletes its transcripts after 30 days, as nothing else is set";
        assert_eq!(told(&[]), default);
        assert_eq!(told(&["[]", r#"{"cleanupPeriodDays":"7"}"#]), default);
        let set = [r#"{"model":"x"}"#, r#"{"cleanupPeriodDays":365}"#];
        assert_eq!(told(&set), "deletes its transcripts after 365 days");
        let managed = [r#"{"cleanupPeriodDays":1}"#, r#"{"cleanupPeriodDays":365}"#];
        assert_eq!(told(&managed), "deletes its transcripts after a day");
        assert_eq!(
            told(&[r#"{"cleanupPeriodDays":0}"#]),
            "keeps no transcripts"
        );
    }

    #[test]
    fn gemini_deletes_by_age_unless_it_is_turned_off() {
        let told = |retention: &str| {
            let settings = format!(r#"{{"general":{{"sessionRetention":{retention}}}}}"#);
            told(Agent::Gemini, &[&settings])
        };
        assert_eq!(
            told(r#"{"maxAge":"2w"}"#),
            "deletes its transcripts after 14 days"
        );
        assert_eq!(
            told(r#"{"enabled":false,"maxAge":"2w"}"#),
            "keeps its transcripts"
        );
        assert!(told("{}").contains("30 days"));
        assert_eq!(
            told(r#"{"maxAge":"7d","maxCount":50}"#),
            "deletes its transcripts after 7 days, and all but the newest 50"
        );
    }

    #[test]
    fn others_delete_nothing() {
        for agent in [Agent::Codex, Agent::OpenCode, Agent::Cursor, Agent::Aider] {
            assert_eq!(of(agent, &[]), Retention::Forever);
        }
    }
}
