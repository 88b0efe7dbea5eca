//! Following the configuration: changed files are noticed and read again, without a restart.

use std::path::PathBuf;
use std::time::SystemTime;

use syncline_client::SyncSettings;

use crate::capture::CaptureSettings;

/// What a daemon goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub sync: SyncSettings,
    pub capture: CaptureSettings,
}

impl Settings {
    /// Neither sync nor capture.
    pub fn off() -> Self {
        Self {
            sync: SyncSettings::Off,
            capture: CaptureSettings::off(),
        }
    }
}

/// Reads the settings as they are now.
pub type ReadSettings =
    Box<dyn FnMut() -> Result<Settings, Box<dyn std::error::Error + Send + Sync>> + Send>;

/// The settings, and the files that they come from.
pub struct Followed {
    /// Looked at every second; a file that isn't there counts too, since it may come.
    pub files: Vec<PathBuf>,
    pub read: ReadSettings,
}

impl std::fmt::Debug for Followed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Followed")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// What a file looks like from outside: a replaced or rewritten one looks different.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    modified: Option<SystemTime>,
    bytes: u64,
    #[cfg(unix)]
    inode: u64,
}

/// Notices changes of the settings.
#[derive(Debug)]
pub(crate) struct Follower {
    followed: Followed,
    looks: Vec<Option<Look>>,
    current: Settings,
    failing: Failing,
}

/// Whether the settings could be read last time: a failure is logged once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failing {
    No,
    Yes,
}

impl Follower {
    /// Reads the settings for the first time. Ones that can't be read count as off until they can.
    pub(crate) fn begin(followed: Followed) -> Self {
        let mut follower = Self {
            looks: Vec::new(),
            followed,
            current: Settings::off(),
            failing: Failing::No,
        };
        follower.read_again();
        follower
    }

    /// The settings that were read last.
    pub(crate) fn current(&self) -> &Settings {
        &self.current
    }

    /// Reads the settings again if a file of theirs has changed; gives them if they differ.
    pub(crate) fn look(&mut self) -> Option<Settings> {
        let changed = self.looks != self.look_at_files();
        changed.then(|| self.read_again()).flatten()
    }

    /// Reads the settings again; gives them if they differ. Ones that can't be read leave the old
    /// ones in force: a file in the middle of an edit must not stop sync.
    pub(crate) fn read_again(&mut self) -> Option<Settings> {
        // Looked at first: a change after this shows at the next look.
        self.looks = self.look_at_files();
        match (self.followed.read)() {
            Ok(settings) => {
                self.failing = Failing::No;
                let differs = settings != self.current;
                self.current = settings;
                differs.then(|| self.current.clone())
            }
            Err(error) => {
                if self.failing == Failing::No {
                    tracing::warn!(
                        error = &*error as &dyn std::error::Error,
                        "the settings can't be read; those read before stay in force"
                    );
                }
                self.failing = Failing::Yes;
                None
            }
        }
    }

    fn look_at_files(&self) -> Vec<Option<Look>> {
        let look = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some(Look {
                modified: metadata.modified().ok(),
                bytes: metadata.len(),
                #[cfg(unix)]
                inode: std::os::unix::fs::MetadataExt::ino(&metadata),
            })
        };
        self.followed.files.iter().map(look).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use syncline_client::{Delivery, Remote};

    use super::*;

    fn follow(path: &Path) -> Followed {
        let path = path.to_owned();
        Followed {
            files: vec![path.clone()],
            read: Box::new(move || {
                let Ok(text) = fs::read_to_string(&path) else {
                    return Ok(Settings::off());
                };
                let delivery = Delivery::Live {
                    interval: Duration::from_secs(30),
                };
                let sync = SyncSettings::On(Remote {
                    endpoint: text.parse()?,
                    token: None,
                    delivery,
                });
                Ok(Settings {
                    sync,
                    ..Settings::off()
                })
            }),
        }
    }

    #[test]
    fn a_change_is_told_once_and_an_unchanged_file_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("endpoint");
        let mut follower = Follower::begin(follow(&path));
        assert_eq!(*follower.current(), Settings::off());
        assert_eq!(follower.look(), None);
        fs::write(&path, "http://a").unwrap();
        let SyncSettings::On(remote) = follower.look().unwrap().sync else {
            panic!("it is on")
        };
        assert_eq!(remote.endpoint.to_string(), "http://a");
        assert_eq!(follower.look(), None);
        fs::remove_file(&path).unwrap();
        assert_eq!(follower.look(), Some(Settings::off()));
    }

    #[test]
    fn settings_that_cannot_be_read_leave_the_old_ones_in_force() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("endpoint");
        fs::write(&path, "http://a").unwrap();
        let mut follower = Follower::begin(follow(&path));
        let before = follower.current().clone();
        fs::write(&path, "no endpoint").unwrap();
        assert_eq!(follower.look(), None);
        assert_eq!(*follower.current(), before);
        fs::write(&path, "http://bb").unwrap();
        assert!(follower.look().is_some());
    }
}
