//! Which files are to be read, and when.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use syncline_capture::agent::Agent;
use syncline_capture::import::Source;

/// So long after its first change a file is read: agents write several lines at once.
const SETTLE: Duration = Duration::from_millis(150);
/// A file that took long to read rests for so many times as long: reading takes a twentieth of a core at
/// most, however often a large file changes.
const REST: u32 = 20;
/// What is read sooner needs no rest beyond [`SETTLE`].
const QUICK: Duration = Duration::from_millis(10);

/// Files that wait to be read.
#[derive(Debug, Default)]
pub(super) struct Due {
    waiting: BTreeMap<PathBuf, (Agent, Instant)>,
    /// Files that were read with effort, until when they rest.
    resting: HashMap<PathBuf, Instant>,
}

impl Due {
    /// Notes that a file has changed now.
    pub(super) fn changed(&mut self, agent: Agent, path: PathBuf, now: Instant) {
        let rested = self.resting.get(&path).copied().unwrap_or(now);
        let at = rested.max(now + SETTLE);
        self.waiting.entry(path).or_insert((agent, at));
    }

    /// When the next file is to be read; none: none waits.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.values().map(|(_, at)| *at).min()
    }

    /// The files that are to be read by now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Source> {
        let due: Vec<Source> = self
            .waiting
            .iter()
            .filter(|(_, (_, at))| *at <= now)
            .map(|(path, (agent, _))| Source {
                agent: *agent,
                root: path.clone(),
            })
            .collect();
        for source in &due {
            self.waiting.remove(&source.root);
        }
        due
    }

    /// Notes that files were read, which took so long together.
    pub(super) fn took(&mut self, sources: &[Source], took: Duration, now: Instant) {
        self.resting.retain(|_, until| *until > now);
        if took < QUICK {
            return;
        }
        for source in sources {
            self.resting.insert(source.root.clone(), now + took * REST);
        }
    }

    /// Forgets what waits: everything is read.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(sources: &[Source]) -> Vec<&str> {
        let roots = sources.iter().map(|source| source.root.to_str().unwrap());
        roots.collect()
    }

    #[test]
    fn a_file_is_read_a_moment_after_its_first_change_however_often_it_changes() {
        let begin = Instant::now();
        let mut due = Due::default();
        due.changed(Agent::Codex, "/a".into(), begin);
        due.changed(Agent::Codex, "/a".into(), begin + SETTLE / 2);
        assert_eq!(due.next(), Some(begin + SETTLE));
        assert!(due.take(begin).is_empty());
        assert_eq!(roots(&due.take(begin + SETTLE)), ["/a"]);
        assert_eq!(due.next(), None);
    }

    #[test]
    fn a_file_that_takes_long_rests_and_others_do_not_wait_for_it() {
        let begin = Instant::now();
        let mut due = Due::default();
        due.changed(Agent::Cursor, "/large".into(), begin);
        let taken = due.take(begin + SETTLE);
        let second = Duration::from_secs(1);
        due.took(&taken, second, begin);
        due.changed(Agent::Cursor, "/large".into(), begin + second);
        due.changed(Agent::Codex, "/small".into(), begin + second);
        assert_eq!(roots(&due.take(begin + second * 2)), ["/small"]);
        assert_eq!(due.next(), Some(begin + second * REST));
        assert_eq!(roots(&due.take(begin + second * REST)), ["/large"]);
    }
}
