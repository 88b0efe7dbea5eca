//! What a list must change to hold what a file says.
//!
//! The ids of items that have none in the file follow from the list, the text, and how often the text
//! came before: two replicas that import one file into one list make the same items. An item that the
//! list shows with the same text counts as the file's, whoever made it, so that what was exported is
//! known again.

use std::collections::{HashMap, HashSet, VecDeque};

use syncline_model::list::{Command, ItemRef, ListItem, NewItem, Spot, TextError, TextKind};
use syncline_model::{ItemId, ListId};
use uuid::Uuid;

use super::{Checklist, Entry, EntryProblem, NAMESPACE, Place, id_from_elsewhere};

/// What an import comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportPlan {
    /// Each to be planned on the list as it was: none depends on another.
    pub commands: Vec<Command>,
    /// Items that the list does not have.
    pub items_new: u64,
    /// Items that the list has without the tick or the note that the file gives them.
    pub items_changed: u64,
    /// Items that the list has, and that stay as they are.
    pub items_known: u64,
    /// Items that were imported before, and were removed or moved to another list since; they are
    /// left so.
    pub items_gone: u64,
    /// The lines of items without a text, which are left out: only an id of the file's own, or an item
    /// that the list shows, tells one of these from a line that nobody has written anything on.
    pub blank_lines: Vec<u64>,
    pub problems: Vec<EntryProblem>,
}

/// Plans an import into `list`, which shows the items `shown`, in order; `find` looks an item up that
/// was made in it, whatever became of it.
///
/// The commands are those of a history: a text that comes back may be blank.
/// Of several entries with one id the first has it; the others are as without.
/// An item that the list has is ticked where the file has it ticked, and gets the file's note where it has
/// none. Its text, its tick and its note stay otherwise: nobody can tell whether they are older than the
/// file's, and what was written since must not be lost.
/// A new item goes behind the one that it follows in the file. What only the list has stays.
pub fn plan_import<E>(
    list: &ListId,
    shown: &[ListItem],
    file: Checklist,
    find: impl Fn(&ItemRef) -> Result<Option<ListItem>, E>,
) -> Result<ImportPlan, E> {
    let mut plan = ImportPlan::default();
    let (file_places, entries) = plan.check(file.entries);
    let places = Matcher::new(list, shown, find).match_all(&entries, shown)?;
    let entries = entries.into_iter().map(|(entry, _)| entry);
    let standing = plan.without_blank(file_places, entries.zip(places));
    plan.change(&standing);
    plan.add(list, standing);
    Ok(plan)
}

/// Where an entry of the file belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Shown(ListItem),
    /// It is the item with this id, which the list does not show any more.
    Gone,
    New(ItemId),
}

impl ImportPlan {
    /// The entries that can be items, and where they stand in the file; each with how often its text
    /// came before.
    fn check(&mut self, read: Vec<(Place, Entry)>) -> (Vec<Place>, Vec<(Entry, u64)>) {
        let mut ids = HashSet::new();
        let mut texts: HashMap<String, u64> = HashMap::new();
        let mut places = Vec::with_capacity(read.len());
        let mut entries = Vec::with_capacity(read.len());
        for (place, mut entry) in read {
            // Others make their items blank, and type then: such a one may come back as it was.
            let text = TextKind::Text.check_form(&entry.text);
            if let Err(cause) = text.and_then(|()| TextKind::Note.check(&entry.note)) {
                self.problems.push(EntryProblem { place, cause });
                continue;
            }
            // What repeats an id has none of its own.
            entry.id = entry.id.filter(|id| ids.insert(id.clone()));
            let seen = texts.entry(entry.text.clone()).or_default();
            places.push(place);
            entries.push((entry, *seen));
            *seen += 1;
        }
        (places, entries)
    }

    /// Leaves out what has no text, and neither an id nor an item of the list that says what it is.
    fn without_blank(
        &mut self,
        places: Vec<Place>,
        standing: impl Iterator<Item = (Entry, Standing)>,
    ) -> Vec<(Entry, Standing)> {
        let mut left = Vec::with_capacity(places.len());
        for (place, (entry, standing)) in places.into_iter().zip(standing) {
            let is_told = entry.id.is_some() || matches!(standing, Standing::Shown(_));
            match place {
                _ if is_told || !entry.text.trim().is_empty() => left.push((entry, standing)),
                Place::Line(line) => self.blank_lines.push(line),
                Place::Item { .. } => {
                    let kind = TextKind::Text;
                    let cause = TextError::Blank { kind };
                    self.problems.push(EntryProblem { place, cause });
                }
            }
        }
        left
    }

