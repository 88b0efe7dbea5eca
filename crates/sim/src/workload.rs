//! What users do: threads on shared keys, and ops that no fold knows.

mod lists;

use syncline_model::planted::{NEWER_MARKER, PANIC_MARKER};
use syncline_model::thread::{EntryId, Status, ThreadId};
use syncline_model::{Payload, ResourceId, Scope, Timestamp};
use syncline_replica::NewOp;
use syncline_store::threads::{
    Changes, NewEntry, NewThread, Plan, PlanError, PlannedOp, Presence, Resolved, Thread,
    plan_append, plan_delete, plan_link, plan_new, plan_tag, plan_update, resolve_key,
};
use syncline_store::{StoreError, TenantFile};
use uuid::Uuid;

use crate::chance::Chance;

pub(crate) use lists::{ListDeed, ListWishes};

/// The server's bound of a payload: far below a replica's, so that some ops pass here and not there.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 2_000;

/// The scope of ops that nobody folds.
pub(crate) const OPAQUE_SCOPE: &str = "x-opaque";

const PROJECTS: [&str; 2] = ["north", "south"];
const KEYS: [&str; 3] = ["plans", "notes", "log"];
const TAGS: [&str; 3] = ["red", "green", "blue"];
const OPAQUE: [&str; 2] = ["a", "b"];

/// What an op does, as far as its world can tell from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// An entry with this text, unlike every other.
    Entry {
        thread: ThreadId,
        text: String,
    },
    /// The thread has this name, unlike every other.
    Name {
        thread: ThreadId,
        name: String,
    },
    Delete {
        thread: ThreadId,
    },
    Other,
}

/// An op that a user wants written. No two have the same payload.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) op: NewOp,
    pub(crate) effect: Effect,
    pub(crate) flavor: Flavor,
}

/// What is special about an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    Plain,
    Opaque,
    /// No fold can read it.
    Unreadable,
    /// Older folds can't read it.
    Newer,
    /// Over the server's bound.
    Oversized,
    /// Some older folds panic at it.
    Panicking,
    /// A thread that was deleted is made again.
    MadeAgain,
}

/// Numbers what is written in a world, so that each op is told from all others.
#[derive(Debug, Default)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// Why a user could not decide.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WishError {
    #[error("could not look at the threads")]
    Store(#[from] StoreError),
    #[error("could not plan")]
    Plan(#[from] PlanError),
}

/// A user's choices.
pub(crate) struct Wishes<'a> {
    pub(crate) chance: &'a mut Chance,
    pub(crate) numbers: &'a mut Numbers,
    pub(crate) poison_percent: u32,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Append,
    Rename,
    Move,
    SetStatus,
    Tag,
    Link,
    Delete,
}

