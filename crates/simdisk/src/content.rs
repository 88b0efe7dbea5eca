//! The bytes of a file, in pages that copies and snapshots share until one of them writes.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// Bytes of a page: SQLite's own default, so that most writes touch one.
const PAGE_BYTES: usize = 4096;

type Page = [u8; PAGE_BYTES];

static ZEROS: LazyLock<Arc<Page>> = LazyLock::new(|| Arc::new([0; PAGE_BYTES]));

/// The bytes of a file; a clone shares every page.
#[derive(Clone, Default)]
pub(crate) struct Content {
    /// As many as hold `bytes`; what lies behind the end in the last one is zero.
    pages: Vec<Arc<Page>>,
    bytes: usize,
}

impl Content {
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Fills `buffer` from `offset` as far as the file reaches, and says how many bytes that was.
    pub(crate) fn read(&self, offset: usize, buffer: &mut [u8]) -> usize {
        let wanted = buffer.len().min(self.bytes.saturating_sub(offset));
        for (page, within, part) in parts(offset, wanted) {
            buffer[part].copy_from_slice(&self.pages[page][within]);
        }
        wanted
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.bytes];
        self.read(0, &mut bytes);
        bytes
    }

    /// Writes `data` at `offset`; a gap between the old end and `offset` reads as zeros.
    pub(crate) fn write(&mut self, offset: usize, data: &[u8]) {
        if offset + data.len() > self.bytes {
            self.set_len(offset + data.len());
        }
        for (page, within, part) in parts(offset, data.len()) {
            Arc::make_mut(&mut self.pages[page])[within].copy_from_slice(&data[part]);
        }
    }

    pub(crate) fn set_len(&mut self, bytes: usize) {
        let tail = bytes % PAGE_BYTES;
        self.pages
            .resize_with(bytes.div_ceil(PAGE_BYTES), || ZEROS.clone());
        if bytes < self.bytes && tail != 0 {
            let last = self.pages.last_mut().expect("a tail lies in a page");
            Arc::make_mut(last)[tail..].fill(0);
        }
        self.bytes = bytes;
    }

    /// Takes the pages that cover `range` from `other`, which has the same length.
    pub(crate) fn take_pages(&mut self, other: &Self, range: Range<usize>) {
        let first = range.start / PAGE_BYTES;
        let end = range.end.div_ceil(PAGE_BYTES).min(self.pages.len());
        for page in first..end {
            self.pages[page] = other.pages[page].clone();
        }
    }
}

/// Cuts `length` bytes at `offset` at page ends: the page, the place within it, the place within the whole.
fn parts(
    offset: usize,
    length: usize,
) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == length {
            return None;
        }
        let (page, start) = ((offset + done) / PAGE_BYTES, (offset + done) % PAGE_BYTES);
        let count = (PAGE_BYTES - start).min(length - done);
        let part = (page, start..start + count, done..done + count);
        done += count;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: &[u8]) -> Content {
        let mut content = Content::default();
        content.write(0, bytes);
        content
    }

    #[test]
    fn reads_what_was_written_across_pages() {
        let mut content = Content::default();
        let data: Vec<u8> = (0..10_000u32).map(|i| i as u8).collect();
        content.write(4_000, &data);
        let mut buffer = vec![7; 10_000];
        assert_eq!(content.read(4_000, &mut buffer), 10_000);
        assert_eq!(buffer, data);
        assert_eq!(content.read(13_990, &mut buffer), 10);
        assert_eq!(content.read(20_000, &mut buffer), 0);
        assert!(content.to_bytes()[..4_000].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_was_cut_off_reads_as_zeros_when_the_file_grows_again() {
        let mut content = content(&[9; 5_000]);
        content.set_len(100);
        content.set_len(5_000);
        let bytes = content.to_bytes();
        assert_eq!(bytes[..100], [9; 100]);
        assert!(bytes[100..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_clone_keeps_its_bytes_when_the_other_is_written() {
        let mut content = content(&[1; 5_000]);
        let copy = content.clone();
        content.write(0, &[2; 10]);
        assert_eq!(copy.to_bytes(), [1; 5_000]);
    }
}
