//! The prices by which costs are computed: a file beside the configuration, else the table that is
//! built in.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use syncline_store::sessions::PriceTable;

use crate::context::Context;
use crate::failure::Failure;

/// The file beside the configuration that takes the place of the table that is built in.
const FILE_NAME: &str = "prices.json";

/// A table of prices, and where it is from.
#[derive(Debug)]
pub(crate) struct Prices {
    pub(crate) table: PriceTable,
    /// None: it is built in.
    pub(crate) file: Option<PathBuf>,
}

/// Where the file would be.
pub(crate) fn file(context: &Context) -> Result<PathBuf, Failure> {
    Ok(context.paths()?.config_file.with_file_name(FILE_NAME))
}

/// The prices in use.
pub(crate) fn read(context: &Context) -> Result<Prices, Failure> {
    of_file(file(context)?)
}

/// The prices of a server: those in its data directory, if there are any.
pub(crate) fn of_server(data: &Path) -> Result<Prices, Failure> {
    of_file(data.join(FILE_NAME))
}

fn of_file(path: PathBuf) -> Result<Prices, Failure> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
        let message = format!("could not use the prices in {}", path.display());
        Failure::new("prices_invalid", message)
            .because(error)
            .state("nothing was computed, and nothing was changed")
            .fix("mend the file, or move it away: there is a table that is built in")
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Prices {
            table: PriceTable::parse(&text).map_err(|error| unusable(error.into()))?,
            file: Some(path),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Prices {
            table: PriceTable::built_in(),
            file: None,
        }),
        Err(error) => Err(unusable(error.into())),
    }
}