    /// Gives what the list has the ticks and notes that only the file has.
    fn change(&mut self, standing: &[(Entry, Standing)]) {
        for (entry, place) in standing {
            let item = match place {
                Standing::Shown(item) => item,
                Standing::Gone => {
                    self.items_gone += 1;
                    continue;
                }
                Standing::New(_) => continue,
            };
            let before = self.commands.len();
            let id = || item.item.clone();
            if adds_tick(entry, item) {
                self.commands.push(Command::Check { item: id() });
            }
            if adds_note(entry, item) {
                let note = entry.note.clone();
                self.commands.push(Command::Note { item: id(), note });
            }
            if self.commands.len() > before {
                self.items_changed += 1;
            } else {
                self.items_known += 1;
            }
        }
    }

    /// Adds what the list does not have, each run of new items beside those that it has.
    fn add(&mut self, list: &ListId, standing: Vec<(Entry, Standing)>) {
        let first_shown = standing.iter().find_map(|(_, place)| match place {
            Standing::Shown(item) => Some(item.item.clone()),
            Standing::Gone | Standing::New(_) => None,
        });
        let mut spot = first_shown.map_or(Spot::End, Spot::Before);
        let mut items = Vec::new();
        for (entry, place) in standing {
            match place {
                Standing::Gone => {}
                Standing::New(item) => items.push(NewItem {
                    item,
                    text: entry.text,
                    done: entry.done,
                    note: entry.note,
                }),
                Standing::Shown(item) => {
                    let after = Spot::After(item.item);
                    let spot = std::mem::replace(&mut spot, after);
                    self.add_run(list, std::mem::take(&mut items), spot);
                }
            }
        }
        self.add_run(list, items, spot);
    }

    fn add_run(&mut self, list: &ListId, items: Vec<NewItem>, spot: Spot<ItemRef>) {
        if items.is_empty() {
            return;
        }
        self.items_new += items.len() as u64;
        self.commands.push(Command::Add {
            list: list.clone(),
            items,
            spot,
        });
    }
}

fn adds_tick(entry: &Entry, item: &ListItem) -> bool {
    entry.done && !item.done
}

fn adds_note(entry: &Entry, item: &ListItem) -> bool {
    item.note.is_empty() && !entry.note.is_empty()
}

/// Finds the items that a file's entries are, the surest first.
struct Matcher<'a, F> {
    list: &'a ListId,
    find: F,
    shown: HashMap<&'a ItemRef, &'a ListItem>,
    /// The items that an entry was found to be.
    taken: HashSet<ItemRef>,
    standing: Vec<Option<Standing>>,
}

impl<'a, E, F: Fn(&ItemRef) -> Result<Option<ListItem>, E>> Matcher<'a, F> {
    fn new(list: &'a ListId, shown: &'a [ListItem], find: F) -> Self {
        Self {
            list,
            find,
            shown: shown.iter().map(|item| (&item.item, item)).collect(),
            taken: HashSet::new(),
            standing: Vec::new(),
        }
    }

    fn match_all(
        mut self,
        entries: &[(Entry, u64)],
        shown: &'a [ListItem],
    ) -> Result<Vec<Standing>, E> {
        self.standing = vec![None; entries.len()];
        self.match_ids(entries, shown);
        self.match_minted(entries, shown);
        self.match_texts(entries, shown);
        let mut all = Vec::with_capacity(entries.len());
        for (number, (entry, seen)) in entries.iter().enumerate() {
            all.push(match self.standing[number].take() {
                Some(standing) => standing,
                None => self.rest(entry, *seen)?,
            });
        }
        Ok(all)
    }

    /// By the file's own id.
    fn match_ids(&mut self, entries: &[(Entry, u64)], shown: &'a [ListItem]) {
        let mut by_id: HashMap<ItemId, &ListItem> = HashMap::new();
        for item in shown {
            let known = by_id.entry(item.item.item.clone()).or_insert(item);
            // Of two with one id, the one that was made here.
            if item.item.list == *self.list {
                *known = item;
            } else {
                by_id.insert(id_from_elsewhere(&item.item), item);
            }
        }
        for (number, (entry, _)) in entries.iter().enumerate() {
            if let Some(item) = entry.id.as_ref().and_then(|id| by_id.get(id)) {
                self.take(number, item);
            }
        }
    }

