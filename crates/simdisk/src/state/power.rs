//! Death and return: killed processes, machines without power, files put back as they were.

use super::{HandleKey, InodeKey, KEPT, ProcessKey, State};
use crate::inode::Inode;
use crate::snapshot::Snapshot;

impl State {
    /// The power goes under `prefix`: who is at home there dies, and what was not synced is at risk.
    pub(crate) fn cut_power(&mut self, prefix: &str) {
        self.kill_under(prefix);
        let files = self.directory.files_under(prefix);
        for key in &files {
            let inode = self.inodes[key.0].as_mut().expect(KEPT);
            inode.lose_power(&mut self.chance);
        }
        self.directory.lose_power(prefix, &mut self.chance);
        self.forget_unreachable(files);
    }

    /// Kills every process at home under `prefix`, and every other's handles there.
    pub(crate) fn kill_under(&mut self, prefix: &str) {
        for process in (0..self.processes.len()).map(ProcessKey) {
            if self.home(process).starts_with(prefix) {
                self.kill_process(process);
            }
        }
        self.kill_handles(|handle| {
            let path = handle.path.as_deref();
            path.is_some_and(|path| path.starts_with(prefix))
        });
        self.file_locks.retain(|path, _| !path.starts_with(prefix));
    }

    pub(crate) fn kill_process(&mut self, process: ProcessKey) {
        self.owner_mut(process).alive = false;
        self.kill_handles(|handle| handle.process == process);
        self.file_locks.retain(|_, (holder, _)| *holder != process);
    }

    fn kill_handles(&mut self, dies: impl Fn(&super::Handle) -> bool) {
        for key in (0..self.handles.len()).map(HandleKey) {
            let dying = self.handles[key.0].as_mut();
            let Some(handle) = dying.filter(|handle| !handle.dead && dies(handle)) else {
                continue;
            };
            handle.dead = true;
            self.release_locks(key);
        }
    }

    pub(crate) fn revive_under(&mut self, prefix: &str) {
        for process in (0..self.processes.len()).map(ProcessKey) {
            if self.home(process).starts_with(prefix) && !self.is_alive(process) {
                self.revive_process(process);
            }
        }
    }

    pub(crate) fn revive_process(&mut self, process: ProcessKey) {
        let owner = self.owner_mut(process);
        assert!(
            owner.alive || owner.open_handles == 0,
            "a process at home in {:?} was revived with {} dead handles open: its old connections could \
             remove files of the new ones",
            owner.home,
            owner.open_handles,
        );
        owner.alive = true;
    }

    pub(crate) fn snapshot(&self, prefix: &str) -> Snapshot {
        let files = self.directory.under(prefix).map(|(name, key)| {
            let inode = self.inode(key);
            let name = name[prefix.len()..].to_owned();
            (name, (inode.id, inode.seen().clone()))
        });
        Snapshot {
            files: files.collect(),
        }
    }

    /// Puts the files of `snapshot` under `prefix` as the very files they were.
    pub(crate) fn roll_back(&mut self, prefix: &str, snapshot: &Snapshot) {
        let files = snapshot.files.iter().map(|(name, (id, content))| {
            (
                format!("{prefix}{name}"),
                Inode::with_content(*id, content.clone()),
            )
        });
        self.replace_under(prefix, files.collect());
    }

    /// Puts the files of `snapshot` under `prefix` as new files.
    pub(crate) fn put_copy(&mut self, prefix: &str, snapshot: &Snapshot) {
        let mut files = Vec::new();
        for (name, (_, content)) in &snapshot.files {
            let id = self.next_file_id();
            files.push((
                format!("{prefix}{name}"),
                Inode::with_content(id, content.clone()),
            ));
        }
        self.replace_under(prefix, files);
    }

    fn replace_under(&mut self, prefix: &str, files: Vec<(String, Inode)>) {
        self.kill_under(prefix);
        let old = self.directory.files_under(prefix);
        let new: Vec<(String, InodeKey)> = files
            .into_iter()
            .map(|(name, inode)| (name, self.add_inode(inode)))
            .collect();
        self.directory.replace_under(prefix, &new);
        self.forget_unreachable(old);
    }
}
