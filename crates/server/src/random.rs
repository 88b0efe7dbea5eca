//! Random bytes from the operating system.

use rand::TryRngCore;
use rand::rngs::OsRng;
use syncline_model::{ActorId, Epoch, Mark};

use crate::server::now;
use crate::tenant::Birth;

/// So many random bytes.
pub(crate) fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    OsRng
        .try_fill_bytes(&mut bytes)
        .expect("every system that has TCP has random bytes");
    bytes
}

/// A random number of those from `least` on, `count` of them.
pub(crate) fn random_from(least: u64, count: u32) -> u64 {
    let number = u32::from_le_bytes(random());
    least + u64::from(number % count.max(1))
}

/// A new id.
pub(crate) fn new_uuid() -> uuid::Uuid {
    syncline_model::mint(now(), random())
}

/// New ids, each above the one before.
pub(crate) fn new_uuids() -> impl Iterator<Item = uuid::Uuid> {
    syncline_model::mint_rising(now(), random(), || u32::from_le_bytes(random()))
}

/// An actor that no server was before.
pub(crate) fn server_actor() -> ActorId {
    let actor = format!("server-{}", new_uuid());
    ActorId::new(actor).expect("a UUID's text is short and printable")
}

/// How a log begins on a server that is `actor`.
pub(crate) fn birth(actor: ActorId) -> Birth {
    Birth {
        epoch: Epoch::new(new_uuid()),
        origin: Mark::origin(random()),
        actor,
    }
}
