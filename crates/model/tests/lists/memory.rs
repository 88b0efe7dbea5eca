//! A view in memory, and who writes to it.

use std::collections::BTreeMap;
use std::convert::Infallible;

use syncline_model::compaction::is_tombstone;
use syncline_model::list::{
    Command, ITEMS, ItemRef, Jitter, ListItem, ListView, Plan, PlanError, PlannedOp, Planning,
    Slot, Source, TITLES, plan,
};
use syncline_model::registry::{LISTS, List};
use syncline_model::{
    ActorId, Clock, Folded, ItemId, ListId, Op, OpKey, Payload, Place, ResourceId, Row, Rows,
    Scope, ServerSeq, Table, Value, fold,
};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) rows: BTreeMap<(&'static str, String), (Row, bool)>,
}

fn place_of(table: &'static Table, key: &[Value]) -> (&'static str, String) {
    (table.name, format!("{:?}", &key[..table.key_columns]))
}

impl Rows for Memory {
    type Error = Infallible;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, Infallible> {
        Ok(self.row(table, key))
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), Infallible> {
        assert_eq!(row.len(), table.columns.len(), "a row has all its columns");
        assert!(!row.contains(&Value::Null), "no column takes null");
        let buried = is_tombstone(table, &row);
        self.rows.insert(place_of(table, &row), (row, buried));
        Ok(())
    }

    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, Infallible> {
        let absent = self.get(table, &row)?.is_none();
        if absent {
            self.put(table, row)?;
        }
        Ok(absent)
    }

    fn clear(&mut self, table: &'static Table, resource: &str) -> Result<(), Infallible> {
        self.rows.retain(|(name, _), (row, _)| {
            *name != table.name || row[0].as_text() != Some(resource)
        });
        Ok(())
    }
}

impl Memory {
    fn row(&self, table: &'static Table, key: &[Value]) -> Option<Row> {
        let found = self.rows.get(&place_of(table, key));
        found.map(|(row, _)| row.clone())
    }

    fn table(&self, table: &'static Table) -> impl Iterator<Item = &Row> {
        let rows = self
            .rows
            .iter()
            .filter(|((name, _), _)| *name == table.name);
        rows.map(|(_, (row, _))| row)
    }

    pub(crate) fn fold(&mut self, op: &Op) -> Folded {
        let place = Place::Confirmed(ServerSeq(1));
        fold(self, &op.key, Some(&op.payload), place).expect("memory does not fail")
    }

    pub(crate) fn of<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Self {
        let mut view = Self::default();
        for op in ops {
            view.fold(op);
        }
        view
    }

    /// What replicas compare.
    pub(crate) fn seen(&self) -> Vec<&Row> {
        let rows = self.rows.values().filter(|(_, buried)| !buried);
        rows.map(|(row, _)| row).collect()
    }

    /// The items that `list` shows, in order.
    pub(crate) fn items(&self, list: &ListId) -> Vec<ListItem> {
        let items = self.table(&ITEMS).cloned().map(ListItem::from_row);
        let items = items.map(|item| item.expect("the fold writes rows"));
        let mut items: Vec<_> = items
            .filter(|item| item.present && item.home == *list)
            .collect();
        items.sort_by_key(|item| order_of(&slot(item)));
        items
    }

    pub(crate) fn texts(&self, list: &ListId) -> Vec<String> {
        self.items(list).into_iter().map(|item| item.text).collect()
    }

    fn lists(&self) -> Vec<List> {
        let ids = self.table(&LISTS).filter_map(|row| row[1].as_text());
        let lists = ids.filter_map(|id| self.list(&list(id)).expect("memory does not fail"));
        let mut lists: Vec<_> = lists.filter(|list| list.present).collect();
        lists.sort_by_key(|list| (list.position.clone(), list.list.clone()));
        lists
    }

    /// The titles of the lists that are there, in order.
    pub(crate) fn titles(&self) -> Vec<String> {
        self.lists().into_iter().map(|list| list.title).collect()
    }

    /// Plans a person's command, and folds it as ops of `actor` from `clock` on.
    pub(crate) fn carry_out(
        &mut self,
        command: &Command,
        actor: &str,
        clock: u64,
        jitter: Jitter,
    ) -> Result<(Plan, Vec<Op>), PlanError<Infallible>> {
        let plan = plan(self, command, by(actor, Source::Person, jitter).planning())?;
        let ops: Vec<_> = stamped(&plan.ops, actor, clock);
        for op in &ops {
            self.fold(op);
        }
        Ok((plan, ops))
    }
}

/// A plan of an actor's.
pub(crate) struct By {
    actor: ActorId,
    source: Source,
    jitter: Jitter,
}

pub(crate) fn by(actor: &str, source: Source, jitter: Jitter) -> By {
    let actor = ActorId::new(actor).expect("a short name");
    By {
        actor,
        source,
        jitter,
    }
}

