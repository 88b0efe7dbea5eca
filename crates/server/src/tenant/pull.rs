//! Reading the log: the checks of a place, and the page after it.

use syncline_model::planted::{Defect, is_planted};
use syncline_model::record::{Asker, sight, visible};
use syncline_model::schema::{Role, Schema};
use syncline_model::{Cursor, Mark, Payload, Scope, ServerSeq};
use syncline_protocol::{Admission, Claims, LogFacts, PageEncoder, PageEnd, WireOp, admit};
use syncline_store::records::StoredRecords;
use syncline_store::{Head, PageLimit, TenantFile};

use super::Refused;

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

/// Checks what a request says of the log that its client has.
pub(super) fn check(file: &TenantFile, head: &Head, claims: &Claims) -> Result<(), Refused> {
    let log = LogFacts {
        epoch: head.epoch,
        head: head.cursor.server_seq,
        floor: head.floor,
    };
    let unmarked = Claims {
        mark: None,
        ..*claims
    };
    let claims = if is_planted(Defect::NoMarkCheck) {
        &unmarked
    } else {
        claims
    };
    match admit(claims, &log, |place| file.mark_at(place))? {
        Admission::Serve => Ok(()),
        Admission::EpochChanged => Err(Refused::EpochChanged {
            epoch: head.epoch,
            lineage: file.lineage()?,
        }),
        Admission::LogDiverged => Err(Refused::LogDiverged {
            head: head.cursor.server_seq,
        }),
        Admission::RebuildRequired if is_planted(Defect::NoFloorCheck) => Ok(()),
        Admission::RebuildRequired => Err(Refused::RebuildRequired { floor: head.floor }),
    }
}

/// Who a page is for.
#[derive(Debug, Clone, Copy)]
pub enum Reader<'a> {
    /// Somebody who sees all of the log; their role, where the tenant has roles.
    OfAll(Option<Role>),
    /// Somebody who sees what their role and memberships let them. `named` is the sight that they
    /// pulled the pages before with, if they say so.
    OfPart {
        asker: &'a Asker,
        schema: &'a Schema,
        named: Option<&'a str>,
    },
}

/// The name of what a reader sees, if it has one.
fn sight_of(
    rows: &mut StoredRecords<'_>,
    head: &Head,
    claims: &Claims,
    reader: Reader<'_>,
) -> Result<Option<String>, Refused> {
    Ok(match reader {
        Reader::OfAll(role) => role.map(|role| role.as_str().to_owned()),
        Reader::OfPart {
            asker,
            schema,
            named,
        } => {
            let sight = sight(rows, Some(schema), asker)?;
            check_sight(head, claims, named, &sight)?;
            Some(sight)
        }
    })
}

/// Refuses to go on with another sight than that of the pages before. Whose log is another one is told that alone: they
/// look for what both have in common first.
pub fn check_sight(
    head: &Head,
    claims: &Claims,
    named: Option<&str>,
    sight: &str,
) -> Result<(), Refused> {
    let is_of_this_log = claims.epoch.is_none_or(|epoch| epoch == head.epoch);
    let goes_on = is_of_this_log && claims.since > ServerSeq::ZERO;
    if goes_on && named.is_some_and(|named| named != sight) {
        return Err(Refused::RebuildRequired { floor: head.floor });
    }
    Ok(())
}

/// Reads the page after the place that `claims` name, in one state of the file, as the JSON that answers it.
pub fn read_page(
    file: &TenantFile,
    claims: &Claims,
    limit: PageLimit,
) -> Result<(Page, Vec<u8>), Refused> {
    read_page_for(file, claims, limit, Reader::OfAll(None))
}

/// As [`read_page`], of what a reader may see.
pub fn read_page_for(
    file: &TenantFile,
    claims: &Claims,
    limit: PageLimit,
    reader: Reader<'_>,
) -> Result<(Page, Vec<u8>), Refused> {
    file.snapshot(|file| {
        let head = file.head()?;
        check(file, &head, claims)?;
        let mut rows = StoredRecords(file.connection());
        let sight = sight_of(&mut rows, &head, claims, reader)?;
        let since_mark = file.mark_at(claims.since)?;
        let mut encoder = PageEncoder::new(head.epoch, head.floor);
        if claims.since < head.floor {
            encoder.collections(file.collections()?);
        }
        let (mut last, mut bytes) = (claims.since, 0);
        file.visit_ops_after(claims.since, limit, |op| {
            last = ServerSeq(op.server_seq);
            bytes += op.payload.map_or(0, str::len);
            if is_planted(Defect::GapInPage) && op.server_seq % 7 == 3 {
                return Ok(());
            }
            let seen = match (reader, op.payload) {
                (Reader::OfPart { asker, schema, .. }, Some(payload))
                    if op.scope == Scope::RECORD =>
                {
                    visible(schema, asker, &mut rows, &Payload::stored(payload))?
                }
                (Reader::OfPart { .. } | Reader::OfAll(_), _) => None,
            };
            let payload = seen.as_ref().map(Payload::as_str).or(op.payload);
            encoder.op(&WireOp {
                server_seq: last,
                scope: op.scope,
                resource: op.resource,
                actor: op.actor,
                clock: op.clock,
                payload,
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
        Ok((page, encoder.finish_for(end, sight.as_deref())))
    })
}
