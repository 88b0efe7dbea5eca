//! What every command works with: the flags before it, the environment, and what follows from them.

use std::cell::{Cell, OnceCell};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use syncline_capture::agent::Agent;
use syncline_capture::privacy::Privacy;
use syncline_client::{Endpoint, Token, TokenError};
use syncline_daemon::CaptureSettings;
use syncline_model::Timestamp;
use syncline_model::thread::NameKind;

use crate::agent_places;
use crate::cli::GlobalArgs;
use crate::config::{
    Auth, ConfigFile, ConfigFileError, Credentials, CredentialsError, Key, Layer, Origin,
    PrivacyError, ProfileName, Setting, Settings, Sourced, privacy, privacy_rules,
};
use crate::environment::{Environment, variable};
use crate::failure::Failure;
use crate::logging::LogLevel;
use crate::output::Output;
use crate::paths::{self, Paths, System};
use crate::prices;
use crate::project_file::ProjectFile;

/// The project of threads that no flag and no repository puts elsewhere.
pub(crate) const DEFAULT_PROJECT: &str = "default";
/// Who writes entries when nothing says who.
const DEFAULT_AUTHOR: &str = "user";

/// The surroundings of one command.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) globals: GlobalArgs,
    pub(crate) environment: Environment,
    pub(crate) output: Output,
    /// Whether the replica that was opened has lost what the server has.
    pub(crate) has_lost_log: Cell<bool>,
    config: OnceCell<ConfigFile>,
}

impl Context {
    pub(crate) fn new(globals: GlobalArgs, environment: Environment, output: Output) -> Self {
        Self {
            globals,
            environment,
            output,
            has_lost_log: Cell::new(false),
            config: OnceCell::new(),
        }
    }

    /// Notes that there is nothing to show, and what to do about it. Where the log was lost nobody knows whether there
    /// is, as it was warned of.
    pub(crate) fn note_nothing(&self, text: impl Display) {
        if !self.has_lost_log.get() {
            self.output.note(text);
        }
    }

    /// The places in use: the standard ones, moved by flags and environment. A data directory that
    /// was asked for holds the logs and sockets that belong to it too.
    pub(crate) fn paths(&self) -> Result<Paths, Failure> {
        let data_dir = self.path(self.globals.data_dir.as_deref(), variable::DATA_DIR)?;
        let config_file = self.path(self.globals.config.as_deref(), variable::CONFIG)?;
        let home = self.environment.home.clone().map(PathBuf::into_os_string);
        let look_up = |name: &str| self.environment.raw(name).cloned();
        let standard = paths::standard(System::current(), look_up, home);
        let mut paths = match (standard, &data_dir, &config_file) {
            (Ok(standard), _, _) => standard,
            // Nothing of the standard places is needed.
            (Err(_), Some(data_dir), Some(config_file)) => Paths {
                config_file: config_file.clone(),
                data_dir: data_dir.clone(),
                log_dir: PathBuf::new(),
                runtime_dir: PathBuf::new(),
            },
            (Err(error), _, _) => {
                let failure = Failure::new("no_home", "could not tell where to keep data");
                return Err(failure
                    .because(error)
                    .fix("set HOME, or give --data-dir and --config"));
            }
        };
        if let Some(data_dir) = data_dir {
            paths.log_dir = data_dir.join("logs");
            paths.runtime_dir = data_dir.join("run");
            paths.data_dir = data_dir;
        }
        if let Some(config_file) = config_file {
            paths.config_file = config_file;
        }
        Ok(paths)
    }

    /// The directory of the replica of the profile in use.
    pub(crate) fn replica_dir(&self) -> Result<PathBuf, Failure> {
        let profiles = self.paths()?.data_dir.join("profiles");
        Ok(profiles.join(self.profile()?.value.as_str()))
    }

