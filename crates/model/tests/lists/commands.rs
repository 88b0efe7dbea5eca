//! Commands, and what takes them back.

use syncline_model::limits::ITEM_TEXT_CHARS_MAX;
use syncline_model::list::{
    Command, ItemRef, NewItem, Plan, PlanError, Position, Source, Spot, plan,
};

use syncline_model::ListId;

use super::memory::{Memory, by, item, list, on_list, stamped};

struct Desk {
    view: Memory,
    clock: u64,
}

impl Desk {
    /// A list `l` with items `x`, `y` and `z`, and an empty list `m`.
    fn new() -> Self {
        let mut desk = Self {
            view: Memory::default(),
            clock: 0,
        };
        for id in ["l", "m"] {
            desk.does(&Command::NewList {
                list: list(id),
                title: id.to_owned(),
                spot: Spot::End,
            });
        }
        desk.does(&add(&["x", "y", "z"], Spot::End));
        desk
    }

    fn tries(&mut self, command: &Command) -> Result<Plan, &'static str> {
        let clock = self.clock + 1;
        let done = self
            .view
            .carry_out(command, "a", clock, clock_jitter(clock));
        let (plan, ops) = done.map_err(|error| error.code())?;
        self.clock += ops.len() as u64;
        Ok(plan)
    }

    fn does(&mut self, command: &Command) -> Plan {
        self.tries(command).expect("the command can be carried out")
    }

    fn takes_back(&mut self, inverse: &[Command]) -> Vec<Command> {
        let mut redo = Vec::new();
        for command in inverse {
            // Across restarts a history is text.
            let text = serde_json::to_string(command).expect("a command is plain data");
            let command: Command = serde_json::from_str(&text).expect("it was just written");
            let clock = self.clock + 1;
            let plan = plan(
                &self.view,
                &command,
                by("a", Source::History, clock_jitter(clock)).planning(),
            );
            let plan = plan.expect("what was done can be taken back");
            for op in stamped(&plan.ops, "a", clock) {
                self.view.fold(&op);
                self.clock += 1;
            }
            redo.splice(0..0, plan.inverse);
        }
        redo
    }

    /// All that people see.
    fn shown(&self) -> String {
        let lists = ["l", "m", "n"].map(|id| {
            let items = self.view.items(&list(id)).into_iter();
            let items =
                items.map(|i| format!("{}{}{}", i.text, i.note, if i.done { "!" } else { "" }));
            format!("{id}: {}", items.collect::<Vec<_>>().join(" "))
        });
        format!("{:?} {}", self.view.titles(), lists.join(", "))
    }
}

fn clock_jitter(clock: u64) -> [u8; 4] {
    (clock as u32).wrapping_mul(2_654_435_761).to_le_bytes()
}

fn add(ids: &[&str], spot: Spot<ItemRef>) -> Command {
    let items = ids.iter().map(|id| NewItem {
        item: item("l", id).item,
        text: (*id).to_owned(),
        done: false,
        note: String::new(),
    });
    Command::Add {
        list: list("l"),
        items: items.collect(),
        spot,
    }
}

fn edit(text: &str) -> Command {
    Command::Edit {
        item: x(),
        text: text.to_owned(),
    }
}

fn note(note: &str) -> Command {
    Command::Note {
        item: x(),
        note: note.to_owned(),
    }
}

fn moved(to: &str, spot: Spot<ItemRef>) -> Command {
    Command::Move {
        item: x(),
        to: list(to),
        spot,
    }
}

fn new_list(id: &str, title: &str, spot: Spot<ListId>) -> Command {
    Command::NewList {
        list: list(id),
        title: title.to_owned(),
        spot,
    }
}

fn rename(id: &str, title: &str) -> Command {
    Command::RenameList {
        list: list(id),
        title: title.to_owned(),
    }
}

fn reorder(id: &str, spot: Spot<ListId>) -> Command {
    Command::ReorderList {
        list: list(id),
        spot,
    }
}

fn x() -> ItemRef {
    item("l", "x")
}

