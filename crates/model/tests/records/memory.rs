//! A log and its view in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::{Value as Json, json};
use syncline_model::compaction::{Coverage, coverage};
use syncline_model::record::{
    Asker, Decision, Held, Offered, RECORDS, Record, Records, Refusal, RefusalCode, Rulebook,
    decide, resource_of,
};
use syncline_model::schema::{Role, Schema};
use syncline_model::{
    ActorId, Clock, Folded, OpKey, Payload, Place, Row, Rows, Scope, ServerSeq, Table, Timestamp,
    UserId, Value, fold,
};

/// The rows of every table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct View {
    rows: BTreeMap<(&'static str, Vec<Value>), Row>,
}

impl Rows for View {
    type Error = Infallible;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, Infallible> {
        Ok(self.rows.get(&(table.name, key.to_vec())).cloned())
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), Infallible> {
        let key = (table.name, row[..table.key_columns].to_vec());
        self.rows.insert(key, row);
        Ok(())
    }

    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, Infallible> {
        let key = (table.name, row[..table.key_columns].to_vec());
        let is_free = !self.rows.contains_key(&key);
        if is_free {
            self.rows.insert(key, row);
        }
        Ok(is_free)
    }

    fn clear(&mut self, table: &'static Table, resource: &str) -> Result<(), Infallible> {
        let of = |(name, key): &(&str, Vec<Value>)| {
            *name == table.name && key[0].as_text() == Some(resource)
        };
        self.rows.retain(|key, _| !of(key));
        Ok(())
    }
}

impl View {
    pub(crate) fn records(&self) -> Vec<Record> {
        let rows = self
            .rows
            .iter()
            .filter(|((name, _), _)| *name == RECORDS.name);
        rows.map(|(_, row)| Record::from_row(row.clone()).unwrap())
            .collect()
    }

    /// The columns of a record that is there.
    pub(crate) fn columns(&self, entity: &str, id: &str) -> Option<Json> {
        let found = self
            .records()
            .into_iter()
            .find(|row| row.entity == entity && row.id == id);
        let found = found.filter(|record| !record.deleted);
        found.map(|record| serde_json::to_value(record.columns).unwrap())
    }
}

impl Records for View {
    type Error = Infallible;

    fn record(&mut self, entity: &str, id: &str) -> Result<Option<Record>, Infallible> {
        let found = self.records().into_iter();
        Ok(found
            .into_iter()
            .find(|row| row.entity == entity && row.id == id))
    }

    fn holding(&mut self, entity: &str, held: &[Held<'_>]) -> Result<Vec<Record>, Infallible> {
        let holds = |row: &Record| {
            row.entity == entity && !row.deleted && held.iter().all(|held| held.is_in(row))
        };
        Ok(self.records().into_iter().filter(holds).collect())
    }
}

/// A server in memory: a schema, a log, its view.
pub(crate) struct World {
    pub(crate) rulebook: Rulebook,
    pub(crate) view: View,
    pub(crate) log: Vec<(OpKey, Payload)>,
    clock: u64,
}

pub(crate) fn at() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000).unwrap()
}

pub(crate) fn asker(user: &str, role: Role) -> Asker {
    Asker {
        user: UserId::new(user).unwrap(),
        role,
    }
}

pub(crate) fn offered(writes: Json) -> Offered {
    serde_json::from_value(json!({"writes": writes, "mode": "optimistic"})).unwrap()
}

impl World {
    pub(crate) fn new(entities: Json) -> Self {
        let schema: Schema = serde_json::from_value(json!({"entities": entities})).unwrap();
        Self {
            rulebook: Rulebook::new(schema),
            view: View::default(),
            log: Vec::new(),
            clock: 0,
        }
    }

    pub(crate) fn key(&mut self, offered: &Offered) -> OpKey {
        self.clock += 1;
        OpKey {
            actor: ActorId::new("a").unwrap(),
            clock: Clock::new(self.clock).unwrap(),
            scope: Scope::record(),
            resource: offered.resource().unwrap(),
        }
    }

    pub(crate) fn decide(&mut self, asker: &Asker, op: &Offered) -> Result<Decision, Refusal> {
        let Ok(decided) = decide(&self.rulebook, &mut self.view, asker, op, at());
        decided
    }

    /// Decides an op, and if it is taken, appends and folds it.
    pub(crate) fn offer(&mut self, asker: &Asker, op: &Offered) -> Result<Decision, Refusal> {
        let decision = self.decide(asker, op)?;
        let key = self.key(op);
        let payload = decision.payload().unwrap();
        self.append(key, payload);
        Ok(decision)
    }

    pub(crate) fn append(&mut self, key: OpKey, payload: Payload) -> Folded {
        self.log.push((key.clone(), payload.clone()));
        let place = Place::Confirmed(ServerSeq(self.log.len() as u64));
        let Ok(folded) = fold(&mut self.view, &key, Some(&payload), place);
        folded
    }

    /// As [`World::offer`], by an owner.
    pub(crate) fn write(&mut self, writes: Json) -> Result<Decision, Refusal> {
        self.offer(&asker("olga", Role::Owner), &offered(writes))
    }

    pub(crate) fn code(&mut self, asker: &Asker, writes: Json) -> Option<RefusalCode> {
        self.decide(asker, &offered(writes))
            .err()
            .map(|refusal| refusal.code)
    }

    pub(crate) fn columns(&self, entity: &str, id: &str) -> Option<Json> {
        self.view.columns(entity, id)
    }

    /// The view that the ops make which are still needed.
    pub(crate) fn compacted(&mut self) -> View {
        let mut kept = Vec::new();
        for (n, (key, payload)) in self.log.iter().enumerate() {
            let Ok(found) = coverage(&mut self.view, key, Some(payload));
            if found == Coverage::Needed {
                kept.push((n, key.clone(), payload.clone()));
            }
        }
        let mut view = View::default();
        for (n, key, payload) in kept {
            let place = Place::Confirmed(ServerSeq(n as u64 + 1));
            let Ok(_) = fold(&mut view, &key, Some(&payload), place);
        }
        view
    }
}

/// One row's key as the table has it.
pub(crate) fn row_key(entity: &str, id: &str) -> [Value; 1] {
    [resource_of(entity, id).unwrap().as_str().into()]
}
