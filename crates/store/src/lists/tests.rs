use rusqlite::Connection;
use syncline_model::list::{Command, ItemRef, NewItem, PlannedOp, Planning, Source, Spot, plan};
use syncline_model::{ActorId, Clock, Epoch, ItemId, ListId, Mark, Op, OpKey, Payload, Scope};
use tempfile::TempDir;
use uuid::Uuid;

use crate::lists::{
    RemovedLists, ResolvedList, StoredLists, item_in, item_tag, items, items_after, items_called,
    list, list_tag, lists, resolve_list, resolve_removed_list,
};
use crate::threads::EntryState;
use crate::{FileOptions, PendingOp, TenantFile};

mod collected;
mod plans;

struct World {
    file: TenantFile,
    outbox: Vec<PendingOp>,
    clock: u64,
    /// Who writes, where what is written may be refused: on a replica.
    actor: Option<ActorId>,
    _directory: TempDir,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = TenantFile::create(
            &directory.path().join("tenant.db"),
            &FileOptions::default(),
            Epoch::new(Uuid::nil()),
            Mark::origin([0; 16]),
        );
        Self {
            file: file.unwrap(),
            outbox: Vec::new(),
            clock: 0,
            actor: None,
            _directory: directory,
        }
    }

    fn view(&self) -> &Connection {
        self.file.connection()
    }

    fn ops(&mut self, command: &Command) -> Vec<Op> {
        let jitter = (self.clock as u32 * 7919).to_le_bytes();
        let planned = plan(
            &StoredLists::new(self.view()),
            command,
            Planning {
                source: Source::Person,
                actor: self.actor.as_ref(),
                lists_collected: self.file.has_collected(&Scope::registry()).unwrap(),
                jitter,
            },
        );
        let planned = planned.unwrap().ops.into_iter();
        planned.map(|op| self.stamp(op)).collect()
    }

    fn stamp(&mut self, op: PlannedOp) -> Op {
        self.clock += 1;
        Op {
            key: OpKey {
                actor: ActorId::new("me").unwrap(),
                clock: Clock::new(self.clock).unwrap(),
                scope: op.scope,
                resource: op.resource,
            },
            payload: op.payload,
        }
    }

    /// Carries a command out in the log.
    fn log(&mut self, command: &Command) {
        let ops = self.ops(command);
        self.append(&ops);
    }

    /// What other clients write: an op of the list itself, and not of the registry.
    fn log_own_title(&mut self, list: &str, title: &str) {
        let payload = format!(r#"{{"type":"renameList","payload":{{"title":"{title}"}}}}"#);
        let renamed = self.stamp(PlannedOp {
            scope: Scope::list(),
            resource: list_id(list).into(),
            payload: Payload::parse(&payload).unwrap(),
        });
        self.append(&[renamed]);
    }

    fn append(&mut self, ops: &[Op]) {
        let mut batch = self.file.begin().unwrap();
        for op in ops {
            batch
                .append(&op.key, Some(&op.payload), op.payload.hash())
                .unwrap();
        }
        batch.commit().unwrap();
    }

    /// Carries a command out in the outbox.
    fn pend(&mut self, command: &Command) {
        for op in self.ops(command) {
            let order = self.outbox.len() as u64 + 1;
            self.outbox.push(PendingOp { order, op });
        }
        self.file.fold_outbox(self.outbox.as_slice()).unwrap();
    }

    fn texts(&self, list: &str) -> Vec<String> {
        let shown = items(self.view(), &list_id(list)).unwrap();
        shown.into_iter().map(|shown| shown.item.text).collect()
    }
}

fn list_id(id: &str) -> ListId {
    ListId::new(id).unwrap()
}

fn item_id(id: &str) -> ItemId {
    ItemId::new(id).unwrap()
}

fn item_ref(list: &str, id: &str) -> ItemRef {
    ItemRef {
        list: list_id(list),
        item: item_id(id),
    }
}

