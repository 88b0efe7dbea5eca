//! Shapes that are being made: the first one of a table has its rows read, one step after each group of
//! writes, and as many as fit while nothing waits.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use syncline_store::shapes::{MadeShape, Making, NewShape};
use tokio::sync::oneshot;

use super::compacting::step_count;
use super::writer::Shared;
use crate::tenant::{Refused, TenantLog};

/// Rows of the first step: a small table is read in it.
const COUNT_FIRST: usize = 512;

/// Who waits for a shape.
type Reply = oneshot::Sender<Result<Option<MadeShape>, Refused>>;

/// The shapes that a writer has to make, in turn.
#[derive(Debug, Default)]
pub(super) struct Makings {
    waiting: VecDeque<(NewShape, Reply)>,
    last_step: Option<(usize, Duration)>,
    /// How many shapes can be made before they are counted again.
    room: usize,
}

impl Makings {
    pub(super) fn add(&mut self, new: NewShape, reply: Reply) {
        self.waiting.push_back((new, reply));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Does one step of the next; `last_commit` is what the group just before it took, if there was one.
    pub(super) fn step(
        &mut self,
        log: &mut TenantLog,
        shared: &Shared,
        last_commit: Option<Duration>,
    ) {
        let Some((new, reply)) = self.waiting.pop_front() else {
            return;
        };
        if reply.is_closed() {
            // Who asks again goes on where this has ended.
            return;
        }
        let count = step_count(self.last_step, COUNT_FIRST, last_commit);
        let started = Instant::now();
        let room = self.make_room(log, shared);
        let made = match room.and_then(|()| log.make_shape(&new, count)) {
            Ok(Making::More { bytes }) => {
                self.last_step = Some((count, started.elapsed()));
                shared.wrote_beside(bytes, log);
                // Another table's may be a small one.
                return self.waiting.push_back((new, reply));
            }
            Ok(Making::Made(made)) => {
                self.room = self.room.saturating_sub(1);
                Ok(Some(made))
            }
            Ok(Making::NoTable) => Ok(None),
            Err(error) => Err(error),
        };
        // Who asked may have gone; the next to ask finds it.
        let _ = reply.send(made);
    }

    /// Lets shapes go where there are as many as may be; who reads them is told.
    fn make_room(&mut self, log: &mut TenantLog, shared: &Shared) -> Result<(), Refused> {
        if self.room > 0 {
            return Ok(());
        }
        let choose = |handles, count| shared.hub.to_let_go(handles, count);
        let (room, gone) = log.make_room_for_shapes(shared.shapes_max, choose)?;
        self.room = room;
        if gone > 0 {
            shared.hub.wake_all();
        }
        Ok(())
    }
}