/// One of each, on what [`Desk::new`] shows, with what it gives.
fn commands() -> Vec<(Command, &'static str)> {
    let (z, y) = (item("l", "z"), item("l", "y"));
    vec![
        (
            add(&["v", "w"], Spot::Before(y.clone())),
            r#"["l", "m"] l: x v w y z, m: , n: "#,
        ),
        (
            add(&["v", "w"], Spot::Start),
            r#"["l", "m"] l: v w x y z, m: , n: "#,
        ),
        (edit("X"), r#"["l", "m"] l: X y z, m: , n: "#),
        (note("n"), r#"["l", "m"] l: xn y z, m: , n: "#),
        (
            Command::Check { item: x() },
            r#"["l", "m"] l: x! y z, m: , n: "#,
        ),
        (
            moved("l", Spot::After(y)),
            r#"["l", "m"] l: y x z, m: , n: "#,
        ),
        (
            moved("l", Spot::Before(z)),
            r#"["l", "m"] l: y x z, m: , n: "#,
        ),
        (moved("l", Spot::End), r#"["l", "m"] l: y z x, m: , n: "#),
        (moved("m", Spot::End), r#"["l", "m"] l: y z, m: x, n: "#),
        (
            Command::Remove { item: x() },
            r#"["l", "m"] l: y z, m: , n: "#,
        ),
        (
            new_list("n", "new", Spot::Start),
            r#"["new", "l", "m"] l: x y z, m: , n: "#,
        ),
        (rename("l", "L"), r#"["L", "m"] l: x y z, m: , n: "#),
        (
            reorder("l", Spot::After(list("m"))),
            r#"["m", "l"] l: x y z, m: , n: "#,
        ),
        (
            Command::RemoveList { list: list("l") },
            r#"["m"] l: x y z, m: , n: "#,
        ),
    ]
}

#[test]
fn every_command_does_what_it_says_is_undone_and_redone() {
    for (command, expected) in commands() {
        let mut desk = Desk::new();
        let before = desk.shown();
        let plan = desk.does(&command);
        assert_eq!(desk.shown(), expected, "{command:?}");
        let redo = desk.takes_back(&plan.inverse);
        assert_eq!(desk.shown(), before, "undone: {command:?}");
        let undo = desk.takes_back(&redo);
        assert_eq!(desk.shown(), expected, "redone: {command:?}");
        desk.takes_back(&undo);
        assert_eq!(desk.shown(), before, "undone again: {command:?}");
    }
}

#[test]
fn a_command_whose_wish_is_fulfilled_writes_nothing() {
    for (command, _) in commands() {
        let mut desk = Desk::new();
        desk.does(&command);
        match command {
            Command::Add { .. } | Command::NewList { .. } => continue,
            _ => assert_eq!(desk.does(&command), Plan::default(), "{command:?}"),
        }
    }
}

#[test]
fn an_item_removed_and_collected_is_restored_from_what_the_history_kept() {
    let mut desk = Desk::new();
    desk.does(&note("n"));
    desk.does(&moved("m", Spot::End));
    let before = desk.shown();
    let plan = desk.does(&Command::Remove { item: x() });
    desk.view.rows.retain(|_, (_, buried)| !*buried);
    desk.takes_back(&plan.inverse);
    assert_eq!(desk.shown(), before);
}

#[test]
fn a_restore_keeps_what_others_wrote_to_the_removed_item() {
    let mut desk = Desk::new();
    let plan = desk.does(&Command::Remove { item: x() });
    let edit = r#"{"type":"update","itemId":"x","payload":{"text":"theirs"}}"#;
    desk.view.fold(&on_list("b", desk.clock + 1, edit));
    desk.clock += 1;
    desk.takes_back(&plan.inverse);
    assert!(desk.shown().contains("l: theirs y z"), "{}", desk.shown());
}

#[test]
fn a_move_between_lists_is_one_op_of_the_list_of_origin_that_touches_the_other() {
    let mut desk = Desk::new();
    let command = moved("m", Spot::End);
    let plan = desk.does(&command);
    let [op] = plan.ops.as_slice() else {
        panic!("{plan:?}")
    };
    assert_eq!(op.resource.as_str(), "l");
    assert!(
        op.payload.as_str().contains(r#""touches":["m"]"#),
        "{}",
        op.payload.as_str()
    );
}

#[test]
fn what_cant_be_done_has_a_code_and_changes_nothing() {
    let long = "x".repeat(ITEM_TEXT_CHARS_MAX + 1);
    let none = || item("l", "none");
    let cases = [
        (edit(" \n"), "text_empty"),
        (edit("a\u{7}b"), "text_control_character"),
        (edit(&long), "text_too_long"),
        (rename("l", "two\nlines"), "text_control_character"),
        (moved("l", Spot::Before(x())), "move_beside_itself"),
        (moved("l", Spot::After(x())), "move_beside_itself"),
        (
            moved("m", Spot::After(item("l", "y"))),
            "item_in_other_list",
        ),
        (moved("none", Spot::End), "list_unknown"),
        (moved("l", Spot::Before(none())), "item_unknown"),
        (Command::Check { item: none() }, "item_unknown"),
        (
            Command::Restore {
                item: none(),
                former: None,
            },
            "item_unknown",
        ),
        (Command::RemoveList { list: list("none") }, "list_unknown"),
        (
            Command::RestoreList {
                list: list("none"),
                former: None,
            },
            "list_unknown",
        ),
        (reorder("l", Spot::After(list("l"))), "move_beside_itself"),
        (new_list("l", "again", Spot::End), "list_exists"),
        (add(&["x"], Spot::End), "item_exists"),
    ];
    for (command, code) in cases {
        let mut desk = Desk::new();
        let before = desk.view.clone();
        assert_eq!(desk.tries(&command), Err(code), "{command:?}");
        assert_eq!(desk.view, before);
    }
    let mut desk = Desk::new();
    desk.does(&Command::Remove { item: x() });
    assert_eq!(desk.tries(&edit("new")), Err("item_removed"));
    desk.does(&Command::RemoveList { list: list("l") });
    assert_eq!(desk.tries(&add(&["v"], Spot::End)), Err("list_removed"));
}

#[test]
fn the_longest_item_fits_an_op_whatever_its_characters_are() {
    for character in ["\n", "\"", "\u{10ffff}"] {
        let longest = character.repeat(ITEM_TEXT_CHARS_MAX);
        let mut desk = Desk::new();
        let mut text = longest.clone();
        text.pop();
        text.push('x');
        desk.does(&Command::Edit { item: x(), text });
        desk.does(&Command::Note {
            item: x(),
            note: longest,
        });
        let plan = desk.does(&Command::Remove { item: x() });
        desk.takes_back(&plan.inverse);
        assert_eq!(desk.view.items(&list("l")).len(), 3);
    }
}

#[test]
fn a_history_may_write_again_what_no_person_may() {
    let desk = Desk::new();
    let blank = Command::Edit {
        item: x(),
        text: String::new(),
    };
    assert!(
        plan(
            &desk.view,
            &blank,
            by("a", Source::History, [0; 4]).planning()
        )
        .is_ok()
    );
    let person = plan(
        &desk.view,
        &blank,
        by("a", Source::Person, [0; 4]).planning(),
    );
    assert!(matches!(person, Err(PlanError::Text(_))));
    assert!(Position::parse("no position").is_err());
}
