//! The ids of sessions.

use uuid::Uuid;

use crate::uuid_id::{uuid_id, uuid_resource};

/// The namespace under which session ids are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x3f0c_9a5e_84b1_5a77_b6c2_51d8_0e6f_4a93);

uuid_id!(
    /// A coding session: the resource that its ops name.
    SessionId
);
uuid_resource!(SessionId);

/// The id of the session that `agent` calls `native`: equal on every machine that reads the same
/// transcript. `apart` tells sessions apart to which an agent gives one id, such as those of two
/// projects or of two subagents; it is empty where none does.
pub fn session_id(agent: &str, native: &str, apart: &str) -> SessionId {
    // Lengths stand before the texts, so that no two triples are written alike.
    let name = format!("{}:{agent}{}:{native}{apart}", agent.len(), native.len());
    SessionId::new(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}
