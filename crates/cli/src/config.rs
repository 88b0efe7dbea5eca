//! The user's configuration: a TOML file of profiles, credentials in a file of their own, and the
//! layers flag, environment, profile, default, with the origin of each value kept.

mod capture;
mod credentials;
mod file;
mod layers;
mod privacy;
mod profile_name;
mod setting;

pub(crate) use capture::json as captured_json;
pub(crate) use credentials::{Credential, Credentials, CredentialsError};
pub(crate) use file::{ConfigFile, ConfigFileError};
pub(crate) use layers::{Layer, Origin, Settings, Sourced};
pub(crate) use privacy::{PrivacyError, privacy, privacy_rules};
pub(crate) use profile_name::{DEFAULT_PROFILE, ProfileName};
pub(crate) use setting::{Auth, Key, Setting, SettingError, SyncInterval};
