//! A canary in every field that is kept from a role, and every way on which it could get out.
//!
//! The field that everybody reads who sees the record holds one as well: it is kept from who does not.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;

use super::{App, LEDGER};
use crate::support::{PATIENCE, Reply, start_with};

/// A record with canaries, and who may see them.
pub(super) struct Kept {
    pub(super) entity: &'static str,
    pub(super) all: &'static str,
    pub(super) id: &'static str,
    /// A field that everybody reads, and each that is kept from some role, with the roles that read it.
    pub(super) open: &'static str,
    pub(super) fields: &'static [(&'static str, &'static [Role])],
}

const PERSON: Kept = Kept {
    entity: "people",
    all: "/api/people",
    id: "p",
    open: "name",
    fields: &[
        ("salary", &[Role::Owner]),
        ("diary", &[Role::Editor, Role::Owner]),
        // Requests have it, and records don't.
        ("password", &[]),
    ],
};

/// Its roles are by membership, and who has none sees no such record; in the tenant everybody who asks
/// is an owner.
const BOOKING: Kept = Kept {
    entity: "bookings",
    all: "/api/accounts/one/bookings",
    id: "b",
    open: "text",
    fields: &[("margin", &[Role::Owner])],
};

pub(super) fn canary(field: &str) -> String {
    format!("canary-{field}")
}

impl Kept {
    fn one(&self) -> String {
        format!("{}/{}", self.all, self.id)
    }

    fn write(&self, action: &str, values: Value, base: Value) -> Value {
        json!({"entity": self.entity, "id": self.id, "action": action, "values": values, "base": base})
    }

    /// A change of every field that is kept, by a writer who has seen something else.
    fn late(&self, text: &str) -> (Value, Value) {
        let fields = self.fields.iter();
        let values = fields
            .clone()
            .map(|(field, _)| ((*field).to_owned(), json!(text)));
        let base = fields.map(|(field, _)| ((*field).to_owned(), json!("seen before")));
        (values.collect(), base.collect())
    }
}

