//! The places of agents, and what the system tells of changes in them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use syncline_capture::agent::Agent;
use syncline_capture::import::{Source, transcript_of};

use super::Shared;
use super::state::{PlaceState, Watched};

/// Places, and the watch on them.
#[derive(Debug)]
pub(super) struct Places {
    shared: Arc<Shared>,
    /// None: the system tells of nothing.
    watcher: Option<RecommendedWatcher>,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    source: Source,
    /// What was there when it was looked at last; none: nothing was.
    identity: Option<Identity>,
    watched: Watched,
}

/// What tells a directory from another that has come in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Places {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            watcher: None,
            places: Vec::new(),
        }
    }

    /// Watches these places, and no others.
    pub(super) fn set(&mut self, sources: Vec<Source>) {
        // The old watch ends with its watcher.
        self.watcher = None;
        self.places.clear();
        self.add(sources);
    }

    /// Watches these places, too.
    pub(super) fn add(&mut self, sources: Vec<Source>) {
        for source in sources {
            if self.places.iter().any(|place| place.source == source) {
                continue;
            }
            if self.places.is_empty() {
                self.watcher = self.new_watcher();
            }
            self.places.push(Place {
                source,
                identity: None,
                watched: Watched::Missing,
            });
        }
    }

    fn new_watcher(&self) -> Option<RecommendedWatcher> {
        let shared = Arc::clone(&self.shared);
        let told = move |event: notify::Result<notify::Event>| match event {
            // What is read is not changed, and we are among the readers.
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => {}
            Ok(event) if event.need_rescan() => shared.tell(|pending| pending.lost = true),
            Ok(event) => shared.changed(event.paths),
            Err(error) => {
                tracing::debug!(%error, "a change could not be told");
                shared.tell(|pending| pending.lost = true);
            }
        };
        let watcher = notify::recommended_watcher(told);
        let failed = |error: &notify::Error| {
            tracing::warn!(%error, "the system does not tell of changes; places are looked at now and then");
        };
        watcher.inspect_err(failed).ok()
    }

    /// Looks whether places have come or gone; gives those that have come, to be read.
    pub(super) fn look(&mut self) -> Vec<Source> {
        let mut come = Vec::new();
        for place in &mut self.places {
            let now = identity(&place.source.root);
            if now == place.identity {
                continue;
            }
            place.identity = now;
            place.watched = match now {
                Some(_) => watch(self.watcher.as_mut(), &place.source.root),
                None => Watched::Missing,
            };
            if now.is_some() {
                come.push(place.source.clone());
            }
        }
        come
    }

    pub(super) fn sources(&self) -> Vec<Source> {
        let there = self.places.iter().filter(|place| place.identity.is_some());
        there.map(|place| place.source.clone()).collect()
    }

    /// Whether there is a place of which the system does not tell.
    pub(super) fn is_any_polled(&self) -> bool {
        let mut places = self.places.iter();
        places.any(|place| place.watched == Watched::Polled)
    }

    pub(super) fn states(&self) -> impl Iterator<Item = (Agent, PlaceState)> {
        self.places.iter().map(|place| {
            let state = PlaceState {
                path: place.source.root.clone(),
                watched: place.watched,
            };
            (place.source.agent, state)
        })
    }

    /// What is to be read where `path` has changed; none: nothing of an agent's.
    pub(super) fn reading(&self, path: &Path) -> Option<(Agent, PathBuf)> {
        let mut places = self.places.iter();
        places.find_map(|place| {
            let source = &place.source;
            if !path.starts_with(&source.root) {
                return None;
            }
            // A directory that has come may have files that nothing was told of.
            let transcript = transcript_of(source.agent, path);
            let directory = || path.is_dir().then(|| path.to_owned());
            Some((source.agent, transcript.or_else(directory)?))
        })
    }
}

fn watch(watcher: Option<&mut RecommendedWatcher>, path: &Path) -> Watched {
    let Some(watcher) = watcher else {
        return Watched::Polled;
    };
    // What was there before has gone with its watch; where it is only another by name, both end here.
    let _ = watcher.unwatch(path);
    match watcher.watch(path, RecursiveMode::Recursive) {
        Ok(()) => Watched::Told,
        Err(error) => {
            tracing::warn!(%error, place = %path.display(),
                "the system does not tell of changes here; it is looked at now and then");
            Watched::Polled
        }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some(Identity(metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    path.exists().then_some(Identity(0, 0))
}
