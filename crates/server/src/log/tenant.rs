//! An open tenant, as requests see it.

use std::sync::Arc;
use std::time::Duration;

use syncline_model::schema::Role;
use syncline_model::{ActorId, Epoch, Mark, ServerSeq};
use syncline_protocol::{Claims, PushAnswer, ReceivedPush};
use syncline_store::records::schema_place;
use syncline_store::shapes::{MadeShape, NewShape};
use syncline_store::{Head, PageLimit, StoreError, TenantFile};
use tokio::sync::{mpsc, oneshot, watch};

use super::compacting::{Order, When};
use super::decision::{Decision, Judgement};
use super::pages::SharedPage;
use super::readers::Readers;
use super::sight::Sight;
use super::writer::{Job, ShapeJob, Shared, WriteJob};
use crate::http::HeldBytes;
use crate::shapes::Hub;
use crate::tenant::{
    ClientNote, CompactReport, Keep, Outcome, Page, Push, Reader, RecordWrite, Recorded, Refused,
    Rewrite, Write, check_sight, read_page_for,
};

/// What became of a write, which comes back with it.
type Answered = Result<(Write, Outcome), Refused>;

/// One tenant's log, open. While any handle lives, its writer does.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) readers: Arc<Readers>,
    pub(super) shared: Arc<Shared>,
}

impl Tenant {
    /// Where the log stands.
    pub(crate) async fn head(&self) -> Result<Head, Refused> {
        if let Some(head) = *self.shared.head.borrow() {
            return Ok(head);
        }
        self.read(|file| Ok(file.head()?)).await
    }