fn new_list(id: &str, title: &str) -> Command {
    Command::NewList {
        list: list_id(id),
        title: title.to_owned(),
        spot: Spot::End,
    }
}

fn add<'a>(list: &str, ids: impl IntoIterator<Item = &'a str>) -> Command {
    let items = ids.into_iter().map(|id| NewItem {
        item: item_id(id),
        text: id.to_owned(),
        done: false,
        note: String::new(),
    });
    Command::Add {
        list: list_id(list),
        items: items.collect(),
        spot: Spot::End,
    }
}

fn check(list: &str, id: &str) -> Command {
    let item = item_ref(list, id);
    Command::Check { item }
}

fn moved(list: &str, id: &str, to: &str) -> Command {
    Command::Move {
        item: item_ref(list, id),
        to: list_id(to),
        spot: Spot::End,
    }
}

fn furnished() -> World {
    let mut world = World::new();
    world.log(&new_list("l", "groceries"));
    world.log(&new_list("m", "groceries"));
    world.log(&new_list("n", "other"));
    world.log(&add("l", ["apples", "apricots", "bread"]));
    world.log(&check("l", "bread"));
    world
}

#[test]
fn lists_come_in_order_with_what_they_show_and_removed_ones_on_request() {
    let mut world = furnished();
    let remove = Command::RemoveList { list: list_id("m") };
    world.log(&remove);
    let seen = |removed| -> Vec<_> {
        let all = lists(world.view(), removed).unwrap().into_iter();
        all.map(|found| (found.list.list.to_string(), found.items, found.done))
            .collect()
    };
    let expected = |ids: &[&str]| -> Vec<_> {
        let counts = |id: &str| if id == "l" { (3, 1) } else { (0, 0) };
        ids.iter()
            .map(|id| ((*id).to_owned(), counts(id).0, counts(id).1))
            .collect()
    };
    assert_eq!(seen(RemovedLists::Hidden), expected(&["l", "n"]));
    assert_eq!(seen(RemovedLists::Shown), expected(&["l", "m", "n"]));
    assert!(!list(world.view(), &list_id("m")).unwrap().unwrap().present);
    assert_eq!(list(world.view(), &list_id("q")).unwrap(), None);
}

#[test]
fn a_list_is_named_by_its_id_or_by_a_title_that_is_its_alone() {
    let mut world = furnished();
    let found = |world: &World, reference: &str| match resolve_list(world.view(), reference)
        .unwrap()
    {
        ResolvedList::Found(list) => vec![list.list.to_string()],
        ResolvedList::Ambiguous(lists) => lists.iter().map(|list| list.list.to_string()).collect(),
        ResolvedList::Unknown => Vec::new(),
    };
    assert_eq!(found(&world, "m"), ["m"]);
    assert_eq!(found(&world, "other"), ["n"]);
    assert_eq!(found(&world, "groceries"), ["l", "m"]);
    assert!(found(&world, "grocer").is_empty());
    let remove = Command::RemoveList { list: list_id("m") };
    world.log(&remove);
    assert_eq!(found(&world, "groceries"), ["l"]);
    assert!(found(&world, "m").is_empty());
    let removed = resolve_removed_list(world.view(), "groceries").unwrap();
    assert!(matches!(removed, ResolvedList::Found(list) if list.list == list_id("m")));
}

#[test]
fn items_come_in_order_page_by_page() {
    let mut world = World::new();
    world.log(&new_list("l", "many"));
    let ids: Vec<String> = (0..25).map(|n| format!("i{n:02}")).collect();
    world.log(&add("l", ids.iter().map(String::as_str)));
    assert_eq!(world.texts("l"), ids);
    let (mut paged, mut slot) = (Vec::new(), None);
    loop {
        let page = items_after(world.view(), &list_id("l"), slot.as_ref(), 10).unwrap();
        let Some(last) = page.last() else { break };
        slot = last.slot();
        paged.extend(page.into_iter().map(|shown| shown.item.text));
    }
    assert_eq!(paged, ids);
}

