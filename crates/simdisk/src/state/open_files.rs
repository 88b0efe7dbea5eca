//! What SQLite does to an open file.

use std::ops::Range;
use std::sync::Arc;

use super::{Blow, Handle, HandleKey, InodeKey, KEPT, ProcessKey, State, Trouble};
use crate::fault::Call;
use crate::inode::Inode;
use crate::lock::{Busy, Level};
use crate::shared_memory::{Region, SharedMemory, Sharing};

/// How a file is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    Existing,
    ExistingOrNew,
    New,
}

/// How much of a read's buffer the file could fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    Whole,
    Part,
}

impl From<Busy> for Trouble {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl State {
    pub(crate) fn open(
        &mut self,
        process: ProcessKey,
        path: &str,
        opening: Opening,
    ) -> Result<HandleKey, Trouble> {
        self.check_reach(process, path)?;
        let inode = match (self.directory.get(path), opening) {
            (Some(_), Opening::New) => return Err(Trouble::Busy),
            (Some(inode), Opening::Existing | Opening::ExistingOrNew) => inode,
            (None, Opening::Existing) => return Err(Trouble::Missing),
            (None, Opening::ExistingOrNew | Opening::New) => self.make_file(path),
        };
        Ok(self.add_handle(process, inode, Some(path.into())))
    }

    /// Opens a file without a name, which goes when it is closed.
    pub(crate) fn open_temporary(&mut self, process: ProcessKey) -> Result<HandleKey, Trouble> {
        if !self.is_alive(process) {
            return Err(Trouble::Dead);
        }
        let id = self.next_file_id();
        let inode = self.add_inode(Inode::temporary(id));
        Ok(self.add_handle(process, inode, None))
    }

    pub(super) fn make_file(&mut self, path: &str) -> InodeKey {
        let id = self.next_file_id();
        let inode = self.add_inode(Inode::new(id));
        self.directory.make(path, inode);
        inode
    }

    fn add_handle(
        &mut self,
        process: ProcessKey,
        inode: InodeKey,
        path: Option<Arc<str>>,
    ) -> HandleKey {
        self.inode_mut(inode).open_handles += 1;
        self.owner_mut(process).open_handles += 1;
        self.handles.push(Some(Handle {
            process,
            inode,
            path,
            dead: false,
            removed_on_close: false,
            keeps_log: false,
            mapped: Vec::new(),
        }));
        HandleKey(self.handles.len() - 1)
    }

    /// The file goes with its handle, as a temporary one with a name does.
    pub(crate) fn remove_on_close(&mut self, key: HandleKey) {
        self.handle_mut(key).removed_on_close = true;
    }

    pub(crate) fn close(&mut self, key: HandleKey) {
        self.release_locks(key);
        let handle = self.handles[key.0].take().expect("a handle is closed once");
        if handle.removed_on_close && !handle.dead {
            let path = handle.path.as_deref();
            if let Some(path) = path.filter(|path| self.directory.get(path) == Some(handle.inode)) {
                self.directory.remove(path);
            }
        }
        self.owner_mut(handle.process).open_handles -= 1;
        self.inode_mut(handle.inode).open_handles -= 1;
        self.forget_unreachable([handle.inode]);
    }

    /// Drops what `key` holds against others; its mapped memory stays, for it may still be looked at.
    pub(super) fn release_locks(&mut self, key: HandleKey) {
        let inode = self.handle(key).inode;
        let inode = self.inode_mut(inode);
        inode.locks.lower(key, Level::Unlocked);
        if let Some(memory) = &mut inode.shared_memory {
            memory.detach(key);
            if memory.is_unused() {
                inode.shared_memory = None;
            }
        }
    }

    pub(crate) fn read(
        &mut self,
        key: HandleKey,
        offset: usize,
        buffer: &mut [u8],
    ) -> Result<Filled, Trouble> {
        let (inode, _, blow) = self.enter(key, Call::Read)?;
        let count = self.inode(inode).seen().read(offset, buffer);
        self.end(blow)?;
        if count == buffer.len() {
            return Ok(Filled::Whole);
        }
        buffer[count..].fill(0);
        Ok(Filled::Part)
    }

    /// Writes; on a disk that is nearly full, as much as fits.
    pub(crate) fn write(
        &mut self,
        key: HandleKey,
        offset: usize,
        data: &[u8],
    ) -> Result<(), Trouble> {
        let (inode, path, blow) = self.enter(key, Call::Write)?;
        let fits = match &path {
            Some(path) => self.fitting(path, inode, offset, data.len()),
            None => data.len(),
        };
        if fits > 0 {
            self.inode_mut(inode).write(offset, &data[..fits]);
        }
        self.end(blow)?;
        if fits == data.len() {
            Ok(())
        } else {
            Err(Trouble::Full)
        }
    }

    /// How many of `count` bytes may be written at `offset`.
    pub(super) fn fitting(
        &self,
        path: &str,
        inode: InodeKey,
        offset: usize,
        count: usize,
    ) -> usize {
        let now = self.inode(inode).seen().len();
        if self.quotas.is_empty() || offset + count <= now {
            return count;
        }
        let Some(room) = self.room(path) else {
            return count;
        };
        let end = now.saturating_add(usize::try_from(room).unwrap_or(usize::MAX));
        end.saturating_sub(offset).min(count)
    }

