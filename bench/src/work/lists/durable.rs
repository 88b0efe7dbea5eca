//! What Syncline does with the changes in a tenant file.

use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use syncline_protocol::PullPage;
use syncline_store::{
    Collecting, Compaction, FileOptions, PendingOp, PulledPage, Stepped, TenantFile, lists,
};
use zstd::bulk::Compressor;
use zstd::stream::raw::CParameter;

use super::changes::{Kind, list};
use super::ours::{Beginning, Replica, epoch};

/// Ops of a page, each of which is one transaction.
pub(super) const PAGE_OPS: usize = 1000;
/// What one step of a compaction judges.
const STEP: usize = 1000;

/// Makes a tenant file that holds the list as it is before all changes.
pub(super) fn begin(path: &Path, beginning: &Beginning) -> anyhow::Result<TenantFile> {
    let origin = syncline_model::Mark::origin([7; 16]);
    let mut file = TenantFile::create(path, &FileOptions::default(), epoch(), origin)?;
    apply(&mut file, beginning.page.clone())?;
    Ok(file)
}

fn apply(file: &mut TenantFile, page: PullPage) -> anyhow::Result<()> {
    let none: &[PendingOp] = &[];
    let page = PulledPage {
        epoch: page.epoch,
        floor: page.floor,
        since: file.head()?.cursor.server_seq,
        ops: page.ops,
        cursor: page.cursor,
    };
    file.apply(&page, none)?;
    Ok(())
}

/// Reads pages and folds them into a file, each durably; gives ops a second.
pub(super) fn apply_pages(
    file: &mut TenantFile,
    pages: &[Vec<u8>],
    ops: usize,
) -> anyhow::Result<f64> {
    let begun = Instant::now();
    for page in pages {
        apply(file, PullPage::decode(page)?)?;
    }
    Ok(ops as f64 / begun.elapsed().as_secs_f64())
}

/// The ops of `page` as encoded pages of [`PAGE_OPS`].
pub(super) fn pages(before: &Replica, page: &PullPage) -> Vec<Vec<u8>> {
    let mut mark = before.at.mark;
    let chunks = page.ops.chunks(PAGE_OPS).map(|ops| {
        for op in ops {
            mark = mark.next(&op.key, &op.payload_hash);
        }
        let mut part = PullPage {
            ops: ops.to_vec(),
            ..page.clone()
        };
        part.cursor.mark = mark;
        part.cursor.server_seq = ops.last().map_or(part.cursor.server_seq, |op| op.seq);
        part.encode()
    });
    chunks.collect()
}

/// A list that is at rest: compacted, and as a new replica gets it.
#[derive(Debug)]
pub(super) struct AtRest {
    /// The compressed body of a bootstrap with ops.
    pub(super) ops_bytes: f64,
    /// The compressed prepared file.
    pub(super) file_bytes: f64,
    /// From the file to all items in order.
    pub(super) load_seconds: f64,
}

impl AtRest {
    /// Compacts the file and measures what is left.
    pub(super) fn of(file: &mut TenantFile, kind: &Kind, directory: &Path) -> anyhow::Result<Self> {
        let head = file.head()?;
        let mut run = Compaction::begin(file, head.cursor.server_seq, Collecting::Tombstones)?;
        let none: &[PendingOp] = &[];
        while file.compact_step(&mut run, STEP, none)? == Stepped::More {}
        let prepared = directory.join("prepared");
        file.write_prepared(&prepared)?;
        let file_bytes = packed(&std::fs::read(&prepared)?)?;
        let limit = syncline_store::PageLimit {
            ops: usize::MAX,
            bytes: usize::MAX,
        };
        let ops = file.ops_after(syncline_model::ServerSeq::ZERO, limit)?;
        let head = file.head()?;
        let page = PullPage {
            epoch: head.epoch,
            floor: head.floor,
            ops,
            server_seq: head.cursor.server_seq,
            cursor: head.cursor,
            has_more: false,
            sight: None,
            collections: None,
        };
        let ops_bytes = packed(&page.encode())?;
        let begun = Instant::now();
        let opened = TenantFile::open_to_read(&prepared)?;
        let items = lists::items(opened.connection(), &list())?;
        let load_seconds = begun.elapsed().as_secs_f64();
        let texts = items.iter().map(|shown| &shown.item.text);
        ensure!(texts.eq(&kind.texts), "the file shows other items");
        Ok(Self {
            ops_bytes,
            file_bytes,
            load_seconds,
        })
    }
}

/// The length of `bytes` as a server compresses them (`crates/server/src/http/zstandard.rs`).
fn packed(bytes: &[u8]) -> anyhow::Result<f64> {
    let mut compressor = Compressor::new(4)?;
    compressor.set_parameter(CParameter::WindowLog(22))?;
    compressor.set_parameter(CParameter::MinMatch(7))?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    Ok(compressor.compress(bytes)?.len() as f64)
}
