//! A reader that keeps what the wire tells it, and bears with nothing that it should not be told.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::{Method, Response, Url};
use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::conditions::Condition;
use super::oracle::{Rows, alike};
use super::table::COLUMNS;
use crate::shapes::Shapes;
use crate::support::{PATIENCE, Reply};

/// How it hears of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It asks for what has come.
    Asking,
    /// It waits for each.
    Polling,
    /// It listens to a stream.
    Events,
}

/// A shape as it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    condition: Condition,
    /// None: all that there are.
    named: Option<Vec<&'static str>>,
    is_full: bool,
    query: String,
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Condition { text, parameter } = &self.condition;
        write!(
            formatter,
            "{text}\n  $1 is {parameter:?}, {:?} full: {}",
            self.named, self.is_full
        )
    }
}

impl Shape {
    fn new(condition: &Condition, chance: &mut Chance) -> Self {
        let named = (chance.below(3) == 0).then(|| {
            let columns = COLUMNS.iter().map(|column| column.name);
            let some = columns.filter(|_| chance.below(3) == 0);
            ["id"].into_iter().chain(some).collect::<Vec<_>>()
        });
        let is_full = chance.below(3) == 0;
        let mut pairs = vec![
            ("table", "things".to_owned()),
            ("where", condition.text.clone()),
        ];
        if let Some(value) = condition.parameter {
            pairs.push(("params[1]", value.to_owned()));
        }
        if let Some(named) = &named {
            pairs.push(("columns", named.join(",")));
        }
        if is_full {
            pairs.push(("replica", "full".to_owned()));
        }
        Self {
            condition: condition.clone(),
            named,
            is_full,
            query: encoded(&pairs),
        }
    }

    /// Its columns, of all that the table has.
    pub(super) fn columns(&self, all: &[&'static str]) -> Vec<&'static str> {
        self.named.clone().unwrap_or_else(|| all.to_vec())
    }
}

fn encoded(pairs: &[(&str, String)]) -> String {
    let url = Url::parse_with_params("http://x/", pairs).expect("it is a URL");
    url.query().expect("it has parameters").to_owned()
}

/// Where it goes on.
#[derive(Debug, Clone)]
struct Place {
    handle: String,
    offset: String,
}

/// A stream of events as far as it was read.
struct Listening {
    response: Response,
    unread: String,
    /// What was told since it was up to date last. Only then is there a place to go on from: what a stream
    /// has told that ends before is told again.
    held: Vec<Value>,
}

pub(super) struct Client<'s> {
    s: &'s Shapes,
    pub(super) shape: Shape,
    way: Way,
    place: Option<Place>,
    /// Whether it has come to the end of what was there when it began.
    is_live: bool,
    listening: Option<Listening>,
    rows: BTreeMap<String, Map<String, Value>>,
    /// The place of the last change that it was told of.
    last: (u64, u64),
    /// How often it has begun, and what it was told.
    pub(super) began: usize,
    pub(super) changes: usize,
}

impl<'s> Client<'s> {
    pub(super) fn new(s: &'s Shapes, condition: &Condition, way: Way, chance: &mut Chance) -> Self {
        Self::of(s, Shape::new(condition, chance), way)
    }

    fn of(s: &'s Shapes, shape: Shape, way: Way) -> Self {
        Self {
            s,
            shape,
            way,
            place: None,
            is_live: false,
            listening: None,
            rows: BTreeMap::new(),
            last: (0, 0),
            began: 0,
            changes: 0,
        }
    }

    /// Another one of the same shape, which has read nothing yet.
    pub(super) fn late(&self) -> Self {
        Self::of(self.s, self.shape.clone(), Way::Asking)
    }

    pub(super) fn is_polling(&self) -> bool {
        self.way == Way::Polling && self.is_live
    }

    /// What it holds, by id.
    pub(super) fn held(&self) -> Rows {
        let rows = self.rows.values();
        rows.map(|row| {
            let id = row["id"].as_str().expect("a key").to_owned();
            (id, alike(row.clone()))
        })
        .collect()
    }

    fn query(&self, live: &str) -> String {
        match &self.place {
            None => format!("{}&offset=-1", self.shape.query),
            Some(Place { handle, offset }) => {
                format!("{}&handle={handle}&offset={offset}{live}", self.shape.query)
            }
        }
    }

    /// Waits for one answer.
    pub(super) async fn poll(&mut self) {
        let reply = self.s.ask(&self.query("&live=true")).await;
        self.take(&reply);
    }

    /// Reads up to this place of the log, or beyond.
    pub(super) async fn catch_up(&mut self, head: u64) {
        if self.way == Way::Events && self.is_live && self.listen(head).await {
            return;
        }
        loop {
            let reply = self.s.ask(&self.query("")).await;
            if self.take(&reply) {
                self.is_live = true;
                return;
            }
        }
    }

    /// Takes an answer; says whether it is up to date by it.
    fn take(&mut self, reply: &Reply) -> bool {
        if self.begins_anew(reply) {
            return false;
        }
        let messages = reply.expect(200);
        let messages = messages.as_array().expect("messages");
        if self.place.is_none() {
            self.began += 1;
        }
        self.place = Some(Place {
            handle: reply.header("electric-handle").to_owned(),
            offset: reply.header("electric-offset").to_owned(),
        });
        for message in messages {
            self.apply(message);
        }
        let is_told = messages
            .last()
            .is_some_and(|last| control(last) == Some("up-to-date"));
        let is_up_to_date = reply.headers.contains_key("electric-up-to-date");
        assert_eq!(is_told, is_up_to_date, "{messages:?}");
        is_up_to_date
    }

