//! Flag over environment over profile over default, value by value.

use serde::Serialize;
use syncline_client::Endpoint;
use syncline_daemon::Captured;

use super::privacy::{PrivacyList, PrivacyLists};
use super::{Auth, Key, Setting, SyncInterval};

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    Flag,
    Environment,
    Profile,
    Default,
}

impl Origin {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::Profile => "profile",
            Self::Default => "default",
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// What one layer says; None where it is silent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) sync_enabled: Option<bool>,
    pub(crate) sync_interval: Option<SyncInterval>,
    pub(crate) auth: Option<Auth>,
    pub(crate) capture: Option<Captured>,
    pub(crate) privacy: PrivacyLists,
}

impl Layer {
    pub(crate) fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Endpoint(endpoint) => self.endpoint = Some(endpoint),
            Setting::SyncEnabled(enabled) => self.sync_enabled = Some(enabled),
            Setting::SyncInterval(interval) => self.sync_interval = Some(interval),
            Setting::Auth(auth) => self.auth = Some(auth),
            Setting::Capture(captured) => self.capture = Some(captured),
            Setting::Privacy(list) => {
                self.privacy.insert(list.key(), list.texts().to_vec());
            }
        }
    }
}

/// The settings in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) endpoint: Sourced<Option<Endpoint>>,
    pub(crate) sync_enabled: Sourced<bool>,
    pub(crate) sync_interval: Sourced<SyncInterval>,
    pub(crate) auth: Sourced<Auth>,
    /// Whose sessions the daemon captures.
    pub(crate) capture: Sourced<Captured>,
    /// What the profile says is not recorded: nothing overrides it.
    pub(crate) privacy: PrivacyLists,
}

impl Settings {
    /// Lays `flags` over `environment` over `profile`.
    ///
    /// An endpoint, wherever it is set, turns sync on unless a layer says `sync_enabled=false`.
    pub(crate) fn resolve(flags: &Layer, environment: &Layer, profile: &Layer) -> Self {
        let layers = [
            (Origin::Flag, flags),
            (Origin::Environment, environment),
            (Origin::Profile, profile),
        ];
        let endpoint = match pick(&layers, |layer| layer.endpoint.clone()) {
            Some(found) => Sourced {
                value: Some(found.value),
                origin: found.origin,
            },
            None => by_default(None),
        };
        let sync_enabled = pick(&layers, |layer| layer.sync_enabled)
            .unwrap_or_else(|| by_default(endpoint.value.is_some()));
        Self {
            sync_enabled,
            sync_interval: pick(&layers, |layer| layer.sync_interval)
                .unwrap_or_else(|| by_default(SyncInterval::DEFAULT)),
            auth: pick(&layers, |layer| layer.auth).unwrap_or_else(|| by_default(Auth::None)),
            capture: pick(&layers, |layer| layer.capture.clone())
                .unwrap_or_else(|| by_default(Captured::Every)),
            endpoint,
            privacy: profile.privacy.clone(),
        }
    }

    /// The endpoint to sync with: none if there is none or sync is off.
    pub(crate) fn sync_endpoint(&self) -> Option<&Endpoint> {
        let endpoint = self.endpoint.value.as_ref();
        endpoint.filter(|_| self.sync_enabled.value)
    }

    /// The value of `key`, as it is printed and as JSON, with its origin.
    pub(crate) fn shown(&self, key: Key) -> (Option<Setting>, Origin) {
        match key {
            Key::Endpoint => (
                self.endpoint.value.clone().map(Setting::Endpoint),
                self.endpoint.origin,
            ),
            Key::SyncEnabled => (
                Some(Setting::SyncEnabled(self.sync_enabled.value)),
                self.sync_enabled.origin,
            ),
            Key::SyncInterval => (
                Some(Setting::SyncInterval(self.sync_interval.value)),
                self.sync_interval.origin,
            ),
            Key::Auth => (Some(Setting::Auth(self.auth.value)), self.auth.origin),
            Key::Capture => (
                Some(Setting::Capture(self.capture.value.clone())),
                self.capture.origin,
            ),
            Key::Privacy(key) => match self.privacy.get(&key) {
                Some(texts) => {
                    let list = PrivacyList::of(key, texts.clone());
                    (Some(Setting::Privacy(list)), Origin::Profile)
                }
                None => (None, Origin::Default),
            },
        }
    }
}

fn pick<T>(layers: &[(Origin, &Layer)], get: impl Fn(&Layer) -> Option<T>) -> Option<Sourced<T>> {
    layers.iter().find_map(|(origin, layer)| {
        get(layer).map(|value| Sourced {
            value,
            origin: *origin,
        })
    })
}

const fn by_default<T>(value: T) -> Sourced<T> {
    Sourced {
        value,
        origin: Origin::Default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(pairs: &[(Key, &str)]) -> Layer {
        let mut layer = Layer::default();
        for (key, text) in pairs {
            layer.set(Setting::parse(*key, text).unwrap());
        }
        layer
    }

    #[test]
    fn the_higher_layer_wins_value_by_value() {
        let flags = layer(&[(Key::Endpoint, "http://flag")]);
        let environment = layer(&[(Key::Endpoint, "http://env"), (Key::SyncInterval, "5")]);
        let profile = layer(&[
            (Key::Endpoint, "http://profile"),
            (Key::SyncInterval, "7"),
            (Key::Auth, "token"),
        ]);
        let settings = Settings::resolve(&flags, &environment, &profile);
        let shown = Key::ALL.into_iter().filter_map(|key| {
            let (value, origin) = settings.shown(key);
            Some(format!("{key}={} {}", value?, origin.as_str()))
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "endpoint=http://flag flag",
                "sync_enabled=true default",
                "sync_interval=5 environment",
                "auth=token profile",
                "capture=true default",
            ]
        );
    }

    #[test]
    fn an_endpoint_anywhere_turns_sync_on_unless_it_is_turned_off() {
        let (none, endpoint) = (Layer::default(), layer(&[(Key::Endpoint, "http://h")]));
        assert!(!Settings::resolve(&none, &none, &none).sync_enabled.value);
        for settings in [
            Settings::resolve(&endpoint, &none, &none),
            Settings::resolve(&none, &endpoint, &none),
            Settings::resolve(&none, &none, &endpoint),
        ] {
            assert!(settings.sync_endpoint().is_some());
        }
        let off = layer(&[(Key::SyncEnabled, "false")]);
        let settings = Settings::resolve(&endpoint, &none, &off);
        assert_eq!(settings.sync_endpoint(), None);
        assert!(settings.endpoint.value.is_some());
    }

    #[test]
    fn sync_turned_on_without_an_endpoint_has_nowhere_to_go() {
        let on = layer(&[(Key::SyncEnabled, "true")]);
        let none = Layer::default();
        assert_eq!(Settings::resolve(&on, &none, &none).sync_endpoint(), None);
    }
}
