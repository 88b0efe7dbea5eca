//! What a process does to files by name.

use super::{Blow, InodeKey, ProcessKey, State, Trouble};
use crate::fault::Call;
use crate::process::FileId;

impl State {
    pub(crate) fn find(
        &self,
        process: ProcessKey,
        path: &str,
    ) -> Result<Option<InodeKey>, Trouble> {
        self.check_reach(process, path)?;
        Ok(self.directory.get(path))
    }

    pub(crate) fn read_file(
        &mut self,
        process: ProcessKey,
        path: &str,
    ) -> Result<Vec<u8>, Trouble> {
        let blow = self.begin(process, path, Call::Read)?;
        self.end(blow)?;
        let inode = self.directory.get(path).ok_or(Trouble::Missing)?;
        Ok(self.inode(inode).seen().to_bytes())
    }

    /// Writes the whole file in place, or a new one; neither content nor name is durable.
    pub(crate) fn write_file(
        &mut self,
        process: ProcessKey,
        path: &str,
        bytes: &[u8],
    ) -> Result<(), Trouble> {
        let blow = self.begin(process, path, Call::Write)?;
        let found = self.directory.get(path);
        let inode = found.unwrap_or_else(|| self.make_file(path));
        self.inode_mut(inode).set_len(0);
        let fits = self.fitting(path, inode, 0, bytes.len());
        self.inode_mut(inode).write(0, &bytes[..fits]);
        self.end(blow)?;
        if fits == bytes.len() {
            Ok(())
        } else {
            Err(Trouble::Full)
        }
    }

    /// Puts a new file in the place of `path`, durably: after a power loss it is the old one or the new.
    ///
    /// One call for what is a temporary file, a sync, a renaming and a sync of the directory elsewhere.
    pub(crate) fn write_file_durably(
        &mut self,
        process: ProcessKey,
        path: &str,
        bytes: &[u8],
    ) -> Result<(), Trouble> {
        let blow = self.begin(process, path, Call::Sync)?;
        if self
            .room(path)
            .is_some_and(|room| room < bytes.len() as u64)
        {
            self.end(blow)?;
            return Err(Trouble::Full);
        }
        let inode = self.make_file(path);
        self.inode_mut(inode).write(0, bytes);
        if !self.is_lied_to(path) {
            self.inode_mut(inode).sync();
        }
        self.end(blow)?;
        if !self.is_lied_to(path) {
            let unnamed = self.directory.settle(inode);
            self.forget_unreachable(unnamed);
        }
        Ok(())
    }

    /// Makes the content durable, but not the name.
    pub(crate) fn sync_file(&mut self, process: ProcessKey, path: &str) -> Result<(), Trouble> {
        let inode = self.find(process, path)?.ok_or(Trouble::Missing)?;
        match self.begin(process, path, Call::Sync) {
            Ok(blow) => {
                self.end(blow)?;
                if !self.is_lied_to(path) {
                    self.inode_mut(inode).sync();
                }
                Ok(())
            }
            Err(Trouble::Failed) => {
                self.fail_sync(inode);
                Err(Trouble::Failed)
            }
            Err(other) => Err(other),
        }
    }

    /// Makes every name under `prefix` durable.
    pub(crate) fn sync_names(&mut self, process: ProcessKey, prefix: &str) -> Result<(), Trouble> {
        let blow = self.begin(process, prefix, Call::Sync)?;
        self.end(blow)?;
        if !self.is_lied_to(prefix) {
            let unnamed = self.directory.settle_under(prefix);
            self.forget_unreachable(unnamed);
        }
        Ok(())
    }

    /// Removes a name; it may return after a power loss.
    pub(crate) fn remove_file(&mut self, process: ProcessKey, path: &str) -> Result<(), Trouble> {
        let blow = self.remove(process, path)?;
        self.end(blow)
    }

    /// Removes a name for good, and settles those beside it.
    pub(crate) fn remove_file_durably(
        &mut self,
        process: ProcessKey,
        path: &str,
    ) -> Result<(), Trouble> {
        let blow = self.remove(process, path)?;
        self.end(blow)?;
        if !self.is_lied_to(path) {
            let unnamed = self.directory.settle_beside(path);
            self.forget_unreachable(unnamed);
        }
        Ok(())
    }

    fn remove(&mut self, process: ProcessKey, path: &str) -> Result<Blow, Trouble> {
        let inode = self.find(process, path)?.ok_or(Trouble::Missing)?;
        let blow = self.begin(process, path, Call::Name)?;
        self.directory.remove(path);
        self.forget_unreachable([inode]);
        Ok(blow)
    }

    pub(crate) fn rename_file(
        &mut self,
        process: ProcessKey,
        from: &str,
        to: &str,
    ) -> Result<(), Trouble> {
        self.check_reach(process, to)?;
        self.find(process, from)?.ok_or(Trouble::Missing)?;
        let blow = self.begin(process, from, Call::Name)?;
        let old = self.directory.get(to);
        self.directory.rename(from, to);
        self.forget_unreachable(old);
        self.end(blow)
    }

    pub(crate) fn list(&self, process: ProcessKey, prefix: &str) -> Result<Vec<String>, Trouble> {
        self.check_reach(process, prefix)?;
        let files = self.directory.under(prefix);
        Ok(files.map(|(name, _)| name.to_owned()).collect())
    }

    pub(crate) fn identity(
        &self,
        process: ProcessKey,
        path: &str,
    ) -> Result<Option<FileId>, Trouble> {
        let inode = self.find(process, path)?;
        Ok(inode.map(|inode| self.inode(inode).id))
    }

    /// Takes the lock named `path`; the answer is its number, None while another holds it.
    pub(crate) fn take_lock(
        &mut self,
        process: ProcessKey,
        path: &str,
    ) -> Result<Option<u64>, Trouble> {
        self.check_reach(process, path)?;
        if self.file_locks.contains_key(path) {
            return Ok(None);
        }
        let number = self.next_number();
        self.file_locks.insert(path.to_owned(), (process, number));
        Ok(Some(number))
    }

    pub(crate) fn holds_lock(&self, path: &str, number: u64) -> bool {
        let holder = self.file_locks.get(path);
        holder.is_some_and(|(_, held)| *held == number)
    }

    pub(crate) fn release_lock(&mut self, path: &str, number: u64) {
        if self.holds_lock(path, number) {
            self.file_locks.remove(path);
        }
    }
}
