//! Recovery: the search for the last common place, and the rebuild.

use syncline_model::{Cursor, ServerSeq};
use syncline_protocol::limits::FETCH_OPS;
use syncline_protocol::session::{Applied, Event, FileReply, LocalFailure, Plan, Probe, PullReply};
use syncline_protocol::{BootstrapQuery, Kinship, PullQuery};
use syncline_store::PulledPage;

use super::perform::{PULL, get};
use super::{Call, CameAfter, Engine, Failed, PREPARED_FILE_TYPE, Purpose, RebuildUnderWay};
use crate::ReplicaError;
use crate::replica::{Offer, PageError};

impl Engine {
    pub(super) fn find_mark(&mut self, at_or_below: ServerSeq) -> Result<Event, Failed> {
        let found = self.replica.tenant.cursor_at_or_below(at_or_below);
        Ok(Event::MarkFound(found.map_err(ReplicaError::Tenant)?))
    }

    pub(super) fn probe(&mut self, probe: Probe) -> Result<(), Failed> {
        // Nameless, as the place is not one that this replica says it has applied.
        let query = PullQuery {
            epoch: probe.epoch.or(self.epoch()?),
            limit: Some(1),
            ..PullQuery::at(probe.place)
        };
        self.send(Purpose::Probe, get(PULL, query.encode()));
        Ok(())
    }

    pub(super) fn begin_rebuild(&mut self, plan: Plan) -> Result<(), Failed> {
        if let Some(RebuildUnderWay { rebuild, .. }) = self.rebuild.take() {
            self.replica.abandon_rebuild(rebuild)?;
        }
        let epoch = plan.epoch.or(self.epoch()?);
        let rebuild = self.replica.begin_rebuild()?;
        self.rebuild = Some(RebuildUnderWay {
            rebuild,
            epoch,
            sight: None,
        });
        Ok(())
    }

    pub(super) fn fetch_file(&mut self) -> Result<Option<Event>, Failed> {
        let short = self
            .notes
            .head_heard()
            .is_some_and(|head| head.get() < self.file_from);
        let Some(under_way) = self.rebuild.as_ref().filter(|_| !short) else {
            return Ok(Some(Event::FileAnswered(FileReply::Unfit)));
        };
        let path = self.replica.path_of(&under_way.rebuild);
        let query = BootstrapQuery {
            client_id: Some(self.replica.client_id()?),
        };
        let call = Call {
            accept: PREPARED_FILE_TYPE,
            save_to: Some(path),
            ..get("sync/bootstrap", query.encode())
        };
        self.send(Purpose::FetchFile, call);
        Ok(None)
    }

    pub(super) fn fetch_page(&mut self) -> Result<Option<Event>, Failed> {
        let Some(under_way) = &self.rebuild else {
            return Ok(Some(nothing_under_way()));
        };
        let cursor = under_way.rebuild.cursor().map_err(Failed::NewFile)?;
        if cursor == Cursor::ORIGIN
            && let Some(page) = self.first_page.take()
        {
            self.page = Some(CameAfter {
                since: ServerSeq::ZERO,
                page,
            });
            return Ok(Some(Event::PullAnswered(PullReply::Page)));
        }
        let fetched = under_way.rebuild.epoch().map_err(Failed::NewFile)?;
        let query = PullQuery {
            // Nameless: this file is not what the replica has applied, before the switch.
            client_id: None,
            epoch: fetched.or(under_way.epoch),
            floor: under_way.rebuild.floor,
            limit: Some(FETCH_OPS),
            sight: under_way.sight.clone(),
            ..PullQuery::at(cursor)
        };
        self.send(
            Purpose::FetchPage {
                since: cursor.server_seq,
            },
            get(PULL, query.encode()),
        );
        Ok(None)
    }

    pub(super) fn apply_fetched(&mut self) -> Result<Event, Failed> {
        let (Some(CameAfter { since, page }), Some(under_way)) =
            (self.page.take(), &mut self.rebuild)
        else {
            return Ok(nothing_under_way());
        };
        if under_way.epoch.is_some_and(|epoch| epoch != page.epoch) {
            return Ok(Event::Applied(Applied::Diverged));
        }
        if !under_way.rebuild.goes_on_with(since, page.collections) {
            tracing::info!("a tombstone was collected under a fetch, which begins anew");
            return Ok(Event::Applied(Applied::Diverged));
        }
        self.notes.heard(page.server_seq);
        let reach = if page.has_more {
            Applied::More
        } else {
            Applied::CaughtUp
        };
        under_way.sight.clone_from(&page.sight);
        let pulled = PulledPage {
            epoch: page.epoch,
            floor: page.floor,
            since,
            ops: page.ops,
            cursor: page.cursor,
        };
        match self.replica.apply_fetched(&mut under_way.rebuild, &pulled) {
            Ok(_) => Ok(Event::Applied(reach)),
            Err(PageError::Unfit(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a page does not continue the new tenant file");
                Ok(Event::Applied(Applied::Diverged))
            }
            Err(PageError::Replica(error)) => Err(Failed::NewFile(error)),
        }
    }

    pub(super) fn switch(&mut self, plan: Plan) -> Result<Event, Failed> {
        let Some(under_way) = &mut self.rebuild else {
            return Ok(nothing_under_way());
        };
        let offer = Offer {
            common: self.replica.common(&under_way.rebuild, plan.common)?,
            up_to: plan.offer_up_to,
            mode: plan.mode,
        };
        if plan.kinship == Kinship::Unknown
            && offer.common.server_seq == ServerSeq::ZERO
            && let Some(epoch) = self.replica.foreign_epoch(&under_way.rebuild)?
        {
            return Err(Failed::Foreign(epoch));
        }
        let sight = under_way.sight.take();
        self.replica.switch(&mut under_way.rebuild, offer)?;
        // Noted after the switch: a crash between the two costs another rebuild at most.
        self.replica.note_sight(sight.as_deref())?;
        self.rebuild = None;
        self.first_page = None;
        Ok(Event::Switched)
    }
}

/// A step of a rebuild without a rebuild: it begins anew.
fn nothing_under_way() -> Event {
    Event::LocalFailed(LocalFailure::Damaged)
}