#[test]
fn an_item_is_pending_until_all_of_it_is_in_the_log() {
    let mut world = World::new();
    let ids = ["plain", "with \"quotes\" and \\", "ünïcödé/🥖"];
    world.log(&new_list("l", "list"));
    world.log(&add("l", ids));
    let states = |world: &World| -> Vec<_> {
        let shown = items(world.view(), &list_id("l")).unwrap();
        shown.into_iter().map(|shown| shown.state).collect()
    };
    assert_eq!(states(&world), [EntryState::Acknowledged; 3]);
    for (n, id) in ids.into_iter().enumerate() {
        let item = item_ref("l", id);
        let text = "other".to_owned();
        world.pend(&Command::Edit { item, text });
        let pending = states(&world)
            .into_iter()
            .filter(|state| *state == EntryState::Pending);
        assert_eq!(pending.count(), n + 1, "{id}");
    }
    let one = item_in(world.view(), &list_id("l"), &item_id("plain"))
        .unwrap()
        .unwrap();
    assert_eq!(one.state, EntryState::Pending);
}

#[test]
fn an_item_that_came_from_another_list_is_found_where_it_is_and_where_it_was() {
    let mut world = furnished();
    world.log(&moved("l", "bread", "m"));
    world.log(&add("m", ["milk"]));
    assert_eq!(world.texts("m"), ["bread", "milk"]);
    for list in ["l", "m"] {
        let found = item_in(world.view(), &list_id(list), &item_id("bread"))
            .unwrap()
            .unwrap();
        assert_eq!(found.item.item, item_ref("l", "bread"));
        assert_eq!(found.item.home, list_id("m"));
    }
    assert_eq!(
        item_in(world.view(), &list_id("n"), &item_id("bread")).unwrap(),
        None
    );
    // One of the same id that was made there comes first.
    world.log(&add("m", ["bread"]));
    let own = item_in(world.view(), &list_id("m"), &item_id("bread"))
        .unwrap()
        .unwrap();
    assert_eq!(own.item.item, item_ref("m", "bread"));
    let called = items_called(world.view(), &list_id("m"), &item_id("bread")).unwrap();
    let called: Vec<_> = called.into_iter().map(|shown| shown.item.item).collect();
    assert_eq!(called, [item_ref("l", "bread"), item_ref("m", "bread")]);
}

#[test]
fn every_change_of_a_list_or_an_item_gives_it_another_tag() {
    let mut world = furnished();
    let tag_of = |world: &World, id: &str| list_tag(world.view(), &list_id(id)).unwrap();
    let mut seen = vec![tag_of(&world, "l")];
    let other = tag_of(&world, "n");
    for command in [
        check("l", "apples"),
        Command::Edit {
            item: item_ref("l", "apples"),
            text: "pears".into(),
        },
        Command::Note {
            item: item_ref("l", "apples"),
            note: "ripe".into(),
        },
        moved("l", "apples", "l"),
        moved("l", "apples", "m"),
        Command::Remove {
            item: item_ref("l", "bread"),
        },
        Command::Restore {
            item: item_ref("l", "bread"),
            former: None,
        },
        Command::RenameList {
            list: list_id("l"),
            title: "food".into(),
        },
        Command::ReorderList {
            list: list_id("l"),
            spot: Spot::End,
        },
        Command::RemoveList { list: list_id("l") },
    ] {
        world.log(&command);
        let tag = tag_of(&world, "l");
        assert!(!seen.contains(&tag), "{command:?}");
        assert_eq!(tag, tag_of(&world, "l"));
        seen.push(tag);
    }
    assert_eq!(tag_of(&world, "n"), other);
    world.log_own_title("n", "by itself");
    let named = list(world.view(), &list_id("n")).unwrap().unwrap();
    assert_eq!(named.title, "by itself");
    assert_ne!(tag_of(&world, "n"), other);
    let item = item_ref("l", "apricots");
    let before = item_tag(world.view(), &item).unwrap();
    world.log(&check("l", "apricots"));
    assert_ne!(item_tag(world.view(), &item).unwrap(), before);
}
