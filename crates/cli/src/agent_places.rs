//! Where the agents of this machine leave their sessions.

use std::path::PathBuf;

use syncline_capture::agent::Agent;
use syncline_capture::import::Source;
use syncline_capture::places::{self, Surroundings};

use crate::context::Context;

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
