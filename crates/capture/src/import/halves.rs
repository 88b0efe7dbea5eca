//! What older readers have kept of texts that were cut within a character: as it stood, and unread, so that
//! the secrets in it stayed.

use std::collections::HashSet;

use syncline_model::session::{Piece, SessionId};
use syncline_redact::mend_surrogates;
use syncline_replica::Replica;

use super::ImportError;
use crate::facts::{Fact, Facts};

/// What the escape of half a character begins with.
const HALF: &str = "\\ud";

/// Says again, so that it is redacted like all else, what was kept so of the sessions that `facts` are of;
/// of each once, as `seen` tells.
pub(super) fn say_again(
    facts: &mut Facts,
    replica: &Replica,
    seen: &mut HashSet<SessionId>,
) -> Result<(), ImportError> {
    let mut kept = Vec::new();
    for Fact { session, .. } in &facts.0 {
        if !seen.insert(*session) {
            continue;
        }
        let parts = replica.raw_parts_with(*session, HALF);
        for mut part in parts.map_err(ImportError::Replica)? {
            part.text = mend_surrogates(&part.text).into_owned().into();
            let piece = Piece::Part(part);
            kept.push(Fact {
                session: *session,
                piece,
                up_to: None,
                apart: None,
            });
        }
    }
    // Before what is read of it now, which counts.
    facts.0.splice(0..0, kept);
    Ok(())
}