    /// By the id that an import gave an entry, if the text is still the same. Where the list shows a text as often
    /// as the file has it, the order of both counts if less is changed by that: since the import, another item of
    /// this text may have come to stand before the one that it made.
    fn match_minted(&mut self, entries: &[(Entry, u64)], shown: &'a [ListItem]) {
        let mut items: HashMap<&str, Vec<&ListItem>> = HashMap::new();
        for item in shown.iter().filter(|item| !self.taken.contains(&item.item)) {
            items.entry(&item.text).or_default().push(item);
        }
        let mut numbers: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, (entry, _)) in entries.iter().enumerate() {
            if entry.id.is_none() {
                numbers.entry(&entry.text).or_default().push(number);
            }
        }
        for (text, numbers) in numbers {
            let Some(items) = items.remove(text) else {
                continue;
            };
            let minted = numbers.iter().map(|number| {
                let minted = self.shown.get(&self.minted(text, entries[*number].1));
                let is_free =
                    |item: &&ListItem| item.text == text && !self.taken.contains(&item.item);
                minted.copied().filter(is_free)
            });
            let minted: Vec<_> = minted.collect();
            let changes = |items: &[&ListItem]| {
                let pairs = numbers.iter().zip(items);
                let changed = pairs.filter(|(number, item)| {
                    let (entry, _) = &entries[**number];
                    adds_tick(entry, item) || adds_note(entry, item)
                });
                changed.count()
            };
            let is_as_often = items.len() == numbers.len();
            let in_order = is_as_often && changes(&items) <= changes(&completed(&minted, &items));
            for (place, number) in numbers.into_iter().enumerate() {
                let item = if in_order {
                    Some(items[place])
                } else {
                    minted[place]
                };
                if let Some(item) = item {
                    self.take(number, item);
                }
            }
        }
    }

    /// By the text, in the order of file and list.
    fn match_texts(&mut self, entries: &[(Entry, u64)], shown: &'a [ListItem]) {
        let mut by_text: HashMap<&str, VecDeque<&ListItem>> = HashMap::new();
        for item in shown.iter().filter(|item| !self.taken.contains(&item.item)) {
            by_text.entry(&item.text).or_default().push_back(item);
        }
        for (number, (entry, _)) in entries.iter().enumerate() {
            if self.standing[number].is_some() || entry.id.is_some() {
                continue;
            }
            let same = by_text.get_mut(entry.text.as_str());
            if let Some(item) = same.and_then(VecDeque::pop_front) {
                self.take(number, item);
            }
        }
    }

    fn take(&mut self, number: usize, item: &ListItem) {
        self.taken.insert(item.item.clone());
        self.standing[number] = Some(Standing::Shown(item.clone()));
    }

    /// What the list does not show so: an item that was imported and is otherwise now, or a new one.
    fn rest(&mut self, entry: &Entry, seen: u64) -> Result<Standing, E> {
        let mut seen = seen;
        let item = loop {
            let item = match &entry.id {
                Some(id) => self.item_ref(id.clone()),
                None => self.minted(&entry.text, seen),
            };
            if self.taken.insert(item.clone()) {
                break item;
            }
            // The id that the text would have had was given before the text was changed.
            seen += 1;
        };
        if let Some(shown) = self.shown.get(&item) {
            return Ok(Standing::Shown((*shown).clone()));
        }
        let known = (self.find)(&item)?.is_some_and(|known| known.position.is_some());
        Ok(if known {
            Standing::Gone
        } else {
            Standing::New(item.item)
        })
    }

    fn minted(&self, text: &str, seen: u64) -> ItemRef {
        // An id has no control character: what is before the zero byte can't be forged.
        let name = format!("{}\0{seen}\0{text}", self.list);
        let id = Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string();
        self.item_ref(ItemId::new(id).expect("a UUID is an id"))
    }

    fn item_ref(&self, item: ItemId) -> ItemRef {
        ItemRef {
            list: self.list.clone(),
            item,
        }
    }
}

/// The items found, and where none was, the others in their order.
fn completed<'i>(found: &[Option<&'i ListItem>], items: &[&'i ListItem]) -> Vec<&'i ListItem> {
    let known: HashSet<&ItemRef> = found.iter().flatten().map(|item| &item.item).collect();
    let mut others = items.iter().filter(|item| !known.contains(&item.item));
    let all = found
        .iter()
        .map(|found| found.or_else(|| others.next().copied()));
    all.flatten().collect()
}
