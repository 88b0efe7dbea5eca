//! Reading the log: the checks of a place, and the page after it.

use syncline_model::{Cursor, Epoch, Mark, ServerSeq};
use syncline_protocol::{PageEncoder, PageEnd, WireOp};
use syncline_store::{Head, PageLimit, TenantFile};

use super::Refused;

/// A place that a request names. What it leaves out is not checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    pub since: ServerSeq,
    pub mark: Option<Mark>,
    pub epoch: Option<Epoch>,
    /// The floor that the first page of a fetch from place 0 had.
    pub floor: Option<ServerSeq>,
}

impl From<Cursor> for Place {
    fn from(cursor: Cursor) -> Self {
        Self {
            since: cursor.server_seq,
            mark: Some(cursor.mark),
            ..Self::default()
        }
    }
}

/// What stands around the ops of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Where the log stood when the page was read.
    pub head: Head,
    /// The mark of the place that the page goes on from; none: not kept.
    pub since_mark: Option<Mark>,
    /// Where the page ends.
    pub cursor: Cursor,
}

impl Page {
    /// Whether the log goes on after this page.
    pub fn has_more(&self) -> bool {
        self.cursor.server_seq < self.head.cursor.server_seq
    }
}

/// Checks that the epoch named, if any, is the log's.
pub(super) fn check_epoch(
    file: &TenantFile,
    head: &Head,
    epoch: Option<Epoch>,
) -> Result<(), Refused> {
    if epoch.is_none_or(|epoch| epoch == head.epoch) {
        return Ok(());
    }
    Err(Refused::EpochChanged {
        epoch: head.epoch,
        lineage: file.lineage()?,
    })
}

/// Checks that `place` is one of the log, and says its mark where that is kept.
pub(super) fn check_place(
    file: &TenantFile,
    head: &Head,
    place: &Place,
) -> Result<Option<Mark>, Refused> {
    let rebuild = Refused::RebuildRequired { floor: head.floor };
    if place.floor.is_some_and(|floor| floor != head.floor) {
        return Err(rebuild);
    }
    if place.since > head.cursor.server_seq {
        return Err(diverged(head));
    }
    if place.since == ServerSeq::ZERO {
        return Ok(file.mark_at(place.since)?);
    }
    if place.since < head.floor {
        // A later page of a fetch begun at 0 goes on below the floor, where marks are not checked.
        return if place.floor.is_some() {
            Ok(None)
        } else {
            Err(rebuild)
        };
    }
    let kept = file.mark_at(place.since)?;
    if place.mark.is_some() && place.mark != kept {
        return Err(diverged(head));
    }
    Ok(kept)
}

/// Checks the last common place of a client that offers ops again. Below the floor marks are kept
/// for what compaction kept alone, and a place that can't be told is taken.
pub(super) fn check_heal(file: &TenantFile, head: &Head, heal: Cursor) -> Result<(), Refused> {
    if heal.server_seq == ServerSeq::ZERO {
        return Ok(());
    }
    if heal.server_seq > head.cursor.server_seq {
        return Err(diverged(head));
    }
    match file.mark_at(heal.server_seq)? {
        Some(mark) if mark == heal.mark => Ok(()),
        None if heal.server_seq < head.floor => Ok(()),
        Some(_) | None => Err(diverged(head)),
    }
}

fn diverged(head: &Head) -> Refused {
    Refused::LogDiverged {
        head: head.cursor.server_seq,
    }
}

/// Reads the page after `place`, in one state of the file, as the JSON that answers it.
pub fn read_page(
    file: &TenantFile,
    place: &Place,
    limit: PageLimit,
) -> Result<(Page, Vec<u8>), Refused> {
    file.snapshot(|file| {
        let head = file.head()?;
        check_epoch(file, &head, place.epoch)?;
        let since_mark = check_place(file, &head, place)?;
        let mut encoder = PageEncoder::new(head.epoch, head.floor);
        let (mut last, mut bytes) = (place.since, 0);
        file.visit_ops_after(place.since, limit, |op| {
            last = ServerSeq(op.server_seq);
            bytes += op.payload.map_or(0, str::len);
            encoder.op(&WireOp {
                server_seq: last,
                scope: op.scope,
                resource: op.resource,
                actor: op.actor,
                clock: op.clock,
                payload: op.payload,
                payload_hash: op.payload_hash,
            });
            Ok(())
        })?;
        // A page that is not full ends at the head, also where compaction has dropped what is
        // between: there is nothing to fetch there.
        let cursor = if encoder.ops() < limit.ops && bytes < limit.bytes {
            head.cursor
        } else {
            file.cursor_at_or_below(last)?
        };
        let end = PageEnd {
            head: head.cursor.server_seq,
            cursor,
        };
        let page = Page {
            head,
            since_mark,
            cursor,
        };
        Ok((page, encoder.finish(end)))
    })
}
