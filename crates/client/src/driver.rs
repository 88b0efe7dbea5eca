//! The event loop: commands, the call that is out, the stream and the clock, one at a time.

use std::io;
use std::sync::Arc;

use syncline_replica::Replica;
use tokio::runtime::Runtime;

use crate::inbox::Inbox;
use crate::status::Board;
use crate::{Phase, SyncEnd};

/// The loop's runtime: one thread, which is the one that runs it.
pub(crate) fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

pub(crate) struct Driver {
    replica: Replica,
    board: Arc<Board>,
}

impl Driver {
    pub(crate) fn new(replica: Replica, board: Arc<Board>) -> Self {
        Self { replica, board }
    }

    pub(crate) async fn run(self, inbox: &Inbox) {
        loop {
            let wishes = inbox.next().await;
            for waiter in wishes.waiters {
                let _ = waiter.reply.send(self.board.outcome(SyncEnd::Off));
            }
            if wishes.stop.is_some() {
                break;
            }
        }
        drop(self.replica);
        self.board.enter(Phase::Stopped, self.board.read().since);
    }
}