    /// Lets go of everything where it is told to.
    fn begins_anew(&mut self, reply: &Reply) -> bool {
        if reply.status != 409 {
            return false;
        }
        assert!(self.place.is_some(), "{}", reply.text);
        assert_eq!(
            reply.json(),
            json!([{"headers": {"control": "must-refetch"}}])
        );
        self.place = None;
        self.is_live = false;
        self.listening = None;
        self.rows.clear();
        self.last = (0, 0);
        true
    }

    /// Listens until it is told that this place is reached; says whether it was.
    async fn listen(&mut self, head: u64) -> bool {
        if self.listening.is_none() {
            let path = format!("/v1/shape?{}", self.query("&live=true&live_sse=true"));
            let request = self.s.server.request(Method::GET, &path, &self.s.token);
            let response = request.send().await.expect("the server answers");
            if response.status() != 200 {
                return false;
            }
            self.listening = Some(Listening {
                response,
                unread: String::new(),
                held: Vec::new(),
            });
        }
        while let Some(listening) = &mut self.listening {
            if let Some((event, rest)) = listening.unread.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                listening.unread = rest;
                if self.heard(&event) >= Some(head) {
                    return true;
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, listening.response.chunk());
            match chunk
                .await
                .expect("a stream says something")
                .expect("a whole answer")
            {
                Some(chunk) => {
                    let text = std::str::from_utf8(&chunk).expect("events end where texts do");
                    listening.unread.push_str(text);
                }
                None => self.listening = None,
            }
        }
        false
    }

    /// Takes an event; gives the place that it is up to date with, if it says so.
    fn heard(&mut self, event: &str) -> Option<u64> {
        let message = event.strip_prefix("data: ")?;
        let message: Value = serde_json::from_str(message).expect("a message");
        let listening = self.listening.as_mut()?;
        let Some(lsn) = message["headers"]["global_last_seen_lsn"].as_str() else {
            listening.held.push(message);
            return None;
        };
        for held in std::mem::take(&mut listening.held) {
            self.apply(&held);
        }
        if let Some(place) = &mut self.place {
            place.offset = format!("{lsn}_inf");
        }
        lsn.parse().ok()
    }

    fn apply(&mut self, message: &Value) {
        let Some(key) = message["key"].as_str() else {
            assert!(control(message).is_some(), "{message}");
            return;
        };
        let headers = &message["headers"];
        if let Some(lsn) = headers["lsn"].as_str() {
            let lsn: u64 = lsn.parse().expect("a number");
            let place = (lsn, headers["op_position"].as_u64().expect("a number") + 1);
            assert!(
                place > self.last,
                "told again after {:?}, {:?}: {message}",
                self.last,
                self.way
            );
            assert_eq!(headers["txids"], json!([lsn]), "{message}");
            self.last = place;
            self.changes += 1;
        }
        let value = message["value"].as_object().expect("a row");
        let id = value["id"].as_str().expect("each names its row");
        assert_eq!(
            key,
            format!("\"public\".\"things\"/\"{}\"", id.replace('/', "//"))
        );
        let old = message["old_value"].as_object();
        match headers["operation"].as_str() {
            Some("insert") => {
                let before = self.rows.insert(key.to_owned(), value.clone());
                assert_eq!(before, None, "inserted twice: {message}");
            }
            Some("update") => {
                let row = self.rows.get_mut(key);
                let row = row.unwrap_or_else(|| panic!("an update of nothing: {message}"));
                assert_eq!(old.is_some(), self.shape.is_full, "{message}");
                for (name, was) in old.into_iter().flatten() {
                    assert_eq!(row[name], *was, "{message}");
                    assert_ne!(value[name], *was, "{message}");
                }
                if self.shape.is_full {
                    assert_eq!(row.len(), value.len(), "{message}");
                }
                row.extend(value.clone());
            }
            Some("delete") => {
                let before = self.rows.remove(key);
                let before = before.unwrap_or_else(|| panic!("a delete of nothing: {message}"));
                if self.shape.is_full {
                    assert_eq!(*value, before, "{message}");
                }
            }
            other => panic!("{other:?}: {message}"),
        }
    }

    /// The rows of the condition as a subset of all.
    pub(super) async fn subset(&self) -> Rows {
        let Condition { text, parameter } = &self.shape.condition;
        let mut pairs = vec![
            ("table", "things".to_owned()),
            ("log", "changes_only".to_owned()),
            ("offset", "now".to_owned()),
            ("subset__where", text.clone()),
        ];
        if let Some(value) = parameter {
            pairs.push(("subset__params", json!({"1": value}).to_string()));
        }
        let answer = self.s.ask(&encoded(&pairs)).await.expect(200);
        let rows = answer["data"].as_array().expect("rows").iter();
        rows.map(|message| {
            let row = message["value"].as_object().expect("a row").clone();
            (row["id"].as_str().expect("a key").to_owned(), alike(row))
        })
        .collect()
    }

    /// Has its shape deleted.
    pub(super) async fn delete(&self) {
        let path = format!("/v1/shape?{}", self.shape.query);
        let request = self.s.server.request(Method::DELETE, &path, &self.s.token);
        let reply = Reply::of(request).await;
        assert!(matches!(reply.status.as_u16(), 202 | 404), "{}", reply.text);
    }
}

fn control(message: &Value) -> Option<&str> {
    message["headers"]["control"].as_str()
}