impl Wishes<'_> {
    /// What a user who sees `view` writes next, as one transaction.
    pub(crate) fn next(&mut self, view: &TenantFile) -> Result<Vec<Wish>, WishError> {
        let flavor = self.chance.weighted(&[
            (100 - self.poison_percent, Flavor::Plain),
            (10, Flavor::Opaque),
            (4, Flavor::Unreadable),
            (8, Flavor::Newer),
            (self.poison_percent / 2, Flavor::Oversized),
            (
                self.poison_percent - self.poison_percent / 2,
                Flavor::Panicking,
            ),
        ]);
        match flavor {
            Flavor::Opaque => Ok(vec![self.opaque()]),
            Flavor::Unreadable => Ok(vec![self.unreadable()]),
            Flavor::Plain
            | Flavor::Newer
            | Flavor::Oversized
            | Flavor::Panicking
            | Flavor::MadeAgain => self.on_a_thread(view, flavor),
        }
    }

    /// An op of a scope that nobody folds.
    pub(crate) fn opaque(&mut self) -> Wish {
        let number = self.numbers.next();
        let id = *self.chance.pick(&OPAQUE);
        let replaces = self.chance.percent(20);
        let text = format!(r#"{{"n":{number},"body":["é",null,1.50,{{}}],"replaces":{replaces}}}"#);
        Wish {
            op: new_op(OPAQUE_SCOPE, resource(id), &text),
            effect: Effect::Other,
            flavor: Flavor::Opaque,
        }
    }

    fn unreadable(&mut self) -> Wish {
        let number = self.numbers.next();
        let thread = self.thread_of_some_key(0);
        let (id, text) = match self.chance.below(4) {
            0 => (
                thread.into(),
                format!(r#"{{"type":"hologram","n":{number}}}"#),
            ),
            1 => (
                thread.into(),
                format!(r#"{{"type":"entry","content":{number}}}"#),
            ),
            2 => (thread.into(), number.to_string()),
            _ => (
                resource("no-uuid"),
                format!(r#"{{"type":"tag","tag":"t","present":true,"n":{number}}}"#),
            ),
        };
        Wish {
            op: new_op(Scope::THREAD, id, &text),
            effect: Effect::Other,
            flavor: Flavor::Unreadable,
        }
    }

    fn on_a_thread(&mut self, view: &TenantFile, flavor: Flavor) -> Result<Vec<Wish>, WishError> {
        let (project, key) = (*self.chance.pick(&PROJECTS), *self.chance.pick(&KEYS));
        match resolve_key(view.connection(), key, Some(project))? {
            Resolved::Found(thread) => self.deed(&thread, flavor),
            Resolved::Unknown | Resolved::Ambiguous(_) => self.make(view, project, key, flavor),
        }
    }

    fn make(
        &mut self,
        view: &TenantFile,
        project: &str,
        key: &str,
        flavor: Flavor,
    ) -> Result<Vec<Wish>, WishError> {
        let name = format!("name {}.", self.numbers.next());
        let new = NewThread {
            project,
            key: Some(key),
            name: &name,
            at: self.at,
        };
        let plan = match plan_new(view.connection(), &new, &[]) {
            Err(PlanError::Exists { .. }) => return Ok(vec![self.opaque()]),
            plan => plan?,
        };
        let thread = plan.thread_id;
        let first = syncline_model::thread::thread_id(project, key, 0);
        let flavor = match flavor {
            Flavor::Plain if thread != first => Flavor::MadeAgain,
            other => other,
        };
        let mut wishes = self.wishes(plan, flavor, |_| Effect::Name {
            thread,
            name: name.clone(),
        });
        wishes.extend(self.append(thread, Flavor::Plain)?);
        Ok(wishes)
    }

    fn deed(&mut self, thread: &Thread, flavor: Flavor) -> Result<Vec<Wish>, WishError> {
        let id = thread.thread_id;
        let deed = self.chance.weighted(&[
            (50, Deed::Append),
            (12, Deed::Rename),
            (6, Deed::Move),
            (6, Deed::SetStatus),
            (12, Deed::Tag),
            (7, Deed::Link),
            (5, Deed::Delete),
        ]);
        match deed {
            Deed::Append => {
                let mut wishes = self.append(id, flavor)?;
                for _ in 0..self.chance.below(3) {
                    wishes.extend(self.append(id, Flavor::Plain)?);
                }
                Ok(wishes)
            }
            Deed::Rename => {
                let name = format!("name {}.", self.numbers.next());
                let changes = Changes {
                    name: Some(&name),
                    ..Changes::default()
                };
                let plan = plan_update(thread, &changes, self.at)?;
                Ok(self.wishes(plan, flavor, |_| Effect::Name {
                    thread: id,
                    name: name.clone(),
                }))
            }
            Deed::Move | Deed::SetStatus => {
                let changes = Changes {
                    project: matches!(deed, Deed::Move).then_some(*self.chance.pick(&PROJECTS)),
                    status: matches!(deed, Deed::SetStatus)
                        .then_some(*self.chance.pick(&[Status::Active, Status::Archived])),
                    name: None,
                };
                let plan = plan_update(thread, &changes, self.at)?;
                Ok(self.wishes(plan, flavor, |_| Effect::Other))
            }
            Deed::Tag => {
                let plan = plan_tag(
                    id,
                    None,
                    TAGS[self.chance.below(TAGS.len())],
                    self.presence(),
                )?;
                Ok(self.wishes(plan, flavor, |_| Effect::Other))
            }
            Deed::Link => {
                let target = self.thread_of_some_key(7);
                let plan = plan_link(id, None, target, None, self.presence())?;
                Ok(self.wishes(plan, flavor, |_| Effect::Other))
            }
            Deed::Delete => {
                let plan = plan_delete(thread, self.at)?;
                Ok(self.wishes(plan, flavor, |_| Effect::Delete { thread: id }))
            }
        }
    }

    fn append(&mut self, thread: ThreadId, flavor: Flavor) -> Result<Vec<Wish>, WishError> {
        let text = format!("text {}.", self.numbers.next());
        let content = match flavor {
            Flavor::Oversized => format!("{text} {}", "large ".repeat(PAYLOAD_BYTES_MAX / 6)),
            _ => format!("{text} {}", "word ".repeat(self.chance.below(30))),
        };
        let entry = NewEntry {
            entry_id: EntryId::new(Uuid::from_bytes(self.chance.bytes())),
            author: "somebody",
            content: &content,
            at: self.at,
        };
        let plan = plan_append(thread, &[entry])?;
        Ok(self.wishes(plan, flavor, |_| Effect::Entry {
            thread,
            text: text.clone(),
        }))
    }

    /// Marks the ops of a plan so that no two of a world are alike.
    fn wishes(
        &mut self,
        plan: Plan,
        flavor: Flavor,
        effect: impl Fn(&PlannedOp) -> Effect,
    ) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for planned in plan.ops {
            let effect = effect(&planned);
            let (id, payload) = planned;
            let text = payload.as_str().strip_suffix('}');
            let text = text.expect("payloads of threads are objects");
            let number = self.numbers.next();
            let mark = match flavor {
                Flavor::Newer => format!(",{NEWER_MARKER}:true"),
                Flavor::Panicking => format!(",{PANIC_MARKER}:true"),
                Flavor::Oversized => format!(r#","x":"{}""#, "-".repeat(PAYLOAD_BYTES_MAX)),
                Flavor::Plain | Flavor::Opaque | Flavor::Unreadable | Flavor::MadeAgain => {
                    String::new()
                }
            };
            // An entry has words of its own; in others, a field that is an entry's is known, and not
            // read: an op with one that is not known would never be covered.
            let author = match &effect {
                Effect::Entry { .. } => String::new(),
                Effect::Name { .. } | Effect::Delete { .. } | Effect::Other => {
                    format!(r#","author":"n{number}""#)
                }
            };
            let text = format!("{text}{author}{mark}}}");
            wishes.push(Wish {
                op: new_op(Scope::THREAD, id, &text),
                effect,
                flavor,
            });
        }
        wishes
    }

    fn presence(&mut self) -> Presence {
        *self.chance.pick(&[Presence::Added, Presence::Removed])
    }

    /// A thread that may be there or not; `generation` tells it from those that are worked on.
    fn thread_of_some_key(&mut self, generation: u64) -> ThreadId {
        let (project, key) = (*self.chance.pick(&PROJECTS), *self.chance.pick(&KEYS));
        syncline_model::thread::thread_id(project, key, generation)
    }
}

fn new_op(scope: &str, resource: ResourceId, payload: &str) -> NewOp {
    NewOp {
        scope: Scope::new(scope).expect("the workload's scopes are names"),
        resource,
        payload: Payload::parse(payload).expect("the workload writes JSON"),
    }
}

fn resource(id: &str) -> ResourceId {
    ResourceId::new(id).expect("the workload's ids are short")
}