/// What a way out has let through, by its name.
pub(super) type Out = (&'static str, String);

impl App {
    async fn way(&self, request: reqwest::RequestBuilder) -> String {
        let reply = Reply::of(request).await;
        format!("{} {:?} {}", reply.status, reply.headers, reply.text)
    }

    pub(super) async fn ways(&self, token: &str, kept: &Kept) -> Vec<Out> {
        let mut out = self.ways_of_rest(token, kept).await;
        out.extend(self.ways_of_shapes(token, kept).await);
        out.extend(self.ways_of_the_log(token).await);
        out.extend(self.ways_of_writes(token, kept).await);
        out
    }

    pub(super) async fn ways_of_rest(&self, token: &str, kept: &Kept) -> Vec<Out> {
        let get = async |path: String| {
            self.way(self.server.request(Method::GET, &path, token))
                .await
        };
        let (all, one) = (kept.all, kept.one());
        let mut out = vec![
            ("get", get(one.clone()).await),
            ("list", get(all.to_owned()).await),
            (
                "page",
                get(format!("{all}?limit=1&order={}", kept.open)).await,
            ),
            (
                "history",
                get(format!("/api/records/{}/{}/history", kept.entity, kept.id)).await,
            ),
            ("schema", get("/api/schema".to_owned()).await),
            ("search", get("/api/search?q=canary".to_owned()).await),
            ("status", get("/sync/status".to_owned()).await),
        ];
        for (field, _) in kept.fields {
            out.push(("order", get(format!("{all}?order={field}&limit=1")).await));
            out.push((
                "filter",
                get(format!("{all}?{field}__contains=canar")).await,
            ));
            out.push(("test", get(format!("{all}?{field}__gt=a")).await));
        }
        out
    }

    pub(super) async fn ways_of_shapes(&self, token: &str, kept: &Kept) -> Vec<Out> {
        let ask = async |query: &str| {
            let path = format!("/v1/shape?table={}&{query}", kept.entity);
            Reply::of(self.server.request(Method::GET, &path, token)).await
        };
        let shown = |reply: &Reply| format!("{} {:?} {}", reply.status, reply.headers, reply.text);
        let first = ask("offset=-1").await;
        let mut out = vec![("shape", shown(&first))];
        let (handle, offset) = (
            first.header("electric-handle"),
            first.header("electric-offset"),
        );
        let next = format!("handle={handle}&offset={offset}&live=true");
        self.touch(kept).await;
        out.push(("long poll", shown(&ask(&next).await)));
        out.push((
            "events",
            shown(&ask(&format!("{next}&live_sse=true")).await),
        ));
        out.push(("full", shown(&ask("offset=-1&replica=full").await)));
        let subset = format!(
            "handle={handle}&offset={offset}&subset__where=true&subset__order_by=id&subset__limit=9"
        );
        out.push(("subset", shown(&ask(&subset).await)));
        for (field, _) in kept.fields {
            out.push((
                "where",
                shown(&ask(&format!("offset=-1&where={field}%20LIKE%20%27canar%25%27")).await),
            ));
            out.push((
                "columns",
                shown(&ask(&format!("offset=-1&columns=id,{field}")).await),
            ));
            let subset = format!("offset=now&subset__where={field}%20LIKE%20%27c%25%27");
            out.push(("subset where", shown(&ask(&subset).await)));
        }
        out
    }

    /// Writes the record anew, as its owner: what waits hears of it.
    async fn touch(&self, kept: &Kept) {
        let owner = self.member("olga", Role::Owner);
        let open = format!("{}-{}", canary(kept.open), super::now().as_millis());
        let mut change = json!({kept.open: open});
        for (field, _) in kept.fields {
            change[*field] = json!("between");
        }
        self.patch(&owner, &kept.one(), change.clone())
            .await
            .expect(200);
        for (field, _) in kept.fields {
            change[*field] = json!(canary(field));
        }
        self.patch(&owner, &kept.one(), change).await.expect(200);
    }

    pub(super) async fn ways_of_the_log(&self, token: &str) -> Vec<Out> {
        let get = |path: &str| self.server.request(Method::GET, path, token);
        let file = get("/sync/bootstrap").header("accept", "application/vnd.sqlite3");
        let mut out = vec![
            ("pull", self.way(get("/sync/pull")).await),
            ("bootstrap", self.way(get("/sync/bootstrap")).await),
            ("bootstrap file", self.way(file).await),
        ];
        let mut stream = get("/sync/stream?since=0").send().await.unwrap();
        let mut text = String::new();
        while !text.contains("\ndata: ") || !text.ends_with("\n\n") {
            let chunk = tokio::time::timeout(PATIENCE, stream.chunk());
            let chunk = chunk.await.unwrap().unwrap().unwrap();
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
        out.push(("stream", text));
        out
    }

    /// Writes that conflict, break a rule, come twice, or meet what is there.
    async fn ways_of_writes(&self, token: &str, kept: &Kept) -> Vec<Out> {
        let send = |method, path: &str, body: &Value| {
            self.way(self.server.request(method, path, token).json(body))
        };
        let one = kept.one();
        let (mut late, base) = kept.late("mine");
        let queued = json!({"transactions": [{"write_id": format!("{}-{token}", kept.entity),
            "writes": [kept.write("update", late.clone(), base.clone())]}]});
        late["_base"] = base;
        let broken: Value = kept
            .fields
            .iter()
            .map(|(field, _)| ((*field).to_owned(), json!([1])))
            .collect();
        let mut twice = json!({"id": kept.id, kept.open: "x"});
        let named = format!("/api/writes/{}-{token}", kept.entity);
        let mut out = vec![
            ("conflict", send(Method::PATCH, &one, &late).await),
            ("queue", send(Method::POST, "/api/writes", &queued).await),
            (
                "queue again",
                send(Method::POST, "/api/writes", &queued).await,
            ),
            (
                "write",
                self.way(self.server.request(Method::GET, &named, token))
                    .await,
            ),
            ("validation", send(Method::PATCH, &one, &broken).await),
            ("create", send(Method::POST, kept.all, &twice).await),
            (
                "change",
                send(Method::PATCH, &one, &json!({kept.open: "x"})).await,
            ),
        ];
        let stale = self.server.request(Method::PATCH, &one, token);
        let stale = stale.header("if-match", "\"0\"").json(&json!({}));
        out.push(("stale", self.way(stale).await));
        twice["id"] = Value::Null;
        out.push(("put", send(Method::PUT, &one, &twice).await));
        self.touch(kept).await;
        out.push((
            "delete",
            send(Method::DELETE, &format!("{one}-none"), &json!({})).await,
        ));
        out
    }
}

/// Ways on which whoever may read a field gets it, so that a canary kept there is one that could sing.
const SINGING: [&str; 14] = [
    "get",
    "list",
    "page",
    "history",
    "shape",
    "long poll",
    "events",
    "full",
    "subset",
    "pull",
    "bootstrap",
    "bootstrap file",
    "stream",
    "change",
];

/// Who asks for a record; without a role, none of its rows is theirs.
struct Reader {
    token: String,
    role: Option<Role>,
}

impl Reader {
    fn may_read(&self, readers: &[Role]) -> bool {
        self.role.is_some_and(|role| readers.contains(&role))
    }

    /// Whether a field that they may read is in what this way gives them.
    fn hears(&self, way: &str, field: &str, kept: &Kept) -> bool {
        // An answer to a change of the open field holds what it was changed to.
        SINGING.contains(&way) && (way != "change" || field != kept.open)
    }
}

impl App {
    /// A tenant of this document, with a record of each of these, canaries in all its fields.
    async fn with_canaries(document: &str, all: &[Kept]) -> Self {
        let server = start_with(|config| {
            // Who hears of nothing waits no longer than it takes.
            config.shapes.long_poll = Duration::from_millis(300);
            config.shapes.stream = Duration::from_millis(300);
        });
        let app = Self {
            server: server.await,
        };
        app.apply(document).await;
        let olga = app.member("olga", Role::Owner);
        if document == LEDGER {
            app.shares(&olga, "olga", "one", "owner").await;
        }
        for kept in all {
            let mut record = json!({"id": kept.id, kept.open: canary(kept.open)});
            for (field, _) in kept.fields {
                record[*field] = json!(canary(field));
            }
            app.post(&olga, kept.all, record).await.expect(201);
        }
        app
    }

    /// Holds every way out against what the reader may read; gives what came by each.
    async fn judge(&self, reader: &Reader, kept: &Kept) -> Vec<Out> {
        let ways = self.ways(&reader.token, kept).await;
        let everybody: &[Role] = &Role::ALL;
        let open = (kept.open, everybody);
        for (way, text) in &ways {
            for (field, readers) in kept.fields.iter().copied().chain([open]) {
                let may = reader.may_read(readers);
                let sings = text.contains(&canary(field));
                let (entity, role) = (kept.entity, reader.role);
                let place = format!("{field} of {entity} by {way} to {role:?}: {text}");
                assert!(may || !sings, "{place}");
                let should = may && reader.hears(way, field, kept);
                assert!(sings || !should, "nothing of {place}");
            }
        }
        ways
    }
}

#[tokio::test]
async fn a_field_that_a_role_may_not_read_gets_out_on_no_way() {
    let app = App::with_canaries(LEDGER, &[PERSON, BOOKING]).await;
    let olga = app.token("olga");
    for role in Role::ALL {
        let token = app.member(&format!("tenant-{role}"), role);
        let role = Some(role);
        app.judge(&Reader { token, role }, &PERSON).await;
    }
    // A list by membership keeps columns from all that some role may not read.
    for role in Role::ALL.map(Some).into_iter().chain([None]) {
        let name = role.map_or("nobody".to_owned(), |role| format!("member-{role}"));
        if let Some(role) = role {
            app.shares(&olga, &name, "one", role.as_str()).await;
        }
        let token = app.member(&name, Role::Owner);
        app.judge(&Reader { token, role }, &BOOKING).await;
    }
}

/// The document without what is seen by membership: its owners see everything, and so get the log as a file.
fn people_alone() -> String {
    let (before, rest) = LEDGER.split_once("  /api/memberships:").unwrap();
    let (_, after) = rest.split_once("components:").unwrap();
    format!("{before}components:{after}")
}

#[tokio::test]
async fn the_prepared_file_goes_to_who_sees_everything_and_to_nobody_else() {
    let app = App::with_canaries(&people_alone(), &[PERSON]).await;
    // Theirs comes first, so that it is there when others ask; who has no role of their own is an editor.
    let roles = [Role::Owner, Role::Editor, Role::Viewer].map(Some);
    for role in roles.into_iter().chain([None]) {
        let user = role.map_or("somebody".to_owned(), |role| role.to_string());
        let token = match role {
            Some(role) => app.member(&user, role),
            None => app.token(&user),
        };
        let reader = Reader {
            token,
            role: Some(role.unwrap_or(Role::Editor)),
        };
        let ways = app.judge(&reader, &PERSON).await;
        let file = ways.iter().find(|(way, _)| *way == "bootstrap file");
        let (_, file) = file.unwrap();
        let is_file = file.contains("application/vnd.sqlite3") && file.contains("SQLite format 3");
        assert_eq!(is_file, role == Some(Role::Owner), "{user}: {file}");
    }
    // Who sees less from now on gets no file that was made for them before.
    let token = app.member("owner", Role::Viewer);
    let role = Some(Role::Viewer);
    app.judge(&Reader { token, role }, &PERSON).await;
}