    /// Wakes when the log moves. The receiver outlives the open file.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Head>> {
        self.shared.head.subscribe()
    }

    /// Appends what a client has pushed; answered once the disk has it.
    pub(crate) fn push(
        &self,
        push: Push,
        held: Arc<HeldBytes>,
    ) -> impl Future<Output = Result<PushAnswer, Refused>> {
        let written = self.write(Write::Push(push), held);
        async {
            let (write, outcome) = written.await?;
            let (Write::Push(push), Outcome::Pushed(pushed)) = (write, outcome) else {
                unreachable!("a push is answered as a push");
            };
            let ReceivedPush { ops, .. } = &push.received;
            Ok(PushAnswer::new(
                pushed.epoch,
                pushed.head.server_seq,
                ops,
                pushed.verdicts,
            ))
        }
    }

    /// Runs `judge` on the view when its turn comes, writes the ops it says, and gives its answer
    /// and their places once the disk has them. The ops are of `actor`, or else of this server's.
    pub(crate) async fn decide<T: Send + 'static>(
        &self,
        actor: Option<ActorId>,
        judge: impl FnMut(&TenantFile) -> Result<Judgement<T>, StoreError> + Send + 'static,
        held: Arc<HeldBytes>,
    ) -> Result<(T, Vec<ServerSeq>), Refused> {
        let (decision, answer) = Decision::new(actor, judge);
        let (_, outcome) = self.write(Write::Decide(Box::new(decision)), held).await?;
        let Outcome::Decided(places) = outcome else {
            unreachable!("a decision is answered as a decision");
        };
        let answer = answer
            .lock()
            .expect("nothing panics under this lock")
            .take();
        Ok((answer.ok_or(Refused::Panicked)?, places))
    }

    /// Decides on records, or a schema, when its turn comes, and writes what came of it; answers once
    /// the disk has it.
    pub(crate) async fn write_record(
        &self,
        write: RecordWrite,
        held: Arc<HeldBytes>,
    ) -> Result<Recorded, Refused> {
        self.queue_record(write, held).await?.await
    }

    /// The same behind all that was queued before: what this gives waits for the answer. Of several that are
    /// to be decided in an order each is queued when this is over for the one before.
    pub(crate) async fn queue_record(
        &self,
        write: RecordWrite,
        held: Arc<HeldBytes>,
    ) -> Result<impl Future<Output = Result<Recorded, Refused>>, Refused> {
        let written = self.queue(Write::Record(Box::new(write)), held).await?;
        Ok(async {
            let (_, outcome) = written.await?;
            let Outcome::Recorded(recorded) = outcome else {
                unreachable!("a write of records is answered as one");
            };
            Ok(recorded)
        })
    }

    fn write(&self, write: Write, held: Arc<HeldBytes>) -> impl Future<Output = Answered> {
        let queued = self.queue(write, held);
        async { queued.await?.await }
    }

    fn queue(
        &self,
        write: Write,
        held: Arc<HeldBytes>,
    ) -> impl Future<Output = Result<impl Future<Output = Answered> + use<>, Refused>> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Write(WriteJob { write, held, reply });
        async {
            let place = self.jobs.reserve().await;
            place.map_err(|_| Refused::NotCommitted)?.send(job);
            Ok(async {
                let (write, outcome) = answer.await.map_err(|_| Refused::NotCommitted)?;
                Ok((write, outcome?))
            })
        }
    }

    /// Begins an empty log in the epoch `next`, if the log is still in `expected`; `keep` sees to the
    /// old one first, when nothing more is written to it.
    pub(crate) async fn reset(
        &self,
        expected: Epoch,
        next: Epoch,
        origin: Mark,
        keep: impl FnOnce() -> Result<(), Refused> + Send + 'static,
    ) -> Result<Head, Refused> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Reset {
            expected,
            next,
            origin,
            keep: Box::new(keep),
            reply,
        };
        self.jobs
            .send(job)
            .await
            .map_err(|_| Refused::NotCommitted)?;
        answer.await.map_err(|_| Refused::NotCommitted)?
    }

    /// Compacts the log beside its other writes; none where that was not due. `progress` tells how far
    /// it is.
    pub(crate) async fn compact(
        &self,
        keep: Keep,
        rewrite: Rewrite,
        when: When,
        progress: watch::Sender<Option<CompactReport>>,
    ) -> Result<Option<CompactReport>, Refused> {
        let (reply, answer) = oneshot::channel();
        let order = Order {
            keep,
            rewrite,
            when,
            progress,
            reply,
        };
        self.jobs
            .send(Job::Compact(order))
            .await
            .map_err(|_| Refused::NotCommitted)?;
        answer.await.map_err(|_| Refused::NotCommitted)?
    }

    /// Makes a shape at the head, unless one of its definition takes readers; none where its table is
    /// not.
    pub(crate) async fn make_shape(&self, new: NewShape) -> Result<Option<MadeShape>, Refused> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Shape(ShapeJob::Make(new, reply));
        self.jobs
            .send(job)
            .await
            .map_err(|_| Refused::NotCommitted)?;
        answer.await.map_err(|_| Refused::NotCommitted)?
    }

    /// Forgets a shape; says whether it was there.
    pub(crate) async fn delete_shape(&self, handle: String) -> Result<bool, Refused> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Shape(ShapeJob::Delete(handle, reply));
        self.jobs
            .send(job)
            .await
            .map_err(|_| Refused::NotCommitted)?;
        answer.await.map_err(|_| Refused::NotCommitted)?
    }

    /// Who waits for changes of shapes.
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.shared.hub
    }

    /// Lets go of the places of clients that have been idle for this long; gives their number.
    pub(crate) async fn expire(&self, idle: Duration) -> Result<usize, Refused> {
        let (reply, answer) = oneshot::channel();
        self.jobs
            .send(Job::Expire { idle, reply })
            .await
            .map_err(|_| Refused::NotCommitted)?;
        answer.await.map_err(|_| Refused::NotCommitted)?
    }

    /// Runs `look` on the file, in a connection of its own.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&TenantFile) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        self.readers.read(look).await
    }

    /// The page after the place that `claims` name, as who asks may see it; none: another schema stands
    /// by now than the one that their sight is by. `named` is the sight that they pulled the pages before
    /// with, if they say so.
    pub(super) async fn page_for(
        &self,
        claims: Claims,
        limit: PageLimit,
        sight: &Sight,
        named: Option<&str>,
    ) -> Result<Option<Arc<SharedPage>>, Refused> {
        match sight {
            Sight::Plain => {}
            Sight::Whole(role, _) => {
                check_sight(&self.head().await?, &claims, named, role.as_str())?;
            }
            Sight::Part(asker, schema, place) => {
                let place = *place;
                let (asker, schema) = (asker.clone(), Arc::clone(schema));
                let named = named.map(str::to_owned);
                self.shared.metrics.pages_encoded.add(1);
                let read = move |file: &TenantFile| {
                    let reader = Reader::OfPart {
                        asker: &asker,
                        schema: &schema,
                        named: named.as_deref(),
                    };
                    read_page_by(file, &claims, limit, reader, Some(place))
                };
                let read = self.read(read).await?;
                return Ok(read.map(|(page, json)| Arc::new(SharedPage::new(page, json))));
            }
        }
        let by = (sight.shared_role(), sight.schema_place());
        match self.page(claims, limit, by).await {
            Ok(page) => Ok(Some(page)),
            Err(None) => Ok(None),
            Err(Some(refused)) => Err(refused),
        }
    }

    /// The page after the place that `claims` name, shared with all who ask for the same in one role.
    async fn page(
        &self,
        claims: Claims,
        limit: PageLimit,
        by: (Option<Role>, Option<ServerSeq>),
    ) -> Result<Arc<SharedPage>, Unread> {
        let role = by.0;
        let head = *self.shared.head.borrow();
        // Another epoch is told before anything of the place, which is of that epoch.
        if claims.epoch.is_some() && claims.epoch != head.map(|head| head.epoch) {
            return self.encode(claims, limit, by).await;
        }
        let head = head.map(|head| head.cursor);
        let key = self.shared.pages.key(&claims, limit.ops, head, role);
        let cell = self.shared.pages.cell(key);
        let metrics = &self.shared.metrics;
        if cell.initialized() {
            metrics.pages_shared.add(1);
        }
        // What the page holds follows from the place alone; who may have it is asked below.
        let unchecked = Claims {
            mark: None,
            epoch: None,
            ..claims
        };
        let encode = async || {
            let page = self.encode(unchecked, limit, by).await?;
            self.shared.pages.keep_if_full(key, &page);
            Ok::<_, Unread>(page)
        };
        let page = cell.get_or_try_init(encode).await?;
        if page.answers(&claims) {
            return Ok(Arc::clone(page));
        }
        self.encode(claims, limit, by).await
    }

    async fn encode(
        &self,
        claims: Claims,
        limit: PageLimit,
        (role, place): (Option<Role>, Option<ServerSeq>),
    ) -> Result<Arc<SharedPage>, Unread> {
        self.shared.metrics.pages_encoded.add(1);
        let reader = Reader::OfAll(role);
        let read = move |file: &TenantFile| read_page_by(file, &claims, limit, reader, place);
        let (page, json) = self.read(read).await.map_err(Some)?.ok_or(None)?;
        Ok(Arc::new(SharedPage::new(page, json)))
    }

    /// Keeps what a client says of itself for the next commit.
    pub(crate) fn note(&self, note: ClientNote) {
        let mut notes = self
            .shared
            .notes
            .lock()
            .expect("nothing panics under this lock");
        notes.retain(|known| known.client != note.client);
        if notes.len() < NOTES_MAX {
            notes.push(note);
        }
    }

    /// Has the clients' notes written down, for who looks at the clients. The writer is asked also where none
    /// wait: it may be about to write the last of them.
    pub(crate) async fn write_notes(&self) -> Result<(), Refused> {
        let (reply, written) = oneshot::channel();
        self.jobs
            .send(Job::Notes { reply })
            .await
            .map_err(|_| Refused::NotCommitted)?;
        written.await.map_err(|_| Refused::NotCommitted)
    }

    /// Closes what is idle, and has the clients' notes written down if there are any.
    pub(super) fn tidy(&self) {
        self.readers.close_idle();
        let waits = !self
            .shared
            .notes
            .lock()
            .expect("nothing panics under this lock")
            .is_empty();
        if waits {
            let (reply, _) = oneshot::channel();
            // A full queue will take the notes along anyway.
            let _ = self.jobs.try_send(Job::Notes { reply });
        }
    }
}

/// Why a page is not read; none: another schema stands by now than the one that it was asked for by.
type Unread = Option<Refused>;

/// Reads a page for who sees what the schema at this place lets them; none: another one stands by now.
/// Places only rise: where the schema's is the same after the page was read, it was while it was.
fn read_page_by(
    file: &TenantFile,
    claims: &Claims,
    limit: PageLimit,
    reader: Reader<'_>,
    place: Option<ServerSeq>,
) -> Result<Option<(Page, Vec<u8>)>, Refused> {
    let read = read_page_for(file, claims, limit, reader);
    let is_same = schema_place(file.connection())? == place;
    if is_same { read.map(Some) } else { Ok(None) }
}

/// Clients whose notes wait for a commit; those of further ones are let go of, which costs them
/// nothing but an older place in the list of clients.
const NOTES_MAX: usize = 1_000;
