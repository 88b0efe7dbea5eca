//! Tokens: in a file of their own, mode 0600, each bound to the endpoint that issued it.

use std::io;
use std::path::{Path, PathBuf};

use syncline_client::{Endpoint, Token};
use toml_edit::{DocumentMut, Item, Table, value};

use super::{ProfileName, file};
use crate::atomic_file::{self, Readers};

/// A token and where it may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) endpoint: Endpoint,
    pub(crate) token: Token,
}

/// Why the credentials can't be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    #[error("could not read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("could not write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// Without the parser's own words: they would quote the line with the token.
    #[error("{} is not a file of credentials", path.display())]
    Syntax { path: PathBuf },
}

/// The file of credentials.
#[derive(Debug)]
pub(crate) struct Credentials {
    path: PathBuf,
}

impl Credentials {
    /// The credentials that belong to the configuration at `config_file`.
    pub(crate) fn beside(config_file: &Path) -> Self {
        Self {
            path: config_file.with_file_name("credentials.toml"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is stored for `profile`.
    pub(crate) fn get(
        &self,
        profile: &ProfileName,
    ) -> Result<Option<Credential>, CredentialsError> {
        let document = self.load()?;
        let Some(item) = document.get(profile.as_str()) else {
            return Ok(None);
        };
        let text = |key: &str| item.get(key).and_then(Item::as_str);
        let found = text("endpoint")
            .and_then(|endpoint| endpoint.parse().ok())
            .zip(text("token").and_then(|token| token.parse().ok()));
        match found {
            Some((endpoint, token)) => Ok(Some(Credential { endpoint, token })),
            None => Err(self.syntax()),
        }
    }

    pub(crate) fn set(
        &self,
        profile: &ProfileName,
        credential: &Credential,
    ) -> Result<(), CredentialsError> {
        self.edit(|document| {
            let mut table = Table::new();
            table.insert("endpoint", value(credential.endpoint.to_string()));
            table.insert("token", value(credential.token.reveal()));
            document.insert(profile.as_str(), Item::Table(table));
        })
    }

    /// Forgets what is stored for `profile`; says whether something was.
    pub(crate) fn remove(&self, profile: &ProfileName) -> Result<bool, CredentialsError> {
        if !self.path.exists() {
            return Ok(false);
        }
        self.edit(|document| document.remove(profile.as_str()).is_some())
    }

    fn edit<T>(&self, change: impl FnOnce(&mut DocumentMut) -> T) -> Result<T, CredentialsError> {
        let failed = |source| CredentialsError::Write {
            path: self.path.clone(),
            source,
        };
        let _lock = file::lock(&self.path).map_err(failed)?;
        let mut document = self.load()?;
        let answer = change(&mut document);
        let text = document.to_string();
        atomic_file::replace(&self.path, text.as_bytes(), Readers::Owner).map_err(failed)?;
        Ok(answer)
    }

    fn load(&self) -> Result<DocumentMut, CredentialsError> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => text.parse().map_err(|_| self.syntax()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DocumentMut::new()),
            Err(source) => Err(CredentialsError::Read {
                path: self.path.clone(),
                source,
            }),
        }
    }

    fn syntax(&self) -> CredentialsError {
        CredentialsError::Syntax {
            path: self.path.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(token: &str) -> Credential {
        Credential {
            endpoint: "http://h".parse().unwrap(),
            token: token.parse().unwrap(),
        }
    }

    #[test]
    fn what_is_stored_comes_back_and_goes() {
        let dir = tempfile::tempdir().unwrap();
        let credentials = Credentials::beside(&dir.path().join("config.toml"));
        let (one, two) = (ProfileName::default(), "two".parse().unwrap());
        assert_eq!(credentials.get(&one).unwrap(), None);
        assert!(!credentials.remove(&one).unwrap());
        credentials.set(&one, &credential("first")).unwrap();
        credentials.set(&two, &credential("second")).unwrap();
        assert!(!atomic_file::is_exposed(credentials.path()).unwrap());
        assert_eq!(credentials.get(&one).unwrap(), Some(credential("first")));
        assert!(credentials.remove(&one).unwrap());
        assert_eq!(credentials.get(&one).unwrap(), None);
        assert_eq!(credentials.get(&two).unwrap(), Some(credential("second")));
    }

    #[test]
    fn no_error_and_no_debug_output_shows_a_token() {
        let dir = tempfile::tempdir().unwrap();
        let credentials = Credentials::beside(&dir.path().join("config.toml"));
        std::fs::write(credentials.path(), "[default]\ntoken = \"slc_hush\nx").unwrap();
        let error = credentials.get(&ProfileName::default()).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hush"));
        assert!(!format!("{:?}", credential("slc_hush")).contains("hush"));
    }
}
