use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::config::{
    Auth, Key, Layer, Origin, ProfileName, Setting, Settings, SyncInterval, captured_json,
};
use crate::context::Context;
use crate::environment::variable;
use crate::failure::{Failure, Outcome};
use crate::output::printable;
use crate::prices::{self, Prices};

/// Show every value in effect, and where it came from
#[derive(Debug, Args)]
pub(crate) struct ListArgs {}

/// `profiles` holds, for the active profile, the values in effect; for the others what their own
/// part of the file gives. `origins` tells where the active profile's values came from.
#[derive(Serialize)]
struct Listing {
    profiles: BTreeMap<ProfileName, Values>,
    active_profile: ProfileName,
    origins: BTreeMap<&'static str, Origin>,
    config_file: String,
    data_dir: String,
    prices: PricesShown,
}

/// The table by which costs are computed.
#[derive(Serialize)]
struct PricesShown {
    /// Null: it is built in.
    file: Option<String>,
    /// When the table was made, as it says itself.
    made: Option<String>,
}

impl PricesShown {
    fn of(prices: Prices) -> Self {
        Self {
            file: prices.file.map(|path| path.display().to_string()),
            made: prices.table.made().map(str::to_owned),
        }
    }

    fn unusable(context: &Context) -> Result<Self, Failure> {
        Ok(Self {
            file: Some(prices::file(context)?.display().to_string()),
            made: None,
        })
    }

    fn text(&self) -> String {
        let place = self.file.as_deref().unwrap_or("built in");
        match &self.made {
            Some(made) => format!("{place}, of {made}"),
            None => place.to_owned(),
        }
    }
}

#[derive(Serialize)]
struct Values {
    endpoint: Option<String>,
    sync_enabled: bool,
    sync_interval: SyncInterval,
    auth: Auth,
    /// Whether the daemon captures: true, false, or the agents.
    capture: Value,
    /// The lists of what is not recorded that are set.
    #[serde(flatten)]
    privacy: BTreeMap<&'static str, Vec<String>>,
}

impl Values {
    fn of(settings: Settings) -> Self {
        let lists = settings.privacy.into_iter();
        let lists = lists.map(|(key, texts)| (Key::Privacy(key).as_str(), texts));
        Self {
            privacy: lists.collect(),
            endpoint: settings.endpoint.value.map(|url| url.to_string()),
            sync_enabled: settings.sync_enabled.value,
            sync_interval: settings.sync_interval.value,
            auth: settings.auth.value,
            capture: captured_json(&settings.capture.value),
        }
    }
}

pub(crate) fn run(ListArgs {}: &ListArgs, context: &Context) -> Outcome {
    let active = context.profile()?;
    let config = context.config()?;
    let settings = context.settings()?;
    let paths = context.paths()?;
    let mut profiles = BTreeMap::new();
    for name in config.profiles()? {
        let values = if name == active.value {
            Values::of(settings.clone())
        } else {
            let silent = Layer::default();
            Values::of(Settings::resolve(&silent, &silent, &config.layer(&name)?))
        };
        profiles.insert(name, values);
    }
    let mut origins: BTreeMap<_, _> = Key::ALL
        .into_iter()
        .filter(|key| !is_unset_list(*key, &settings))
        .map(|key| (key.as_str(), settings.shown(key).1))
        .collect();
    origins.insert("active_profile", active.origin);
    // What is wrong with the prices hides no setting.
    let (prices, unusable) = match prices::read(context) {
        Ok(prices) => (PricesShown::of(prices), None),
        Err(failure) => (PricesShown::unusable(context)?, Some(failure)),
    };
    let listing = Listing {
        profiles,
        active_profile: active.value.clone(),
        origins,
        config_file: paths.config_file.display().to_string(),
        data_dir: paths.data_dir.display().to_string(),
        prices,
    };
    context.output.data(&listing, |out| {
        let source = match active.origin {
            Origin::Flag => "--profile".to_owned(),
            Origin::Environment => variable::PROFILE.to_owned(),
            Origin::Profile => "active_profile".to_owned(),
            Origin::Default => "default".to_owned(),
        };
        row(out, "profile", listing.active_profile.as_str(), &source)?;
        for key in Key::ALL {
            if is_unset_list(key, &settings) {
                continue;
            }
            let (value, origin) = settings.shown(key);
            let value = value.map_or_else(|| "-".to_owned(), |value| value.to_string());
            row(out, key.as_str(), &value, &source_of(key, origin))?;
        }
        row(out, "config_file", &listing.config_file, "")?;
        row(out, "data_dir", &listing.data_dir, "")?;
        row(out, "prices", &listing.prices.text(), "")
    })?;
    if let Some(report) = unusable.as_ref().and_then(Failure::report) {
        context.output.warn(report.message);
    }
    for key in config.unknown_keys()? {
        context.output.warn(format_args!(
            "{key} in the configuration file means nothing"
        ));
    }
    Ok(())
}

/// Whether `key` is a list of what is not recorded, and empty.
fn is_unset_list(key: Key, settings: &Settings) -> bool {
    matches!(key, Key::Privacy(_)) && settings.shown(key).0.is_none()
}

fn row(out: &mut dyn Write, name: &str, value: &str, source: &str) -> io::Result<()> {
    let line = format!("{name:<16}  {:<40}  {source}", printable(value));
    writeln!(out, "{}", line.trim_end())
}

fn source_of(key: Key, origin: Origin) -> String {
    let flag = match key {
        Key::Auth => "--token-file",
        Key::Endpoint | Key::SyncEnabled | Key::SyncInterval | Key::Capture | Key::Privacy(_) => {
            "--endpoint"
        }
    };
    match origin {
        Origin::Flag => format!("flag {flag}"),
        Origin::Environment => format!("environment {}", key.variable().unwrap_or_default()),
        Origin::Profile | Origin::Default => origin.as_str().to_owned(),
    }
}

/// A setting as JSON: null where there is none.
pub(super) fn json_value(setting: Option<&Setting>) -> Value {
    match setting {
        None => Value::Null,
        Some(Setting::Endpoint(endpoint)) => endpoint.to_string().into(),
        Some(Setting::SyncEnabled(enabled)) => (*enabled).into(),
        Some(Setting::SyncInterval(interval)) => interval.duration().as_secs().into(),
        Some(Setting::Auth(auth)) => auth.as_str().into(),
        Some(Setting::Capture(captured)) => captured_json(captured),
        Some(Setting::Privacy(list)) => list.texts().into(),
    }
}
