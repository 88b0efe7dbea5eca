//! The configuration file: profiles in TOML, edited without touching the user's comments.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike};

use super::{Key, Layer, ProfileName, Setting, SettingError};
use crate::atomic_file::{self, Readers};

const ACTIVE: &str = "active_profile";
const PROFILES: &str = "profiles";

/// Why the file can't be read, understood or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigFileError {
    #[error("could not read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("could not write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is not TOML", path.display())]
    Syntax {
        path: PathBuf,
        source: toml_edit::TomlError,
    },
    #[error("{} in {} must be {expected}", key, path.display())]
    Shape {
        path: PathBuf,
        key: String,
        expected: &'static str,
    },
    #[error("{key} in {} has no valid value", path.display())]
    Value {
        path: PathBuf,
        key: String,
        source: SettingError,
    },
}

/// The file as it was read, and its changes.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    document: DocumentMut,
}

impl ConfigFile {
    /// Reads the file at `path`; one that is missing is an empty one.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigFileError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => {
                let path = path.to_owned();
                return Err(ConfigFileError::Read { path, source });
            }
        };
        let document = text.parse().map_err(|source| ConfigFileError::Syntax {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            document,
        })
    }

    /// Reads, changes and writes the file, alone among all processes that do so.
    pub(crate) fn edit<T, E: From<ConfigFileError>>(
        path: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let _lock = lock(path).map_err(|source| ConfigFileError::Write {
            path: path.to_owned(),
            source,
        })?;
        let mut file = Self::load(path)?;
        let before = file.document.to_string();
        let answer = change(&mut file)?;
        let after = file.document.to_string();
        if after != before {
            atomic_file::replace(path, after.as_bytes(), Readers::Unchanged).map_err(|source| {
                ConfigFileError::Write {
                    path: path.to_owned(),
                    source,
                }
            })?;
        }
        Ok(answer)
    }

    /// The profile that is used when none is asked for.
    pub(crate) fn active_profile(&self) -> Result<Option<ProfileName>, ConfigFileError> {
        let Some(item) = self.document.get(ACTIVE) else {
            return Ok(None);
        };
        let name = item.as_str().and_then(|text| text.parse().ok());
        name.map(Some)
            .ok_or_else(|| self.shape(ACTIVE, "the name of a profile"))
    }

    /// The names of all profiles, sorted; `default` is always among them.
    pub(crate) fn profiles(&self) -> Result<Vec<ProfileName>, ConfigFileError> {
        let mut names = vec![ProfileName::default()];
        if let Some(table) = self.profiles_table()? {
            for (name, _) in table.iter() {
                names.push(name.parse().map_err(|_| {
                    self.shape(&format!("{PROFILES}.{name}"), "named as a profile may be")
                })?);
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    pub(crate) fn has_profile(&self, name: &ProfileName) -> Result<bool, ConfigFileError> {
        Ok(self.profiles()?.contains(name))
    }

    /// What the profile `name` says; nothing if it is not in the file.
    pub(crate) fn layer(&self, name: &ProfileName) -> Result<Layer, ConfigFileError> {
        let mut layer = Layer::default();
        let Some(table) = self.profile_table(name)? else {
            return Ok(layer);
        };
        for key in Key::ALL {
            if let Some(item) = table.get(key.as_str()) {
                layer.set(self.setting(name, key, item)?);
            }
        }
        Ok(layer)
    }

    /// Keys of all profiles, and of the file itself, that mean nothing to us.
    pub(crate) fn unknown_keys(&self) -> Result<Vec<String>, ConfigFileError> {
        let mut unknown: Vec<String> = self
            .document
            .iter()
            .map(|(key, _)| key.to_owned())
            .filter(|key| key != ACTIVE && key != PROFILES)
            .collect();
        for name in self.profiles()? {
            let Some(table) = self.profile_table(&name)? else {
                continue;
            };
            let keys = table.iter().map(|(key, _)| key);
            let foreign = keys.filter(|key| key.parse::<Key>().is_err());
            unknown.extend(foreign.map(|key| format!("{PROFILES}.{name}.{key}")));
        }
        Ok(unknown)
    }

    /// Sets a value in the profile `name`, which is made if it is missing.
    pub(crate) fn set(
        &mut self,
        name: &ProfileName,
        setting: &Setting,
    ) -> Result<(), ConfigFileError> {
        self.create_profile(name)?;
        let table = self
            .profile_table_mut(name)?
            .expect("the profile was just made");
        let mut value = setting.to_toml();
        if let Some(old) = table.get(setting.key().as_str()).and_then(Item::as_value) {
            // A comment behind the value belongs to the user.
            *value.decor_mut() = old.decor().clone();
        }
        table.insert(setting.key().as_str(), Item::Value(value));
        Ok(())
    }

    /// Takes a key out of the profile `name`; says whether it was there.
    pub(crate) fn unset(&mut self, name: &ProfileName, key: Key) -> Result<bool, ConfigFileError> {
        let table = self.profile_table_mut(name)?;
        Ok(table.is_some_and(|table| table.remove(key.as_str()).is_some()))
    }

    /// Makes an empty profile; says whether it is new.
    pub(crate) fn create_profile(&mut self, name: &ProfileName) -> Result<bool, ConfigFileError> {
        self.profiles_table()?;
        let profiles = self.document.entry(PROFILES).or_insert_with(|| {
            let mut table = Table::new();
            // Without a header of its own: only [profiles.NAME] is shown.
            table.set_implicit(true);
            Item::Table(table)
        });
        let profiles = profiles
            .as_table_like_mut()
            .expect("profiles_table() saw that it is a table");
        if profiles.contains_key(name.as_str()) {
            return Ok(false);
        }
        profiles.insert(name.as_str(), Item::Table(Table::new()));
        Ok(true)
    }

    /// Takes a profile out of the file; says whether it was there.
    pub(crate) fn delete_profile(&mut self, name: &ProfileName) -> Result<bool, ConfigFileError> {
        self.profiles_table()?;
        let profiles = self.document.get_mut(PROFILES);
        let profiles = profiles.and_then(Item::as_table_like_mut);
        Ok(profiles.is_some_and(|table| table.remove(name.as_str()).is_some()))
    }

    /// Makes `name` the profile that is used when none is asked for.
    pub(crate) fn use_profile(&mut self, name: &ProfileName) {
        let mut value = toml_edit::Value::from(name.as_str());
        if let Some(old) = self.document.get(ACTIVE).and_then(Item::as_value) {
            *value.decor_mut() = old.decor().clone();
        }
        self.document.insert(ACTIVE, Item::Value(value));
    }

    fn profiles_table(&self) -> Result<Option<&dyn TableLike>, ConfigFileError> {
        match self.document.get(PROFILES) {
            None => Ok(None),
            Some(item) => match item.as_table_like() {
                Some(table) => Ok(Some(table)),
                None => Err(self.shape(PROFILES, "a table")),
            },
        }
    }

    fn profile_table(&self, name: &ProfileName) -> Result<Option<&dyn TableLike>, ConfigFileError> {
        let Some(item) = self
            .profiles_table()?
            .and_then(|all| all.get(name.as_str()))
        else {
            return Ok(None);
        };
        match item.as_table_like() {
            Some(table) => Ok(Some(table)),
            None => Err(self.shape(&format!("{PROFILES}.{name}"), "a table")),
        }
    }

    fn profile_table_mut(
        &mut self,
        name: &ProfileName,
    ) -> Result<Option<&mut dyn TableLike>, ConfigFileError> {
        if self.profile_table(name)?.is_none() {
            return Ok(None);
        }
        let profiles = self.document.get_mut(PROFILES);
        let profiles = profiles.and_then(Item::as_table_like_mut);
        let item = profiles.and_then(|all| all.get_mut(name.as_str()));
        Ok(item.and_then(Item::as_table_like_mut))
    }

    fn setting(
        &self,
        name: &ProfileName,
        key: Key,
        item: &Item,
    ) -> Result<Setting, ConfigFileError> {
        let text = if let Some(text) = item.as_str() {
            text.to_owned()
        } else if let Some(switch) = item.as_bool() {
            switch.to_string()
        } else if let Some(number) = item.as_integer() {
            number.to_string()
        } else if let Some(array) = item.as_array() {
            let texts = array.iter().map(|text| text.as_str());
            let texts: Option<Vec<&str>> = texts.collect();
            texts.map_or_else(String::new, |texts| {
                serde_json::to_string(&texts).expect("texts are written as JSON")
            })
        } else {
            // No key takes such a value: let it be refused as any wrong text.
            String::new()
        };
        Setting::parse(key, &text).map_err(|source| ConfigFileError::Value {
            path: self.path.clone(),
            key: format!("{PROFILES}.{name}.{key}"),
            source,
        })
    }

    fn shape(&self, key: &str, expected: &'static str) -> ConfigFileError {
        ConfigFileError::Shape {
            path: self.path.clone(),
            key: key.to_owned(),
            expected,
        }
    }
}

/// Waits until no other process edits the file at `path`. The lock lies beside the file, which is
/// itself replaced; it is freed by the drop, or by death.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        atomic_file::create_private_dir(dir)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(name)?;
    file.lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, change: impl FnOnce(&mut ConfigFile)) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        ConfigFile::edit(&path, |file| {
            change(file);
            Ok::<_, ConfigFileError>(())
        })
        .unwrap();
        std::fs::read_to_string(&path).unwrap()
    }

    fn setting(key: Key, text: &str) -> Setting {
        Setting::parse(key, text).unwrap()
    }

    #[test]
    fn comments_and_foreign_keys_survive_an_edit() {
        let before = "# mine\nactive_profile = \"default\"\n\n[profiles.default]\n\
                      endpoint = \"http://old\" # the lab\nlater_key = 1\n";
        let after = edited(before, |file| {
            let name = ProfileName::default();
            file.set(&name, &setting(Key::Endpoint, "http://new"))
                .unwrap();
            file.set(&name, &setting(Key::SyncInterval, "5")).unwrap();
        });
        assert_eq!(
            after,
            "# mine\nactive_profile = \"default\"\n\n[profiles.default]\n\
             endpoint = \"http://new\" # the lab\nlater_key = 1\nsync_interval = 5\n"
        );
    }

    #[test]
    fn a_new_file_holds_only_what_was_set() {
        let after = edited("", |file| {
            let name = "work".parse().unwrap();
            file.set(&name, &setting(Key::SyncEnabled, "no")).unwrap();
            file.use_profile(&name);
        });
        assert_eq!(
            after,
            "active_profile = \"work\"\n\n[profiles.work]\nsync_enabled = false\n"
        );
    }

    #[test]
    fn profiles_written_inline_are_edited_too() {
        let after = edited("profiles = { default = { auth = \"none\" } }\n", |file| {
            let name = ProfileName::default();
            file.set(&name, &setting(Key::Auth, "token")).unwrap();
            assert!(file.create_profile(&"b".parse().unwrap()).unwrap());
            assert!(file.delete_profile(&"b".parse().unwrap()).unwrap());
        });
        assert!(after.contains("auth = \"token\""), "{after}");
    }

    #[test]
    fn a_broken_file_is_named_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        for text in [
            "[profiles",
            "profiles = 3",
            "[profiles]\ndefault = 1",
            "[profiles.default]\nsync_interval = 0",
            "[profiles.default]\nsync_enabled = [true]",
        ] {
            std::fs::write(&path, text).unwrap();
            let name = ProfileName::default();
            let error = ConfigFile::load(&path).and_then(|file| file.layer(&name));
            assert!(error.unwrap_err().to_string().contains("config.toml"));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
