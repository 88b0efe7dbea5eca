//! Setting a tenant file aside that is damaged where no open meets it.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use syncline_store::{FileOptions, quick_check};

use crate::place::{NamedFile, Place};
use crate::{RealHost, ReplicaError};

/// Reads all of the tenant file of the replica in `directory`, and sets it aside if it is damaged, as an open does
/// that meets the damage; sync fetches the log again. The replica may be in use.
pub fn set_aside_if_damaged(directory: &Path) -> Result<(), ReplicaError> {
    let place = Place {
        host: Arc::new(RealHost::new()),
        directory: directory.to_owned(),
        files: FileOptions::default(),
    };
    // What a restore puts in its place may bear its name, and is whole.
    let _kept = place.keep_from_restores()?;
    let mut local = place.open_local()?.file;
    let NamedFile { name, file } = place.open_tenant(&mut local)?;
    drop(file);
    let problem = match quick_check(&place.path_of(&name)) {
        Ok(problems) => problems.into_iter().next().map(Box::<dyn Error>::from),
        Err(error) if error.is_damage() => Some(Box::<dyn Error>::from(error)),
        Err(error) => return Err(ReplicaError::OpenTenant(error)),
    };
    match problem {
        Some(problem) => place.set_aside(&mut local, &name, &*problem),
        None => Ok(()),
    }
}
