//! Where the agents of this machine leave their sessions.

use std::path::PathBuf;

use syncline_capture::agent::Agent;
use syncline_capture::import::Source;
use syncline_capture::places::{self, Surroundings};
use syncline_replica::LOCAL_FILE_NAME;

use crate::context::Context;
use crate::failure::Failure;
use crate::replica_access;

/// The usual places of agents; not all of them need be there.
pub(crate) fn standard(context: &Context, agents: &[Agent]) -> Vec<Source> {
    let home = context.environment.home.as_ref();
    let home = home.and_then(|home| home.to_str()).unwrap_or_default();
    let surroundings = Surroundings {
        system: places::System::current(),
        variable: |name: &str| {
            let value = context.environment.raw(name)?;
            value.to_str().map(str::to_owned)
        },
    };
    let places = agents.iter().flat_map(|agent| {
        let places = places::standard(*agent, &surroundings, home);
        places.into_iter().map(|place| Source {
            agent: *agent,
            root: PathBuf::from(place),
        })
    });
    places.collect()
}

/// Aider's histories: of the repository of the working directory, and of those that sessions are known to have
/// worked in.
pub(crate) fn histories(context: &Context) -> Result<Vec<Source>, Failure> {
    let mut directories = Vec::from_iter(context.environment.current_dir.clone());
    // A replica is made once there is something to write.
    let replica = context.replica_dir()?;
    if replica.join(LOCAL_FILE_NAME).exists() {
        let mut replica = replica_access::open(context)?;
        replica.view()?;
        let known = replica.session_directories()?;
        directories.extend(known.into_iter().map(PathBuf::from));
    }
    Ok(places::histories(directories))
}