    /// The configuration file, read once.
    pub(crate) fn config(&self) -> Result<&ConfigFile, Failure> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let config = ConfigFile::load(&self.paths()?.config_file)?;
        Ok(self.config.get_or_init(|| config))
    }

    /// The credentials beside the configuration file.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        Ok(Credentials::beside(&self.paths()?.config_file))
    }

    /// The profile in use. One that was asked for and is not there is an error.
    pub(crate) fn profile(&self) -> Result<Sourced<ProfileName>, Failure> {
        let config = self.config()?;
        let Some(named) = self.named_profile()? else {
            let active = config.active_profile()?;
            let origin = active.as_ref().map_or(Origin::Default, |_| Origin::Profile);
            let value = active.unwrap_or_default();
            return Ok(Sourced { value, origin });
        };
        if !config.has_profile(&named.value)? {
            return Err(unknown_profile(&named.value, &config.profiles()?));
        }
        Ok(named)
    }

    /// The profile that is asked for, whether it is there or not; none: it is for the configuration to say.
    pub(crate) fn named_profile(&self) -> Result<Option<Sourced<ProfileName>>, Failure> {
        let (text, origin) = match &self.globals.profile {
            Some(text) => (Some(text.as_str()), Origin::Flag),
            None => (
                self.environment.text(variable::PROFILE)?,
                Origin::Environment,
            ),
        };
        let Some(text) = text else {
            return Ok(None);
        };
        let value = text.parse::<ProfileName>().map_err(|error| {
            Failure::usage("profile_invalid", format!("{text:?} is no profile")).because(error)
        })?;
        Ok(Some(Sourced { value, origin }))
    }

    /// The settings in effect for the profile in use.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let profile = self.config()?.layer(&self.profile()?.value)?;
        Ok(Settings::resolve(
            &self.flag_layer()?,
            &self.environment_layer()?,
            &profile,
        ))
    }

    /// What of agents' sessions is not recorded.
    pub(crate) fn privacy(&self) -> Result<Privacy, Failure> {
        let lists = self.settings()?.privacy;
        privacy(&lists, self.environment.home.as_deref()).map_err(unusable_lists)
    }

    /// What the daemon captures, and by which rules.
    pub(crate) fn capture(&self) -> Result<CaptureSettings, Failure> {
        let settings = self.settings()?;
        let rules = privacy_rules(&settings.privacy, self.environment.home.as_deref());
        let (redact, exclusions) = rules.map_err(unusable_lists)?;
        Ok(CaptureSettings {
            captured: settings.capture.value,
            places: agent_places::standard(self, &Agent::ALL),
            redact,
            exclusions,
            prices: prices::read(self)?.table,
        })
    }

    fn flag_layer(&self) -> Result<Layer, Failure> {
        let mut layer = Layer::default();
        if let Some(text) = &self.globals.endpoint {
            layer.endpoint = Some(text.parse().map_err(
                |error: syncline_client::EndpointError| {
                    Failure::usage("endpoint_invalid", "--endpoint is no endpoint").because(error)
                },
            )?);
        }
        if self.globals.token_file.is_some() {
            layer.auth = Some(Auth::Token);
        }
        Ok(layer)
    }

    fn environment_layer(&self) -> Result<Layer, Failure> {
        let mut layer = Layer::default();
        for key in [Key::Endpoint, Key::SyncEnabled, Key::SyncInterval] {
            let Some(name) = key.variable() else {
                continue;
            };
            let Some(text) = self.environment.text(name)? else {
                continue;
            };
            layer.set(Setting::parse(key, text).map_err(|error| {
                Failure::usage("environment_invalid", format!("{name} has no valid value"))
                    .because(error)
                    .fix(format!("unset {name}, or set it to a valid value"))
            })?);
        }
        if self.environment.raw(variable::TOKEN).is_some() {
            layer.auth = Some(Auth::Token);
        }
        Ok(layer)
    }

    /// The token to show to `endpoint`: none if `auth` is none, or if no token is known.
    ///
    /// A stored token goes only to the endpoint for which it was stored.
    pub(crate) fn token(
        &self,
        settings: &Settings,
        endpoint: &Endpoint,
    ) -> Result<Option<Token>, Failure> {
        if settings.auth.value == Auth::None {
            return Ok(None);
        }
        if let Some(given) = self.given_token()? {
            return Ok(Some(given));
        }
        let stored = self.credentials()?.get(&self.profile()?.value)?;
        Ok(stored
            .filter(|credential| credential.endpoint == *endpoint)
            .map(|credential| credential.token))
    }

    /// The token that a flag or the environment gives for this command.
    fn given_token(&self) -> Result<Option<Token>, Failure> {
        if let Some(token) = self.flag_token()? {
            return Ok(Some(token));
        }
        let Some(text) = self.environment.text(variable::TOKEN)? else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|error: TokenError| {
            let message = format!("{} holds no token", variable::TOKEN);
            Failure::usage("environment_invalid", message).because(error)
        })
    }

    /// The token in the file that `--token-file` names.
    pub(crate) fn flag_token(&self) -> Result<Option<Token>, Failure> {
        let Some(path) = &self.globals.token_file else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("could not read the token in {}", path.display());
            Failure::new("token_unreadable", message).because(error)
        })?;
        text.parse().map(Some).map_err(|error: TokenError| {
            let message = format!("{} holds no token", path.display());
            Failure::new("token_invalid", message).because(error)
        })
    }

    /// The repository file that is in force here, if any.
    pub(crate) fn project_file(&self) -> Result<Option<ProjectFile>, Failure> {
        let Some(dir) = &self.environment.current_dir else {
            return Ok(None);
        };
        ProjectFile::find(dir).map_err(|error| {
            Failure::new(
                "project_file_invalid",
                "could not tell the project of this directory",
            )
            .because(error)
            .state("nothing was read or written")
            .fix("mend the file, or name the project with --project NAME")
        })
    }

    /// The project that was chosen: by `flag`, else by the nearest repository file; None if nothing
    /// chooses one.
    pub(crate) fn chosen_project(&self, flag: Option<&str>) -> Result<Option<String>, Failure> {
        let Some(flag) = flag else {
            return Ok(self.project_file()?.and_then(|file| file.project));
        };
        NameKind::Project.check(flag).map_err(|error| {
            Failure::usage("project_invalid", format!("{flag:?} is no project")).because(error)
        })?;
        Ok(Some(flag.to_owned()))
    }

    /// How much to log.
    pub(crate) fn log_level(&self) -> Result<LogLevel, Failure> {
        let Some(text) = self.environment.text(variable::LOG_LEVEL)? else {
            return Ok(LogLevel::default());
        };
        text.parse().map_err(|error| {
            let message = format!("{} has no valid value", variable::LOG_LEVEL);
            Failure::usage("environment_invalid", message)
                .because(error)
                .fix(format!(
                    "unset {}, or set it to a valid value",
                    variable::LOG_LEVEL
                ))
        })
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        let millis = jiff::Timestamp::now().as_millisecond();
        Timestamp::from_millis(millis).expect("the system's clock is within four-digit years")
    }

    /// The author of what this command writes.
    pub(crate) fn author(&self) -> Result<String, Failure> {
        let author = match &self.globals.author {
            Some(author) => author.as_str(),
            None => self
                .environment
                .text(variable::AUTHOR)?
                .unwrap_or(DEFAULT_AUTHOR),
        };
        NameKind::Author.check(author).map_err(|error| {
            Failure::usage("author_invalid", "the author has no valid name").because(error)
        })?;
        Ok(author.to_owned())
    }

    /// The absolute path that `flag` gives, else the variable `name`.
    pub(crate) fn path(
        &self,
        flag: Option<&Path>,
        name: &'static str,
    ) -> Result<Option<PathBuf>, Failure> {
        let given = match flag {
            Some(path) => path.to_owned(),
            None => match self.environment.raw(name) {
                Some(path) => PathBuf::from(path),
                None => return Ok(None),
            },
        };
        std::path::absolute(&given).map(Some).map_err(|error| {
            Failure::usage("path_invalid", format!("{given:?} is no usable path")).because(error)
        })
    }
}

