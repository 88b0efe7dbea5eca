//! A decision on the view whose answer finds its way back to who asked.

use std::sync::{Arc, Mutex};

use syncline_model::ActorId;
use syncline_store::{StoreError, TenantFile};

use crate::tenant::{Decide, NewOp};

/// Says which ops to write, and the answer that goes with them.
pub(crate) type Judgement<T> = (Vec<NewOp>, T);

/// Where the answer of a decision waits for who asked.
pub(super) type Slot<T> = Arc<Mutex<Option<T>>>;

/// Runs a function as a decision; the answer of its last run is kept in the slot.
pub(super) struct Decision<F, T> {
    actor: Option<ActorId>,
    judge: F,
    answer: Slot<T>,
}

impl<F, T> Decision<F, T> {
    /// One whose ops are of `actor`, or else of this server's.
    pub(super) fn new(actor: Option<ActorId>, judge: F) -> (Self, Slot<T>) {
        let answer = Slot::default();
        let decision = Self {
            actor,
            judge,
            answer: Arc::clone(&answer),
        };
        (decision, answer)
    }
}

impl<F, T> Decide for Decision<F, T>
where
    F: FnMut(&TenantFile) -> Result<Judgement<T>, StoreError> + Send,
    T: Send,
{
    fn actor(&self) -> Option<&ActorId> {
        self.actor.as_ref()
    }

    fn decide(&mut self, view: &TenantFile) -> Result<Vec<NewOp>, StoreError> {
        let (ops, answer) = (self.judge)(view)?;
        *self.answer.lock().expect("nothing panics under this lock") = Some(answer);
        Ok(ops)
    }
}