impl By {
    pub(crate) fn planning(&self) -> Planning<'_> {
        Planning {
            source: self.source,
            actor: Some(&self.actor),
            lists_collected: false,
            jitter: self.jitter,
        }
    }
}

pub(crate) fn stamped(ops: &[PlannedOp], actor: &str, clock: u64) -> Vec<Op> {
    let ops = ops.iter().zip(clock..);
    let ops = ops.map(|(op, clock)| Op {
        key: key(actor, clock, op.scope.as_str(), op.resource.as_str()),
        payload: op.payload.clone(),
    });
    ops.collect()
}

fn slot(item: &ListItem) -> Slot<ItemRef> {
    Slot {
        position: item.position.clone().expect("what is seen has a position"),
        key: item.item.clone(),
    }
}

fn order_of(slot: &Slot<ItemRef>) -> (String, ItemId, ListId) {
    let position = slot.position.as_str().to_owned();
    (position, slot.key.item.clone(), slot.key.list.clone())
}

impl ListView for Memory {
    type Error = Infallible;

    fn item_row(&self, item: &ItemRef) -> Result<Option<Row>, Infallible> {
        let key = [item.list.as_str().into(), item.item.as_str().into()];
        Ok(self.row(&ITEMS, &key))
    }

    fn item_after(
        &self,
        list: &ListId,
        after: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, Infallible> {
        let after = after.map(order_of);
        let mut items = self.items(list).into_iter();
        Ok(items.find(|item| Some(order_of(&slot(item))) > after))
    }

    fn item_before(
        &self,
        list: &ListId,
        before: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, Infallible> {
        let before = before.map(order_of);
        let mut items = self.items(list).into_iter().rev();
        Ok(items.find(|item| {
            let order = order_of(&slot(item));
            before.as_ref().is_none_or(|before| order < *before)
        }))
    }

    fn list_row(&self, list: &ListId) -> Result<Option<Row>, Infallible> {
        Ok(self.row(&LISTS, &["registry".into(), list.as_str().into()]))
    }

    fn own_title(&self, list: &ListId) -> Result<Option<Row>, Infallible> {
        Ok(self.row(&TITLES, &[list.as_str().into()]))
    }

    fn list_after(&self, after: Option<&Slot<ListId>>) -> Result<Option<List>, Infallible> {
        let after = after.map(|slot| (Some(slot.position.clone()), slot.key.clone()));
        let mut lists = self.lists().into_iter();
        Ok(lists.find(|list| Some((list.position.clone(), list.list.clone())) > after))
    }

    fn list_before(&self, before: Option<&Slot<ListId>>) -> Result<Option<List>, Infallible> {
        let before = before.map(|slot| (Some(slot.position.clone()), slot.key.clone()));
        let mut lists = self.lists().into_iter().rev();
        Ok(lists.find(|list| {
            let order = (list.position.clone(), list.list.clone());
            before.as_ref().is_none_or(|before| order < *before)
        }))
    }
}

pub(crate) fn list(id: &str) -> ListId {
    ListId::new(id).expect("a short id")
}

pub(crate) fn item(list_id: &str, id: &str) -> ItemRef {
    ItemRef {
        list: list(list_id),
        item: ItemId::new(id).expect("a short id"),
    }
}

pub(crate) fn key(actor: &str, clock: u64, scope: &str, resource: &str) -> OpKey {
    OpKey {
        actor: ActorId::new(actor).expect("a short name"),
        clock: Clock::new(clock).expect("a small clock"),
        scope: Scope::new(scope).expect("a scope"),
        resource: ResourceId::new(resource).expect("a short id"),
    }
}

/// An op of scope `list` on list `l`, as JSON spells it.
pub(crate) fn on_list(actor: &str, clock: u64, payload: &str) -> Op {
    Op {
        key: key(actor, clock, "list", "l"),
        payload: Payload::parse(payload).expect("JSON"),
    }
}

/// An op of scope `registry`, as JSON spells it.
pub(crate) fn on_registry(actor: &str, clock: u64, payload: &str) -> Op {
    Op {
        key: key(actor, clock, "registry", "registry"),
        payload: Payload::parse(payload).expect("JSON"),
    }
}

/// The insert of item `id` at `position`, with its id as text.
pub(crate) fn insert(actor: &str, clock: u64, id: &str, position: &str) -> Op {
    let payload = format!(
        r#"{{"type":"insert","itemId":"{id}","payload":{{"text":"{id}","done":false,"note":"","pos":"{position}"}}}}"#
    );
    on_list(actor, clock, &payload)
}

/// The permutations of `ops`.
pub(crate) fn orders(ops: &[Op]) -> Vec<Vec<Op>> {
    if ops.len() < 2 {
        return vec![ops.to_vec()];
    }
    let mut all = Vec::new();
    for first in 0..ops.len() {
        let mut rest = ops.to_vec();
        let first = rest.remove(first);
        for mut order in orders(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}
