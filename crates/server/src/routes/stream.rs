//! `GET /sync/stream`: pages as they come.
//!
//! A stream is a cursor. It holds no queue and no file: it waits for the head to move, asks for the
//! page after its place, which is encoded once for all who stand there, and goes on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use futures_util::stream;
use syncline_model::Timestamp;
use syncline_model::schema::Role;
use syncline_protocol::{Claims, ErrorCode, HEARTBEAT, STREAM_TYPE, StreamQuery};
use syncline_store::control::Rights;
use syncline_store::{Head, PageLimit};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::pull::note;
use crate::auth::{AuthError, Identity};
use crate::error::ApiError;
use crate::http::{Access, Answer, Call, Route, asker_of};
use crate::log::{SharedPage, Tenant};
use crate::metrics::Held;
use crate::server::{Beat, Server, now};

const LAST_EVENT_ID: &str = "last-event-id";
/// A timer further off is set anew when it goes off: tokens may be good for years.
const TIMER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn routes() -> Vec<Route> {
    let summary = "Sends the ops after a place, and then each new one as it comes, as server-sent \
                   events; resumes by Last-Event-ID, and ends when the credential does.";
    let access = Access::Needs(Rights::Read);
    vec![
        Route::new(Method::GET, "/sync/stream", access, summary, |call| {
            Box::pin(open(call))
        })
        .query(&[
            ("clientId", "Who asks; its place is noted."),
            (
                "since",
                "The place after which the stream begins; 0 if absent.",
            ),
            ("mark", "The mark of that place, checked if given."),
            ("epoch", "The epoch of the asker's log, checked if given."),
        ]),
    ]
}

/// An open stream.
struct Stream {
    server: Arc<Server>,
    identity: Identity,
    claims: Claims,
    /// The sight that the client has pulled with before.
    named: Option<String>,
    limit: PageLimit,
    head: watch::Receiver<Option<Head>>,
    beat: watch::Receiver<Beat>,
    seen: Beat,
    /// The role that the pages are for, where the tenant has roles.
    role: Option<Role>,
    /// Roles may be others: whether the reader's is, is to be asked.
    may_see_otherwise: bool,
    /// The last event said that there is a page to pull: the client goes on from behind it.
    has_hinted: bool,
    _counted: Held,
}

async fn open(call: Call) -> Result<Answer, ApiError> {
    let query = StreamQuery::parse(call.query(), last_event_id(&call.headers)?)?;
    let claims = Claims {
        epoch: query.epoch,
        since: query.since,
        mark: query.mark,
        floor: None,
        heal: None,
    };
    let limits = &call.server.config.limits;
    let limit = PageLimit {
        ops: limits.page_ops,
        bytes: limits.page_bytes,
    };
    let tenant = call.tenant().await?;
    let head = tenant.watch();
    // What is wrong with the place is told as a status, before the stream begins.
    let named = query.sight.as_deref();
    let asker = || call.asker();
    let (first, sight) = tenant.page_as_seen(claims, limit, named, asker).await?;
    note(&call, &tenant, query.client_id, &claims);
    let beat = call.server.beat.subscribe();
    let seen = *beat.borrow();
    let stream = Stream {
        claims: Claims {
            // From here on the epoch is that of the first page: a reset ends the stream.
            epoch: Some(first.page.head.epoch),
            ..claims
        },
        role: sight.role(),
        may_see_otherwise: false,
        named: query.sight,
        limit,
        head,
        beat,
        seen,
        has_hinted: false,
        _counted: Held::new(&call.server.metrics, |metrics| &metrics.streams),
        server: Arc::clone(&call.server),
        identity: call.identity().clone(),
    };
    Ok(Answer::live(stream.into_body(), STREAM_TYPE))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(id) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let id = id.to_str();
    id.map(Some).map_err(|_| {
        ApiError::bad_request("Last-Event-ID is not the id of an event of this stream")
    })
}

impl Stream {
    fn into_body(self) -> Body {
        // The first bytes tell the client, and every proxy between, that the stream is open.
        let start = (self, Some(Bytes::from_static(HEARTBEAT)));
        Body::from_stream(stream::unfold(start, |(mut stream, first)| async move {
            let bytes = match first {
                Some(first) => first,
                None => stream.next().await?,
            };
            Some((Ok::<_, Infallible>(bytes), (stream, None)))
        }))
    }