fn unusable_lists(error: PrivacyError) -> Failure {
    let message = "could not use the lists of what is not recorded";
    Failure::usage("value_invalid", message)
        .because(error)
        .fix("syncline config list")
}

/// A profile was asked for that is not there.
pub(crate) fn unknown_profile(name: &ProfileName, known: &[ProfileName]) -> Failure {
    let known: Vec<&str> = known.iter().map(ProfileName::as_str).collect();
    let message = format!("no profile {name}; there are: {}", known.join(", "));
    Failure::usage("profile_unknown", message)
        .fix(format!("syncline config profiles create {name}"))
}

impl From<ConfigFileError> for Failure {
    fn from(error: ConfigFileError) -> Self {
        let code = match &error {
            ConfigFileError::Read { .. } => "config_unreadable",
            ConfigFileError::Write { .. } => "config_unwritable",
            ConfigFileError::Syntax { .. }
            | ConfigFileError::Shape { .. }
            | ConfigFileError::Value { .. } => "config_invalid",
        };
        Self::new(code, "could not use the configuration")
            .because(error)
            .state("the configuration file is as it was")
            .fix("mend the file by hand, or name another with --config FILE")
    }
}

impl From<CredentialsError> for Failure {
    fn from(error: CredentialsError) -> Self {
        let fix = match &error {
            CredentialsError::Read { path, .. } | CredentialsError::Write { path, .. } => {
                format!("see to the owner and mode of {}", path.display())
            }
            CredentialsError::Syntax { path } => {
                format!("move {} away, then syncline login", path.display())
            }
        };
        Self::new("credentials_failed", "could not use the stored tokens")
            .because(error)
            .fix(fix)
    }
}
