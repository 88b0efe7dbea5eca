//! Where things lie on each system.
//!
//! [`standard`] is a pure function of the system, the environment and the home directory, so that
//! the places of every system are tested on every other.

use std::ffi::OsString;
use std::path::PathBuf;

/// A family of operating systems with places of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    /// Linux and other Unix systems: the XDG base directories.
    Linux,
    MacOs,
    Windows,
}

impl System {
    /// The system this binary was built for.
    pub(crate) const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }

    const fn separator(self) -> &'static str {
        match self {
            Self::Linux | Self::MacOs => "/",
            Self::Windows => "\\",
        }
    }

    /// Whether `path` is absolute by this system's rules.
    fn is_absolute(self, path: &OsString) -> bool {
        let text = path.to_string_lossy();
        match self {
            Self::Linux | Self::MacOs => text.starts_with('/'),
            Self::Windows => {
                let bytes = text.as_bytes();
                let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic)
                    && bytes.get(1) == Some(&b':')
                    && matches!(bytes.get(2), Some(b'\\' | b'/'));
                drive || text.starts_with("\\\\")
            }
        }
    }
}

/// The places of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    /// The configuration; credentials lie beside it, in a file of their own.
    pub(crate) config_file: PathBuf,
    /// Replicas, a directory per profile.
    pub(crate) data_dir: PathBuf,
    /// Logs.
    pub(crate) log_dir: PathBuf,
    /// Sockets and locks of running processes.
    pub(crate) runtime_dir: PathBuf,
}

/// Why no place can be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither {variable} nor a home directory is known")]
pub(crate) struct PathsError {
    pub(crate) variable: &'static str,
}

/// The standard places of `system`; `variable` looks a variable of the environment up.
///
/// A variable that is empty or not an absolute path is passed over, as the XDG specification asks.
pub(crate) fn standard(
    system: System,
    variable: impl Fn(&str) -> Option<OsString>,
    home: Option<OsString>,
) -> Result<Paths, PathsError> {
    let home = home.filter(|path| !path.is_empty());
    let place = Place {
        system,
        variable,
        home,
    };
    match system {
        System::Linux => place.linux(),
        System::MacOs => place.macos(),
        System::Windows => place.windows(),
    }
}

struct Place<F> {
    system: System,
    variable: F,
    home: Option<OsString>,
}

impl<F: Fn(&str) -> Option<OsString>> Place<F> {
    fn linux(&self) -> Result<Paths, PathsError> {
        let config = self.base("XDG_CONFIG_HOME", &[".config"])?;
        let data = self.base("XDG_DATA_HOME", &[".local", "share"])?;
        let state = self.base("XDG_STATE_HOME", &[".local", "state"])?;
        let runtime = match self.absolute("XDG_RUNTIME_DIR") {
            Some(dir) => self.join(dir, &["syncline"]),
            None => self.join(state.clone(), &["syncline", "run"]),
        };
        Ok(Paths {
            config_file: self.join(config, &["syncline", "config.toml"]).into(),
            data_dir: self.join(data, &["syncline"]).into(),
            log_dir: self.join(state, &["syncline", "logs"]).into(),
            runtime_dir: runtime.into(),
        })
    }

    fn macos(&self) -> Result<Paths, PathsError> {
        let home = self.home.clone().ok_or(PathsError { variable: "HOME" })?;
        let library = self.join(home, &["Library"]);
        let support = self.join(library.clone(), &["Application Support", "syncline"]);
        Ok(Paths {
            config_file: self.join(support.clone(), &["config.toml"]).into(),
            data_dir: self.join(support.clone(), &["data"]).into(),
            log_dir: self.join(library, &["Logs", "syncline"]).into(),
            runtime_dir: self.join(support, &["run"]).into(),
        })
    }

    fn windows(&self) -> Result<Paths, PathsError> {
        let roaming = self.base("APPDATA", &["AppData", "Roaming"])?;
        let local = self.base("LOCALAPPDATA", &["AppData", "Local"])?;
        let local = self.join(local, &["syncline"]);
        Ok(Paths {
            config_file: self.join(roaming, &["syncline", "config.toml"]).into(),
            data_dir: self.join(local.clone(), &["data"]).into(),
            log_dir: self.join(local.clone(), &["logs"]).into(),
            runtime_dir: self.join(local, &["run"]).into(),
        })
    }

