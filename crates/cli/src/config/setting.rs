//! The keys of a profile, and what their values may be.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use syncline_client::{Endpoint, EndpointError};
use syncline_daemon::Captured;

use super::capture;
use super::privacy::{PrivacyError, PrivacyKey, PrivacyList};
use crate::environment::variable;

/// A key of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Endpoint,
    SyncEnabled,
    SyncInterval,
    Auth,
    Capture,
    /// One of the lists that say what is not recorded.
    Privacy(PrivacyKey),
}

impl Key {
    pub(crate) const ALL: [Self; 10] = [
        Self::Endpoint,
        Self::SyncEnabled,
        Self::SyncInterval,
        Self::Auth,
        Self::Capture,
        Self::Privacy(PrivacyKey::RedactPatterns),
        Self::Privacy(PrivacyKey::RedactOff),
        Self::Privacy(PrivacyKey::ExcludePaths),
        Self::Privacy(PrivacyKey::ExcludeProjects),
        Self::Privacy(PrivacyKey::ExcludeAgents),
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::SyncEnabled => "sync_enabled",
            Self::SyncInterval => "sync_interval",
            Self::Auth => "auth",
            Self::Capture => "capture",
            Self::Privacy(key) => key.as_str(),
        }
    }

    /// The variable that overrides the profile, if one does.
    pub(crate) const fn variable(self) -> Option<&'static str> {
        match self {
            Self::Endpoint => Some(variable::ENDPOINT),
            Self::SyncEnabled => Some(variable::SYNC_ENABLED),
            Self::SyncInterval => Some(variable::SYNC_INTERVAL),
            // A token from the environment asks for its own use.
            Self::Auth => Some(variable::TOKEN),
            Self::Capture | Self::Privacy(_) => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Key {
    type Err = SettingError;
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let found = Self::ALL.into_iter().find(|key| key.as_str() == text);
        found.ok_or(SettingError::UnknownKey)
    }
}

/// Why a key or value can't be set. Values are not repeated: an endpoint may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingError {
    #[error(
        "the keys are endpoint, sync_enabled, sync_interval, auth and capture, and for what is not recorded \
         redact_patterns, redact_off, exclude_paths, exclude_projects and exclude_agents"
    )]
    UnknownKey,
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("sync_enabled must be true or false")]
    SyncEnabled,
    #[error(
        "sync_interval must be a whole number of seconds, 1 to {}",
        SyncInterval::SECONDS_MAX
    )]
    SyncInterval,
    #[error("auth must be none or token")]
    Auth,
    #[error("capture must be true, false, or agents as a JSON array: [\"claude-code\", \"codex\"]")]
    Capture,
}

/// How often to ask a server that does not stream, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct SyncInterval(u32);

impl SyncInterval {
    pub(crate) const DEFAULT: Self = Self(30);
    /// A day: whoever wants less than that wants `sync_enabled = false`.
    pub(crate) const SECONDS_MAX: u32 = 86_400;

    pub(crate) fn from_seconds(seconds: i64) -> Result<Self, SettingError> {
        match u32::try_from(seconds) {
            Ok(seconds @ 1..=Self::SECONDS_MAX) => Ok(Self(seconds)),
            _ => Err(SettingError::SyncInterval),
        }
    }

    pub(crate) fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl FromStr for SyncInterval {
    type Err = SettingError;
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let seconds = text
            .trim()
            .parse()
            .map_err(|_| SettingError::SyncInterval)?;
        Self::from_seconds(seconds)
    }
}

impl fmt::Display for SyncInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How to show who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Auth {
    /// Not at all; for a server on this machine.
    None,
    /// With a bearer token.
    Token,
}

impl Auth {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token => "token",
        }
    }
}

impl FromStr for Auth {
    type Err = SettingError;
    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text.trim() {
            "none" => Ok(Self::None),
            "token" => Ok(Self::Token),
            _ => Err(SettingError::Auth),
        }
    }
}

/// A checked value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Setting {
    Endpoint(Endpoint),
    SyncEnabled(bool),
    SyncInterval(SyncInterval),
    Auth(Auth),
    Capture(Captured),
    Privacy(PrivacyList),
}

impl Setting {
    /// Checks `text` as the value of `key`.
    pub(crate) fn parse(key: Key, text: &str) -> Result<Self, SettingError> {
        Ok(match key {
            Key::Endpoint => Self::Endpoint(text.parse()?),
            Key::SyncEnabled => Self::SyncEnabled(parse_switch(text)?),
            Key::SyncInterval => Self::SyncInterval(text.parse()?),
            Key::Auth => Self::Auth(text.parse()?),
            Key::Capture => Self::Capture(capture::parse(text)?),
            Key::Privacy(key) => Self::Privacy(PrivacyList::parse(key, text)?),
        })
    }

    pub(crate) const fn key(&self) -> Key {
        match self {
            Self::Endpoint(_) => Key::Endpoint,
            Self::SyncEnabled(_) => Key::SyncEnabled,
            Self::SyncInterval(_) => Key::SyncInterval,
            Self::Auth(_) => Key::Auth,
            Self::Capture(_) => Key::Capture,
            Self::Privacy(list) => Key::Privacy(list.key()),
        }
    }

    /// The value as it is written into the file.
    pub(crate) fn to_toml(&self) -> toml_edit::Value {
        match self {
            Self::Endpoint(endpoint) => endpoint.to_string().into(),
            Self::SyncEnabled(enabled) => (*enabled).into(),
            Self::SyncInterval(interval) => i64::from(interval.0).into(),
            Self::Auth(auth) => auth.as_str().into(),
            Self::Capture(captured) => capture::to_toml(captured),
            Self::Privacy(list) => list.texts().iter().collect::<toml_edit::Array>().into(),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(endpoint) => endpoint.fmt(f),
            Self::SyncEnabled(enabled) => enabled.fmt(f),
            Self::SyncInterval(interval) => interval.fmt(f),
            Self::Auth(auth) => f.write_str(auth.as_str()),
            Self::Capture(captured) => f.write_str(&capture::text(captured)),
            Self::Privacy(list) => list.fmt(f),
        }
    }
}

/// A switch as people write it in an environment.
fn parse_switch(text: &str) -> Result<bool, SettingError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(SettingError::SyncEnabled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_refused() {
        for text in ["0", "-1", "86401", "1.5", "", "99999999999999999999"] {
            let result = Setting::parse(Key::SyncInterval, text);
            assert_eq!(result, Err(SettingError::SyncInterval), "{text}");
        }
        assert!(Setting::parse(Key::SyncEnabled, "maybe").is_err());
        assert_eq!(
            Setting::parse(Key::SyncEnabled, "OFF"),
            Ok(Setting::SyncEnabled(false))
        );
        assert!(Setting::parse(Key::Auth, "workos").is_err());
        assert_eq!("color".parse::<Key>(), Err(SettingError::UnknownKey));
    }
}