    pub(crate) fn truncate(&mut self, key: HandleKey, bytes: usize) -> Result<(), Trouble> {
        let (inode, _, blow) = self.enter(key, Call::Write)?;
        self.inode_mut(inode).set_len(bytes);
        self.end(blow)
    }

    /// Makes the content and the name durable; a power loss in the call finds neither synced.
    ///
    /// SQLite has no verb of its own for a name, and expects this of a sync.
    pub(crate) fn sync(&mut self, key: HandleKey) -> Result<(), Trouble> {
        let inode = self.handle(key).inode;
        let (path, blow) = match self.enter(key, Call::Sync) {
            Ok((_, path, blow)) => (path, blow),
            Err(Trouble::Failed) => {
                self.fail_sync(inode);
                return Err(Trouble::Failed);
            }
            Err(other) => return Err(other),
        };
        self.end(blow)?;
        if path.is_some_and(|path| !self.is_lied_to(&path)) {
            self.inode_mut(inode).sync();
            let unnamed = self.directory.settle(inode);
            self.forget_unreachable(unnamed);
        }
        Ok(())
    }

    pub(super) fn fail_sync(&mut self, inode: InodeKey) {
        let inode = self.inodes[inode.0].as_mut().expect(KEPT);
        inode.fail_sync(&mut self.chance);
    }

    pub(crate) fn size(&self, key: HandleKey) -> Result<usize, Trouble> {
        let inode = self.living(key)?.inode;
        Ok(self.inode(inode).seen().len())
    }

    pub(crate) fn lock(&mut self, key: HandleKey, level: Level) -> Result<(), Trouble> {
        let inode = self.living(key)?.inode;
        Ok(self.inode_mut(inode).locks.raise(key, level)?)
    }

    pub(crate) fn unlock(&mut self, key: HandleKey, level: Level) -> Result<(), Trouble> {
        let inode = self.living(key)?.inode;
        self.inode_mut(inode).locks.lower(key, level);
        Ok(())
    }

    pub(crate) fn is_reserved(&self, key: HandleKey) -> Result<bool, Trouble> {
        let inode = self.living(key)?.inode;
        Ok(self.inode(inode).locks.is_reserved())
    }

    /// Whether the name by which the file was opened leads elsewhere now.
    pub(crate) fn has_moved(&self, key: HandleKey) -> bool {
        let handle = self.handle(key);
        let path = handle.path.as_deref();
        path.is_some_and(|path| self.directory.get(path) != Some(handle.inode))
    }

    pub(crate) fn keeps_log(&self, key: HandleKey) -> bool {
        self.handle(key).keeps_log
    }

    pub(crate) fn keep_log(&mut self, key: HandleKey) {
        self.handle_mut(key).keeps_log = true;
    }

    pub(crate) fn drop_log(&mut self, key: HandleKey) {
        self.handle_mut(key).keeps_log = false;
    }

    /// Maps a region that exists.
    pub(crate) fn map(&mut self, key: HandleKey, index: usize) -> Result<Option<Region>, Trouble> {
        let region = self.memory(key)?.region(key, index);
        self.handle_mut(key).mapped.extend(region.clone());
        Ok(region)
    }

    pub(crate) fn map_or_make(
        &mut self,
        key: HandleKey,
        index: usize,
        bytes: usize,
    ) -> Result<Region, Trouble> {
        let region = self.memory(key)?.region_or_new(key, index, bytes);
        self.handle_mut(key).mapped.push(region.clone());
        Ok(region)
    }

    pub(crate) fn lock_memory(
        &mut self,
        key: HandleKey,
        slots: Range<u32>,
        sharing: Sharing,
    ) -> Result<(), Trouble> {
        Ok(self.memory(key)?.lock(key, slots, sharing)?)
    }

    pub(crate) fn unlock_memory(
        &mut self,
        key: HandleKey,
        slots: Range<u32>,
    ) -> Result<(), Trouble> {
        self.memory(key)?.unlock(key, slots);
        Ok(())
    }

    /// Lets go of the shared memory, dead or alive.
    pub(crate) fn unmap(&mut self, key: HandleKey) {
        let inode = self.handle(key).inode;
        let inode = self.inode_mut(inode);
        if let Some(memory) = &mut inode.shared_memory {
            memory.detach(key);
            if memory.is_unused() {
                inode.shared_memory = None;
            }
        }
        self.handle_mut(key).mapped.clear();
    }

    fn memory(&mut self, key: HandleKey) -> Result<&mut SharedMemory, Trouble> {
        let inode = self.living(key)?.inode;
        let memory = &mut self.inode_mut(inode).shared_memory;
        Ok(memory.get_or_insert_default())
    }

    fn living(&self, key: HandleKey) -> Result<&Handle, Trouble> {
        let handle = self.handle(key);
        if handle.dead {
            Err(Trouble::Dead)
        } else {
            Ok(handle)
        }
    }

    /// Lets a call on an open file begin. Temporary files are neither counted nor struck.
    fn enter(
        &mut self,
        key: HandleKey,
        call: Call,
    ) -> Result<(InodeKey, Option<Arc<str>>, Blow), Trouble> {
        let handle = self.living(key)?;
        let (process, inode, path) = (handle.process, handle.inode, handle.path.clone());
        let blow = match &path {
            Some(path) => self.count(process, path, call)?,
            None => None,
        };
        Ok((inode, path, blow))
    }
}
