//! Stretches of long keys: made short again, with everybody's order kept as far as it can be.

use syncline_model::Op;
use syncline_model::list::{Command, ItemRef, NewItem, POSITION_BYTES_LONG, Spot};

use super::chance::Chance;
use super::memory::{Memory, insert, item, list};

fn add(id: &str, spot: Spot<ItemRef>) -> Command {
    Command::Add {
        list: list("l"),
        items: vec![NewItem {
            item: item("l", id).item,
            text: id.to_owned(),
            done: false,
            note: String::new(),
        }],
        spot,
    }
}

struct Desk {
    view: Memory,
    clock: u64,
    chance: Chance,
    moves: usize,
}

impl Desk {
    /// A list with two items, between which others are to be put.
    fn new(seed: u64) -> Self {
        let mut desk = Self {
            view: Memory::default(),
            clock: 0,
            chance: Chance(seed),
            moves: 0,
        };
        desk.does(&Command::NewList {
            list: list("l"),
            title: "list".to_owned(),
            spot: Spot::End,
        });
        desk.does(&add("first", Spot::End));
        desk.does(&add("last", Spot::End));
        desk
    }

    fn does(&mut self, command: &Command) -> Vec<Op> {
        let jitter = self.chance.jitter();
        let done = self.view.carry_out(command, "a", self.clock + 1, jitter);
        let (_, ops) = done.expect("the command can be carried out");
        self.clock += ops.len() as u64;
        self.moves += ops.len() - 1;
        ops
    }

    /// Puts `count` items between `first` and `last`, each between the two before it; gives those.
    fn zigzags(&mut self, count: usize) -> (ItemRef, ItemRef) {
        let (mut left, mut right) = (item("l", "first"), item("l", "last"));
        let mut expected = vec!["first".to_owned(), "last".to_owned()];
        for n in 0..count {
            let id = format!("i{n}");
            let at = expected
                .iter()
                .position(|text| *text == right.item.as_str());
            expected.insert(at.expect("it was put there"), id.clone());
            if n % 2 == 0 {
                self.does(&add(&id, Spot::Before(right.clone())));
                left = item("l", &id);
            } else {
                self.does(&add(&id, Spot::After(left.clone())));
                right = item("l", &id);
            }
        }
        assert_eq!(self.view.texts(&list("l")), expected);
        (left, right)
    }
}

#[test]
fn inserts_that_turn_around_keep_order_and_keys_of_bounded_length() {
    let mut desk = Desk::new(1);
    desk.zigzags(400);
    let items = desk.view.items(&list("l"));
    let longest = items
        .iter()
        .filter_map(|item| Some(item.position.as_ref()?.bytes()));
    assert!(longest.max() <= Some(POSITION_BYTES_LONG));
    assert!(desk.moves > 0, "no stretch was spread");
    assert!(desk.moves < 3 * items.len(), "{} moves", desk.moves);
}

#[test]
fn what_others_insert_while_a_stretch_is_spread_keeps_its_order_to_what_stays() {
    for seed in 0..6 {
        let mut desk = Desk::new(seed);
        let (left, right) = desk.zigzags(125);
        // Somebody else sees the list as it is now, and inserts anywhere.
        let mut other = desk.view.clone();
        let mut inserted = Vec::new();
        for n in 0..5_u64 {
            let ids: Vec<_> = other
                .items(&list("l"))
                .into_iter()
                .map(|item| item.item)
                .collect();
            let spot = match n {
                0 => Spot::After(left.clone()),
                _ => Spot::After(desk.chance.pick(&ids).clone()),
            };
            let clock = desk.clock + 1 + n;
            let done = other.carry_out(&add(&format!("b{n}"), spot), "b", clock, [n as u8 + 1; 4]);
            inserted.extend(done.expect("anywhere is fine").1);
        }
        let others_order = other.texts(&list("l"));
        // Meanwhile the stretch is spread.
        let (mut here, mut ends) = ((left, right), Vec::new());
        let moved_before = desk.moves;
        for n in 0_u64.. {
            let id = format!("z{n}");
            let ops = desk.does(&add(&id, Spot::After(here.0.clone())));
            here.1 = item("l", &id);
            let ops_moved = ops.len() - 1;
            let id = format!("y{n}");
            let more = desk.does(&add(&id, Spot::Before(here.1.clone())));
            here.0 = item("l", &id);
            if ops_moved + more.len() > 1 {
                ends.extend(ops);
                ends.extend(more);
                break;
            }
        }
        assert!(desk.moves > moved_before);
        let moved = |text: &String| {
            let mark = format!(r#""type":"move","itemId":"{text}""#);
            ends.iter().any(|op| op.payload.as_str().contains(&mark))
        };
        inserted.iter().for_each(|op| _ = desk.view.fold(op));
        let order = desk.view.texts(&list("l"));
        let staying = |order: &[String]| {
            let known = others_order.iter().filter(|text| order.contains(text));
            assert_eq!(known.count(), others_order.len(), "nothing is lost");
            let stays = order
                .iter()
                .filter(|text| others_order.contains(text) && !moved(text));
            stays.cloned().collect::<Vec<_>>()
        };
        assert_eq!(staying(&order), staying(&others_order), "seed {seed}");
    }
}

#[test]
fn items_with_one_key_are_parted_when_something_goes_between_them() {
    let mut desk = Desk::new(4);
    for id in ["x", "y", "z"] {
        let op = insert("b", desk.clock + 1, id, "a0zzzz1");
        desk.view.fold(&op);
        desk.clock += 1;
    }
    let before = desk.view.texts(&list("l"));
    desk.does(&add("new", Spot::After(item("l", "x"))));
    let mut expected = before;
    let at = expected.iter().position(|text| text == "x").unwrap();
    expected.insert(at + 1, "new".to_owned());
    assert_eq!(desk.view.texts(&list("l")), expected);
}

#[test]
fn two_who_spread_the_same_stretch_write_the_same_keys() {
    let mut desk = Desk::new(5);
    for id in ["x", "y", "z"] {
        let op = insert("b", desk.clock + 1, id, "b00001");
        desk.view.fold(&op);
        desk.clock += 1;
    }
    let moves = |jitter| {
        let command = add("new", Spot::After(item("l", "x")));
        let done = desk
            .view
            .clone()
            .carry_out(&command, "a", desk.clock + 1, jitter);
        let (plan, _) = done.expect("there is room");
        plan.ops[..plan.ops.len() - 1].to_vec()
    };
    assert_eq!(moves([1; 4]), moves([2; 4]));
    assert!(!moves([1; 4]).is_empty());
}

#[test]
fn what_another_puts_into_the_gap_where_a_stretch_is_spread_keeps_its_order_to_everything() {
    let mut desk = Desk::new(6);
    let (mut left, mut right) = desk.zigzags(120);
    for n in 0_u8.. {
        let before = desk.view.clone();
        let ops = desk.does(&add(&format!("z{n}"), Spot::After(left.clone())));
        if ops.len() > 1 {
            let mut other = before;
            let theirs = add("theirs", Spot::Before(right));
            let done = other.carry_out(&theirs, "b", desk.clock + 1, [n; 4]);
            let (_, inserted) = done.expect("the gap is not shut");
            inserted.iter().for_each(|op| _ = desk.view.fold(op));
            let mut order = desk.view.texts(&list("l"));
            order.retain(|text| *text != format!("z{n}"));
            assert_eq!(order, other.texts(&list("l")));
            return;
        }
        let inserted = item("l", &format!("z{n}"));
        if n % 2 == 0 {
            right = inserted;
        } else {
            left = inserted;
        }
    }
}
