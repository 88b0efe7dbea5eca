//! A canary in every field that is kept from a role, and every way on which it could get out.

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

/// Its roles are by membership; in the tenant everybody who asks is an owner.
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
        let mut change = json!({kept.open: format!("n{}", super::now().as_millis())});
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

#[tokio::test]
async fn a_field_that_a_role_may_not_read_gets_out_on_no_way() {
    let server = start_with(|config| {
        config.shapes.stream = Duration::from_millis(300);
    })
    .await;
    let app = App { server };
    app.apply(LEDGER).await;
    let olga = app.member("olga", Role::Owner);
    app.shares(&olga, "olga", "one", "owner").await;
    for kept in [PERSON, BOOKING] {
        let mut record = json!({"id": kept.id, kept.open: "first"});
        for (field, _) in kept.fields {
            record[*field] = json!(canary(field));
        }
        app.post(&olga, kept.all, record).await.expect(201);
    }
    for role in Role::ALL {
        let person = app.member(&format!("tenant-{role}"), role);
        let booker = format!("member-{role}");
        app.shares(&olga, &booker, "one", role.as_str()).await;
        let booker = app.member(&booker, Role::Owner);
        for (token, kept) in [(person, PERSON), (booker, BOOKING)] {
            for (way, text) in app.ways(&token, &kept).await {
                for (field, readers) in kept.fields {
                    let may = readers.contains(&role);
                    let sings = text.contains(&canary(field));
                    let place = format!("{} of {} by {way} to {role}: {text}", field, kept.entity);
                    assert!(may || !sings, "{place}");
                    // A list by membership keeps columns from all that some role may not read.
                    assert!(
                        sings || !may || !SINGING.contains(&way),
                        "nothing of {place}"
                    );
                }
            }
        }
    }
}
