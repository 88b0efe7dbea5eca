//! What readers of shapes are told of a batch.

use syncline_model::ServerSeq;

use super::{Batch, write_head};
use crate::file::StoreError;
use crate::shapes::ShapeChanges;
use crate::tenant::Head;

impl Batch<'_> {
    /// Tells readers of shapes of a record as it is, by the op at `seq`, which was appended just now and
    /// has changed nothing of it.
    pub fn tell_as_it_is(
        &mut self,
        entity: &str,
        id: &str,
        seq: ServerSeq,
    ) -> Result<(), StoreError> {
        match &mut self.tracker {
            Some(tracker) => tracker.tell_again(&self.transaction, entity, id, seq),
            None => Ok(()),
        }
    }

    /// As [`Batch::commit`], and gives the rows of relations with shapes that it has changed.
    pub fn commit_telling(mut self) -> Result<(Head, ShapeChanges), StoreError> {
        self.view.flush()?;
        let mut changes = ShapeChanges::default();
        if let Some(tracker) = self.tracker {
            changes = tracker.end(&self.transaction, &self.head)?;
        }
        write_head(&self.transaction, &self.head)?;
        self.transaction.commit()?;
        Ok((self.head, changes))
    }
}