    /// The directory that `variable` names, else the one below the home directory.
    fn base(&self, variable: &'static str, below_home: &[&str]) -> Result<OsString, PathsError> {
        if let Some(dir) = self.absolute(variable) {
            return Ok(dir);
        }
        let home = self.home.clone().ok_or(PathsError { variable })?;
        Ok(self.join(home, below_home))
    }

    fn absolute(&self, variable: &str) -> Option<OsString> {
        (self.variable)(variable).filter(|dir| self.system.is_absolute(dir))
    }

    /// Joins with the separator of the system in question, which `Path` would not.
    fn join(&self, mut base: OsString, parts: &[&str]) -> OsString {
        for part in parts {
            if !base.to_string_lossy().ends_with(self.system.separator()) {
                base.push(self.system.separator());
            }
            base.push(part);
        }
        base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(system: System, variables: &[(&str, &str)], home: Option<&str>) -> [String; 4] {
        let look_up = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let paths = standard(system, look_up, home.map(OsString::from)).unwrap();
        [
            paths.config_file,
            paths.data_dir,
            paths.log_dir,
            paths.runtime_dir,
        ]
        .map(|path| path.to_str().unwrap().to_owned())
    }

    const XDG: [(&str, &str); 4] = [
        ("XDG_CONFIG_HOME", "/c"),
        ("XDG_DATA_HOME", "/d/"),
        ("XDG_STATE_HOME", "/s"),
        ("XDG_RUNTIME_DIR", "/run/user/7"),
    ];

    #[test]
    fn linux_follows_the_xdg_base_directories() {
        let standard = [
            "/home/ada/.config/syncline/config.toml",
            "/home/ada/.local/share/syncline",
            "/home/ada/.local/state/syncline/logs",
            "/home/ada/.local/state/syncline/run",
        ];
        let home = Some("/home/ada");
        assert_eq!(places(System::Linux, &[], home), standard);
        let not_absolute = [("XDG_CONFIG_HOME", "c"), ("XDG_DATA_HOME", "")];
        assert_eq!(places(System::Linux, &not_absolute, home), standard);
        assert_eq!(
            places(System::Linux, &XDG, home),
            [
                "/c/syncline/config.toml",
                "/d/syncline",
                "/s/syncline/logs",
                "/run/user/7/syncline",
            ]
        );
    }

    #[test]
    fn macos_has_a_library_and_knows_no_xdg() {
        assert_eq!(
            places(System::MacOs, &XDG, Some("/Users/ada")),
            [
                "/Users/ada/Library/Application Support/syncline/config.toml",
                "/Users/ada/Library/Application Support/syncline/data",
                "/Users/ada/Library/Logs/syncline",
                "/Users/ada/Library/Application Support/syncline/run",
            ]
        );
    }

    #[test]
    fn windows_keeps_settings_roaming_and_data_local() {
        let home = Some(r"C:\Users\Ada");
        let variables = [("APPDATA", r"C:\R"), ("LOCALAPPDATA", r"\\host\share")];
        assert_eq!(
            places(System::Windows, &variables, home),
            [
                r"C:\R\syncline\config.toml",
                r"\\host\share\syncline\data",
                r"\\host\share\syncline\logs",
                r"\\host\share\syncline\run",
            ]
        );
        assert_eq!(
            places(System::Windows, &[], home),
            [
                r"C:\Users\Ada\AppData\Roaming\syncline\config.toml",
                r"C:\Users\Ada\AppData\Local\syncline\data",
                r"C:\Users\Ada\AppData\Local\syncline\logs",
                r"C:\Users\Ada\AppData\Local\syncline\run",
            ]
        );
        let not_absolute = [("APPDATA", "R"), ("LOCALAPPDATA", "D:/L")];
        let [config, data, ..] = places(System::Windows, &not_absolute, Some(r"C:\"));
        assert_eq!(config, r"C:\AppData\Roaming\syncline\config.toml");
        assert_eq!(data, r"D:/L\syncline\data");
    }

    #[test]
    fn without_a_home_the_variables_alone_must_do() {
        let none = |_: &str| None;
        for system in [System::Linux, System::MacOs, System::Windows] {
            assert!(standard(system, none, None).is_err());
            assert!(standard(system, none, Some(OsString::new())).is_err());
        }
        let all = |_: &str| Some(OsString::from("/x"));
        let paths = standard(System::Linux, all, None).unwrap();
        assert_eq!(paths.config_file, PathBuf::from("/x/syncline/config.toml"));
    }
}
