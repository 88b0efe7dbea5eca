//! What of the agents of this machine is captured, and by which rules.

use syncline_capture::agent::Agent;
use syncline_capture::import::Source;
use syncline_capture::privacy::{Exclusions, Privacy};
use syncline_capture::redact::{RedactOptions, RedactOptionsError, Redactor};
use syncline_store::sessions::PriceTable;

/// Whose sessions are captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Captured {
    /// Those of every agent, also of one that only its plugin knows.
    Every,
    Nobody,
    These(Vec<Agent>),
}

impl Captured {
    /// Whether the sessions of the agent of this name are captured.
    pub fn takes(&self, agent: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Nobody => false,
            Self::These(agents) => agents.iter().any(|taken| taken.as_str() == agent),
        }
    }
}

/// What is captured, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureSettings {
    pub captured: Captured,
    /// Where agents leave their transcripts; not all of the places need be there.
    pub places: Vec<Source>,
    /// What is taken out, and what is left out.
    pub redact: RedactOptions,
    pub exclusions: Exclusions,
    /// What read methods compute costs by.
    pub prices: PriceTable,
}

impl CaptureSettings {
    /// Nothing is captured.
    pub fn off() -> Self {
        Self {
            captured: Captured::Nobody,
            places: Vec::new(),
            redact: RedactOptions::default(),
            exclusions: Exclusions::default(),
            prices: PriceTable::built_in(),
        }
    }

    /// The places of agents that are captured.
    pub(crate) fn watched(&self) -> Vec<Source> {
        let places = self.places.iter();
        let taken = places.filter(|source| self.takes(source.agent));
        taken.cloned().collect()
    }

    /// Whether the sessions of an agent are captured.
    pub(crate) fn takes(&self, agent: Agent) -> bool {
        let agent = agent.as_str();
        self.captured.takes(agent) && !self.exclusions.agents.iter().any(|name| name == agent)
    }

    /// The rules, afresh: what they remember of marks must not grow old.
    pub(crate) fn privacy(&self) -> Result<Privacy, RedactOptionsError> {
        let redactor = Redactor::new(&self.redact)?;
        Ok(Privacy::new(redactor, self.exclusions.clone()))
    }
}
