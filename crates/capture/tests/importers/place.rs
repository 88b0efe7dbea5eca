//! A replica, and a directory of transcripts beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use syncline_capture::agent::Agent;
use syncline_capture::import::{Counts, ImportBatch, Importer, Keeping, Problem, Source};
use syncline_capture::privacy::Privacy;
use syncline_replica::{LOCAL_FILE_NAME, NewOp, Replica, ReplicaOptions};

pub(crate) struct Place {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) replica: Replica,
    /// All that imports have written here.
    pub(crate) ops: Vec<NewOp>,
}

/// What an import did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) counts: Counts,
    pub(crate) problems: Vec<Problem>,
    pub(crate) ops: usize,
    pub(crate) unchanged: u64,
    /// Sessions whose marks came too late.
    pub(crate) marked_late: usize,
    /// Sessions that no rule by place can be held to.
    pub(crate) unplaced: usize,
    /// Files of which nothing is kept yet.
    pub(crate) waiting: u64,
}

/// What the view says of a session, as far as it can be counted in files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) messages: u64,
    pub(crate) prompts: u64,
    pub(crate) tools: u64,
    pub(crate) failed: u64,
    /// Input, output, cache read, cache write for 5 minutes and for an hour, reasoning.
    pub(crate) tokens: [u64; 6],
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["replica", "files"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        let replica = directory.path().join("replica");
        let replica = Replica::open(&replica, ReplicaOptions::default()).unwrap();
        Self {
            directory,
            replica,
            ops: Vec::new(),
        }
    }

    /// A place of a replica that is elsewhere.
    pub(crate) fn around(replica: Replica) -> Self {
        Self {
            replica,
            ..Self::new()
        }
    }

    /// Forgets what was noted of imports, as where the local file is lost and made anew.
    pub(crate) fn lose_notes(&mut self) {
        self.write_to_notes("lose_notes");
    }

    /// Notes of all files that were read that the first version of their reader has read them.
    pub(crate) fn age_marks(&mut self) {
        self.write_to_notes("age_marks");
    }

    /// Takes from what was noted of files the places in their orders, which earlier builds did not note.
    pub(crate) fn forget_places(&mut self) {
        self.write_to_notes("forget_places");
    }

    /// Notes something else of the units of which this is noted; there are some.
    pub(crate) fn note_otherwise(&self, before: &str, after: &str) {
        let path = self.directory.path().join("replica").join(LOCAL_FILE_NAME);
        let local = rusqlite::Connection::open(path).unwrap();
        let changed = local.execute(&query("note_otherwise"), [after, before]);
        assert_ne!(changed.unwrap(), 0);
    }

    /// Makes unreadable what was noted of units.
    pub(crate) fn spoil_notes(&mut self) {
        self.write_to_notes("spoil_notes");
    }

    /// All that is remembered of the files that were read, as text.
    pub(crate) fn remembered(&self) -> String {
        let path = self.directory.path().join("replica").join(LOCAL_FILE_NAME);
        let local = rusqlite::Connection::open(path).unwrap();
        let remembered = local.query_row(&query("remembered"), [], |row| row.get(0));
        remembered.unwrap()
    }

    fn write_to_notes(&self, name: &str) {
        let path = self.directory.path().join("replica").join(LOCAL_FILE_NAME);
        let local = rusqlite::Connection::open(path).unwrap();
        local.execute_batch(&query(name)).unwrap();
    }

    /// Where transcripts may be put.
    pub(crate) fn files(&self) -> PathBuf {
        self.directory.path().join("files")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.files().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Imports what has changed below `root`.
    pub(crate) fn import(&mut self, agent: Agent, root: &Path) -> Done {
        self.import_with(agent, root, Privacy::standard())
    }

    /// The same by the rules of a user.
    pub(crate) fn import_with(&mut self, agent: Agent, root: &Path, privacy: Privacy) -> Done {
        let sources = [Source {
            agent,
            root: root.to_owned(),
        }];
        let importer =
            Importer::new(&sources, Keeping::Written, privacy, &mut self.replica).unwrap();
        let mut done = Done {
            unchanged: importer.unchanged(),
            ..Done::default()
        };
        let ops = &mut self.ops;
        let told = |batch: ImportBatch| {
            done.counts.add(&batch.counts);
            done.problems.extend(batch.problems);
            done.marked_late += batch.marked_late.len();
            done.unplaced += batch.unplaced.len();
            done.waiting += batch.waiting;
            done.ops += batch.ops.len();
            ops.extend(batch.ops);
        };
        importer.write_all(&mut self.replica, told).unwrap();
        done
    }

    /// Imports what has changed among the files of this place.
    pub(crate) fn import_files(&mut self, agent: Agent) -> Done {
        let files = self.files();
        self.import(agent, &files)
    }

    /// Writes the first small batch of what has changed among the files of this place; gives its ops.
    pub(crate) fn import_one_batch(&mut self, agent: Agent) -> usize {
        let sources = [Source {
            agent,
            root: self.files(),
        }];
        let privacy = Privacy::standard();
        let importer = Importer::new(&sources, Keeping::Written, privacy, &mut self.replica);
        let mut importer = importer.unwrap().in_small_batches();
        let batch = importer.next_batch(&self.replica).unwrap().unwrap();
        self.replica
            .write_imported(&batch.ops, &batch.notes)
            .unwrap();
        batch.ops.len()
    }

    /// The figures of all sessions, by their agents' ids.
    pub(crate) fn figures(&mut self) -> BTreeMap<String, Figures> {
        let connection = self.replica.view().unwrap().connection();
        let mut statement = connection.prepare(&query("figures")).unwrap();
        let rows = statement.query_map([], |row| {
            let count = |place| row.get::<_, i64>(place).map(|count| count as u64);
            let mut tokens = [0; 6];
            for (place, tokens) in tokens.iter_mut().enumerate() {
                *tokens = count(place + 5)?;
            }
            let figures = Figures {
                messages: count(1)?,
                prompts: count(2)?,
                tools: count(3)?,
                failed: count(4)?,
                tokens,
            };
            Ok((row.get(0)?, figures))
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// The rows that the query of this name gives, as texts.
    pub(crate) fn rows(&mut self, name: &str) -> Vec<String> {
        let connection = self.replica.view().unwrap().connection();
        let mut statement = connection.prepare(&query(name)).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cells = (0..columns).map(|place| row.get::<_, Option<String>>(place));
            let cells: Result<Vec<_>, _> = cells.collect();
            let cells = cells?.into_iter().map(|cell| cell.unwrap_or_default());
            Ok(cells.collect::<Vec<_>>().join("|"))
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }
}

/// Has a file be as if nobody had written to it for so long.
pub(crate) fn rest(path: &Path, minutes: u64) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let then = SystemTime::now() - Duration::from_secs(60 * minutes);
    file.set_modified(then).unwrap();
}

/// A query of `queries.sql`: what stands below its name.
fn query(name: &str) -> String {
    let queries = include_str!("queries.sql");
    let mut sections = queries.split("-- ").map(|section| section.split_once('\n'));
    let found = sections.find_map(|section| section.filter(|(found, _)| *found == name));
    found.unwrap().1.trim().trim_end_matches(';').to_owned()
}
