//! Pages of a log, encoded once and shared by all who ask for the same.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use syncline_model::schema::Role;
use syncline_model::{Cursor, ServerSeq};
use syncline_protocol::{Claims, encode_event};
use tokio::sync::OnceCell;

use crate::error::ApiError;
use crate::http::{Answer, LogCoding};
use crate::tenant::Page;

/// Pages kept per tenant. Live subscribers ask for the newest; a few more serve replicas that catch
/// up side by side.
const PAGES_MAX: usize = 64;
/// Bytes of pages kept per tenant.
const PAGES_BYTES_MAX: usize = 8 << 20;

/// A page and its encodings.
#[derive(Debug)]
pub(crate) struct SharedPage {
    pub(crate) page: Page,
    json: Bytes,
    gzip: OnceCell<Bytes>,
    zstd: OnceCell<Bytes>,
    event: OnceLock<Bytes>,
}

impl SharedPage {
    pub(crate) fn new(page: Page, json: Vec<u8>) -> Self {
        Self {
            page,
            json: json.into(),
            gzip: OnceCell::new(),
            zstd: OnceCell::new(),
            event: OnceLock::new(),
        }
    }

    /// The answer that holds this page, coded as the caller takes it.
    pub(crate) async fn answer(&self, coding: LogCoding) -> Result<Answer, ApiError> {
        if self.json.len() < crate::http::COMPRESS_FROM {
            return Ok(Answer::json_bytes(self.json.clone()));
        }
        let json = || self.json.clone();
        let bytes = match coding {
            LogCoding::Plain => return Ok(Answer::json_bytes(json())),
            LogCoding::Gzip => {
                let compress = || crate::http::gzip(json());
                self.gzip.get_or_try_init(compress).await?
            }
            LogCoding::Zstd => {
                let compress = || crate::http::zstd(json());
                self.zstd.get_or_try_init(compress).await?
            }
        };
        Ok(Answer::json_bytes(bytes.clone()).coded_as(coding))
    }

    /// The event of a stream that carries this page.
    pub(crate) fn event(&self) -> Bytes {
        let encode = || encode_event(&self.page.cursor, &self.json).into();
        self.event.get_or_init(encode).clone()
    }

    /// Whether a stream can carry this page byte for byte. If not, its event says that there is one
    /// to pull.
    pub(crate) fn is_carried(&self) -> bool {
        !self.json.contains(&b'\r')
    }

    fn bytes(&self) -> usize {
        let coded = [self.gzip.get(), self.zstd.get(), self.event.get()];
        self.json.len() + coded.into_iter().flatten().map(Bytes::len).sum::<usize>()
    }

    /// Whether this page answers who stands where `claims` say; if not, the log itself says why.
    pub(crate) fn answers(&self, claims: &Claims) -> bool {
        let epoch = claims
            .epoch
            .is_none_or(|epoch| epoch == self.page.head.epoch);
        let mark = claims.since == ServerSeq::ZERO
            || claims
                .mark
                .is_none_or(|mark| Some(mark) == self.page.since_mark);
        epoch && mark
    }
}

/// What tells pages apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageKey {
    generation: u64,
    since: ServerSeq,
    ops: usize,
    floor: Option<ServerSeq>,
    /// The head when the page was asked for: a page that reaches it is of no use when it moves.
    /// None for a full page, which stays what it is.
    head: Option<Cursor>,
    /// The role that the page names; none: it names none.
    role: Option<Role>,
}

impl PageKey {
    fn of_full_page(self) -> Self {
        Self { head: None, ..self }
    }
}

type Cell = Arc<OnceCell<Arc<SharedPage>>>;

/// The pages of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    generation: AtomicU64,
    kept: Mutex<VecDeque<(PageKey, Cell)>>,
}

impl Pages {
    /// Pages read before are no good any more: payloads were erased, or the log was reset.
    pub(crate) fn invalidate(&self) {
        self.generation.fetch_add(1, SeqCst);
        self.kept.lock().expect(UNPOISONED).clear();
    }

    pub(crate) fn key(
        &self,
        claims: &Claims,
        ops: usize,
        head: Option<Cursor>,
        role: Option<Role>,
    ) -> PageKey {
        PageKey {
            generation: self.generation.load(SeqCst),
            since: claims.since,
            ops,
            floor: claims.floor,
            head,
            role,
        }
    }

    /// The cell of a page, which the first to ask fills while others wait.
    pub(crate) fn cell(&self, key: PageKey) -> Cell {
        let mut kept = self.kept.lock().expect(UNPOISONED);
        let full = key.of_full_page();
        let known = kept
            .iter()
            .find(|(known, _)| *known == key || *known == full);
        if let Some((_, cell)) = known {
            return Arc::clone(cell);
        }
        let mut bytes: usize = kept
            .iter()
            .filter_map(|(_, cell)| cell.get().map(|page| page.bytes()))
            .sum();
        while kept.len() >= PAGES_MAX || bytes > PAGES_BYTES_MAX {
            let Some((_, oldest)) = kept.pop_front() else {
                break;
            };
            bytes -= oldest.get().map_or(0, |page| page.bytes()).min(bytes);
        }
        let cell = Cell::default();
        kept.push_back((key, Arc::clone(&cell)));
        cell
    }

    /// Keeps a page that was just read beyond the next move of the head, if it is full.
    pub(crate) fn keep_if_full(&self, key: PageKey, page: &SharedPage) {
        if page.page.has_more() {
            let mut kept = self.kept.lock().expect(UNPOISONED);
            if let Some((known, _)) = kept.iter_mut().find(|(known, _)| *known == key) {
                *known = key.of_full_page();
            }
        }
    }
}

const UNPOISONED: &str = "nothing panics under this lock";
