//! The schema that a server was last started with, beside the control file.

use std::fs::{self, File};
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use syncline_model::schema::Schema;

use super::directory::{DataDirectory, DataDirectoryError};

const FILE: &str = "served-schema.json";
const NEW_FILE: &str = "served-schema.json.new";

/// The schema that a server was last started with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServedSchema {
    #[serde(flatten)]
    pub schema: Schema,
    /// Whether its document was read for what lists and objects must hold: servers before that held their
    /// values against nothing, whatever the document said.
    #[serde(default)]
    pub reads_within: bool,
}

impl DataDirectory {
    /// The schema that a server was last started with; none: none was, or it is of a version that this
    /// one can't read.
    pub fn served_schema(&self) -> Result<Option<ServedSchema>, DataDirectoryError> {
        let path = self.path().join(FILE);
        match fs::read(&path) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(DataDirectoryError::Make { path, source }),
        }
    }

    /// Notes the schema that the server is started with.
    pub fn note_served_schema(&self, schema: &Schema) -> Result<(), DataDirectoryError> {
        let (path, new) = (self.path().join(FILE), self.path().join(NEW_FILE));
        // What a crash has left is not to be appended to.
        match fs::remove_file(&new) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(DataDirectoryError::Make { path: new, source });
            }
            Ok(()) | Err(_) => {}
        }
        let mut file = self.private_log(NEW_FILE)?;
        let served = ServedSchema {
            schema: schema.clone(),
            reads_within: true,
        };
        let text = serde_json::to_vec(&served).expect("a schema can always be written");
        let mut note = || {
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            if cfg!(unix) {
                File::open(self.path())?.sync_all()?;
            }
            Ok(())
        };
        note().map_err(|source| DataDirectoryError::Make { path, source })
    }
}
