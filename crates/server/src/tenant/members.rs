//! Who owns which actor and client, remembered between commits, and what clients say they applied.

use std::collections::HashMap;

use syncline_model::{ActorId, ClientId, Cursor, Timestamp, UserId};
use syncline_protocol::ActorOwner;
use syncline_store::{Batch, Contact, StoreError};

use super::records::Rules;

/// How many actors, and how many clients, are remembered. Past this, all are forgotten and read
/// again from the file as they come.
const REMEMBERED_MAX: usize = 10_000;
/// How many clients' notes wait for the next commit.
const NOTES_MAX: usize = 10_000;
/// A client's row is written again when its cursor has moved, or after this time: retention counts
/// days, so a minute does no harm.
const CONTACT_EVERY_MILLIS: i64 = 60_000;

/// What a client said of itself outside a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientNote {
    pub client: ClientId,
    pub user: UserId,
    /// The place up to which it has applied the log, checked against the log's marks.
    pub cursor: Option<Cursor>,
    pub at: Timestamp,
}

/// Owners as the file has them. Holds what is committed, or is emptied.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// What records are judged by.
    pub(super) rules: Rules,
    /// How many refusals may be kept before their number is looked at.
    pub(super) refusals_left: usize,
    actors: HashMap<ActorId, UserId>,
    clients: HashMap<ClientId, Contacted>,
    notes: HashMap<ClientId, ClientNote>,
}

#[derive(Debug, Clone)]
struct Contacted {
    user: UserId,
    cursor: Option<Cursor>,
    pushed_at: Option<Timestamp>,
}

/// Whose something is, to who asks.
fn owner_to(asker: &UserId, owner: Option<&UserId>) -> ActorOwner {
    match owner {
        None => ActorOwner::Nobody,
        Some(owner) if owner == asker => ActorOwner::Asker,
        Some(_) => ActorOwner::Another,
    }
}

impl Members {
    /// Forgets the owners, which a batch that was rolled back may have changed; notes stay.
    pub(super) fn forget(&mut self) {
        self.rules.forget();
        self.refusals_left = 0;
        self.actors.clear();
        self.clients.clear();
    }

    /// Keeps a note for the next commit; the newest of a client stands.
    pub(super) fn note(&mut self, note: ClientNote) {
        if self.notes.len() < NOTES_MAX || self.notes.contains_key(&note.client) {
            self.notes.insert(note.client.clone(), note);
        }
    }

    /// Whose the actor is to `asker`.
    pub(super) fn owner_of_actor(
        &mut self,
        batch: &Batch<'_>,
        actor: &ActorId,
        asker: &UserId,
    ) -> Result<ActorOwner, StoreError> {
        if let Some(owner) = self.actors.get(actor) {
            return Ok(owner_to(asker, Some(owner)));
        }
        let owner = batch.actor_owner(actor)?;
        if let Some(owner) = &owner {
            self.remember_actor(actor, owner);
        }
        Ok(owner_to(asker, owner.as_ref()))
    }

    /// Gives an actor that nobody owns to `user`.
    pub(super) fn claim_actor(
        &mut self,
        batch: &Batch<'_>,
        actor: &ActorId,
        user: &UserId,
    ) -> Result<(), StoreError> {
        batch.claim_actor(actor, user)?;
        self.remember_actor(actor, user);
        Ok(())
    }

    fn remember_actor(&mut self, actor: &ActorId, owner: &UserId) {
        if self.actors.len() >= REMEMBERED_MAX {
            self.actors.clear();
        }
        self.actors.insert(actor.clone(), owner.clone());
    }

    /// Whose the client is to `asker`.
    pub(super) fn owner_of_client(
        &self,
        batch: &Batch<'_>,
        client: &ClientId,
        asker: &UserId,
    ) -> Result<ActorOwner, StoreError> {
        if let Some(known) = self.clients.get(client) {
            return Ok(owner_to(asker, Some(&known.user)));
        }
        let owner = batch.client_owner(client)?;
        Ok(owner_to(asker, owner.as_ref()))
    }

    /// Writes that the client was heard of, unless its row says so already; says whether it wrote.
    pub(super) fn record(
        &mut self,
        batch: &Batch<'_>,
        note: &ClientNote,
        contact: Contact,
    ) -> Result<bool, StoreError> {
        let known = self.clients.get(&note.client);
        let fresh = known.is_some_and(|known| {
            let moved = note.cursor.is_some() && note.cursor != known.cursor;
            let since = known
                .pushed_at
                .map_or(i64::MAX, |at| note.at.as_millis() - at.as_millis());
            let heard = contact == Contact::Read || (0..CONTACT_EVERY_MILLIS).contains(&since);
            !moved && heard
        });
        if fresh {
            return Ok(false);
        }
        batch.record_client(&note.client, &note.user, note.cursor, contact, note.at)?;
        let known = known.cloned();
        if self.clients.len() >= REMEMBERED_MAX {
            self.clients.clear();
        }
        let pushed_before = known.as_ref().and_then(|known| known.pushed_at);
        self.clients.insert(
            note.client.clone(),
            Contacted {
                user: note.user.clone(),
                cursor: note.cursor.or(known.and_then(|known| known.cursor)),
                pushed_at: if contact == Contact::Push {
                    Some(note.at)
                } else {
                    pushed_before
                },
            },
        );
        Ok(true)
    }

    /// Writes the notes that wait, those of clients that are another user's excepted; says whether
    /// it wrote any. They are let go of when the batch has committed.
    pub(super) fn record_notes(&mut self, batch: &Batch<'_>) -> Result<bool, StoreError> {
        let notes: Vec<_> = self.notes.values().cloned().collect();
        let mut wrote = false;
        for note in notes {
            if self.owner_of_client(batch, &note.client, &note.user)? != ActorOwner::Another {
                wrote |= self.record(batch, &note, Contact::Read)?;
            }
        }
        Ok(wrote)
    }

    /// Lets go of the notes that a committed batch holds.
    pub(super) fn committed(&mut self) {
        self.notes.clear();
    }
}