    /// What the stream sends next; none: it ends.
    async fn next(&mut self) -> Option<Bytes> {
        // A stream that is opened while the server stops hears of no further beat.
        if self.has_hinted || self.seen.draining {
            return None;
        }
        loop {
            let head = *self.head.borrow_and_update();
            // Not known: the log was closed meanwhile, and a page tells where it stands.
            let is_behind = head.is_none_or(|head| {
                head.cursor.server_seq != self.claims.since || Some(head.epoch) != self.claims.epoch
            });
            let may_see_otherwise = std::mem::take(&mut self.may_see_otherwise);
            if (is_behind || may_see_otherwise)
                && let Some(event) = self.page().await?
            {
                return Some(event);
            }
            if let Some(bytes) = self.wait().await? {
                return Some(bytes);
            }
        }
    }

    /// The event of the next page, if there is one.
    async fn page(&mut self) -> Option<Option<Bytes>> {
        // A token that was revoked a moment ago gets nothing more.
        self.check_credential().ok()?;
        let tenant = self.server.tenants.open(&self.identity.tenant).await;
        let page = match tenant {
            Ok(tenant) => self.page_of(&tenant).await,
            Err(refused) => Err(refused.into()),
        };
        // The client asks again, and is then told by a status what has changed.
        let page = page.ok()?;
        if page.page.cursor.server_seq == self.claims.since {
            return Some(None);
        }
        self.has_hinted = !page.is_carried();
        self.claims.since = page.page.cursor.server_seq;
        self.claims.mark = Some(page.page.cursor.mark);
        Some(Some(page.event()))
    }

    /// The page after the stream's place, as who asks sees it now. Where that is not what they saw
    /// before, the next page that they ask for says so.
    async fn page_of(&self, tenant: &Tenant) -> Result<Arc<SharedPage>, ApiError> {
        let asker = || asker_of(&self.server, &self.identity);
        let named = self.named.as_deref();
        let seen = tenant.page_as_seen(self.claims, self.limit, named, asker);
        let (page, sight) = seen.await?;
        if self.role.is_some() && sight.role() != self.role {
            let message = "the role is another than that of the pages before: pull";
            return Err(ApiError::new(ErrorCode::RebuildRequired, message));
        }
        Ok(page)
    }

    /// Waits until the head may have moved (nothing to send), or there is something to send.
    async fn wait(&mut self) -> Option<Option<Bytes>> {
        let expiry = self.identity.credential.expires_at();
        tokio::select! {
            moved = self.head.changed() => moved.ok().map(|()| None),
            beat = self.beat.changed() => {
                beat.ok()?;
                self.hear()
            }
            () = until(expiry), if expiry.is_some() => {
                // Told without a look at the control file: it may be out of reach just now.
                let is_over = expiry.is_some_and(|expiry| expiry <= now());
                (!is_over).then_some(None)
            }
        }
    }

    /// What a beat asks of this stream.
    fn hear(&mut self) -> Option<Option<Bytes>> {
        let beat = *self.beat.borrow_and_update();
        let before = std::mem::replace(&mut self.seen, beat);
        if beat.draining {
            return None;
        }
        if beat.credentials != before.credentials {
            self.check_credential().ok()?;
            self.may_see_otherwise = true;
        }
        let is_heartbeat = beat.heartbeats != before.heartbeats;
        Some(is_heartbeat.then(|| Bytes::from_static(HEARTBEAT)))
    }

    fn check_credential(&self) -> Result<(), ()> {
        let checked = self
            .server
            .authenticator
            .recheck(&self.identity.credential, now());
        match checked {
            Ok(()) => Ok(()),
            Err(AuthError::Denied(_)) => Err(()),
            // The control file can't be read for the moment: the next check tells.
            Err(AuthError::Control(_)) => Ok(()),
        }
    }
}

/// Passes when `expiry` has come, or after a day.
async fn until(expiry: Option<Timestamp>) {
    let millis = expiry.map_or(0, |expiry| expiry.as_millis() - now().as_millis());
    let left = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    sleep_until(Instant::now() + left.min(TIMER_MAX)).await;
}
