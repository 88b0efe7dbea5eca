//! Who may do what, by their role in the tenant or on a record.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;

use super::{App, LEDGER};

/// Gives each write a name of its own.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// What each role may do with a person, by every way to write.
#[tokio::test]
async fn each_role_writes_what_it_may_by_every_way() {
    let app = App::of(LEDGER).await;
    let owner = app.member("olga", Role::Owner);
    for role in Role::ALL {
        let token = app.member("ada", role);
        let (may_make, may_badge) = (role > Role::Viewer, role == Role::Owner);
        for (what, values, may) in [
            ("a field of a group", json!({"name": "n"}), may_make),
            ("an owner's field", json!({"badge": "b"}), may_badge),
            ("a field of no group", json!({"other": "o"}), may_make),
        ] {
            let fresh = json!({"id": "p", "name": "one", "joined": "2021-01-01"});
            app.post(&owner, "/api/people", fresh).await.expect(201);
            let verdict = app.verdicts(&token, &values).await;
            let expected = if may { "accepted" } else { "refused" };
            assert_eq!(verdict, [expected; 4], "{role} writes {what}");
            let gone = app.delete(&token, "/api/people/p").await;
            let expected = if may_make { 204 } else { 403 };
            assert_eq!(gone.status, expected, "{role} deletes");
            app.delete(&owner, "/api/people/p").await;
        }
    }
}

impl App {
    /// What becomes of a change of `p` by PATCH, PUT, `/api/writes`, and of a new person with it.
    async fn verdicts(&self, token: &str, values: &Value) -> [&'static str; 4] {
        let verdict = |ok| if ok { "accepted" } else { "refused" };
        let status = |status: u16| match status {
            200 | 201 => verdict(true),
            403 => verdict(false),
            other => panic!("{other}"),
        };
        let mut put = json!({"name": "put", "joined": "2021-01-01"});
        let mut new = json!({"id": "q", "name": "new"});
        for (name, value) in values.as_object().unwrap() {
            put[name] = json!(format!("{}!", value.as_str().unwrap()));
            new[name] = value.clone();
        }
        let put = self.send(token, Method::PUT, "/api/people/p", put).await;
        let patched = self.patch(token, "/api/people/p", values.clone()).await;
        let made = self.post(token, "/api/people", new).await;
        self.delete(token, "/api/people/q").await;
        let mut other = values.clone();
        for value in other.as_object_mut().unwrap().values_mut() {
            *value = json!(format!("{}?", value.as_str().unwrap()));
        }
        let write = json!({"entity": "people", "id": "p", "action": "update", "values": other});
        let name = format!("write-{}", WRITES.fetch_add(1, SeqCst));
        let written = self.writes(token, &[(&*name, write)]).await;
        [
            status(put.status.as_u16()),
            status(patched.status.as_u16()),
            status(made.status.as_u16()),
            verdict(written[0]["status"] == "accepted"),
        ]
    }

    /// Gives a user a role on an account.
    pub(super) async fn shares(&self, token: &str, user: &str, account: &str, role: &str) {
        let id = format!("{user}-{account}");
        let membership = json!({"id": id, "user_id": user, "account_id": account, "role": role});
        self.post(token, "/api/memberships", membership)
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn every_row_tells_the_role_of_who_asks() {
    let app = App::of(LEDGER).await;
    let owner = app.member("olga", Role::Owner);
    app.post(&owner, "/api/people", json!({"id": "p", "name": "one"}))
        .await
        .expect(201);
    for role in Role::ALL {
        let token = app.member("ada", role);
        let shown = app.get(&token, "/api/people/p").await.expect(200);
        let listed = app.get(&token, "/api/people").await.expect(200);
        assert_eq!(
            (&shown["_role"], &listed[0]["_role"]),
            (&json!(role), &json!(role))
        );
    }
    let none = app.token("nobody");
    let shown = app.get(&none, "/api/people/p").await.expect(200);
    assert_eq!(shown["_role"], "editor", "who has no role is an editor");
}

#[tokio::test]
async fn a_viewer_writes_no_op_though_nothing_would_change() {
    let app = App::of(LEDGER).await;
    let owner = app.member("olga", Role::Owner);
    let person = json!({"id": "p", "name": "one"});
    app.post(&owner, "/api/people", person).await.expect(201);
    let viewer = app.member("vi", Role::Viewer);
    for body in [json!({}), json!({"name": "one"})] {
        app.patch(&viewer, "/api/people/p", body)
            .await
            .refused(403, "forbidden");
    }
    let history = app.get(&owner, "/api/records/people/p/history").await;
    let history = history.expect(200);
    assert_eq!(history["entries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_membership_gives_sight_and_role_whatever_the_role_in_the_tenant() {
    let app = App::of(LEDGER).await;
    let olga = app.member("olga", Role::Owner);
    app.shares(&olga, "olga", "one", "owner").await;
    app.shares(&olga, "vi", "one", "viewer").await;
    app.shares(&olga, "ed", "one", "editor").await;
    let all = "/api/accounts/one/bookings";
    let one = "/api/accounts/one/bookings/b";
    let booking = json!({"id": "b", "text": "first", "margin": "m"});
    app.post(&olga, all, booking).await.expect(201);
    let change = json!({"text": "second"});

    let stranger = app.member("mallory", Role::Owner);
    app.get(&stranger, one).await.refused(404, "not_found");
    assert_eq!(
        app.get(&stranger, all).await.expect(200)["items"],
        json!([])
    );
    app.patch(&stranger, one, change.clone())
        .await
        .refused(404, "not_found");
    app.delete(&stranger, one).await.refused(404, "not_found");
    app.post(&stranger, all, json!({"id": "c", "text": "x"}))
        .await
        .refused(403, "forbidden");

    let viewer = app.member("vi", Role::Owner);
    let shown = app.get(&viewer, one).await.expect(200);
    assert_eq!(
        (&shown["_role"], shown.get("margin")),
        (&json!("viewer"), None)
    );
    app.patch(&viewer, one, change.clone())
        .await
        .refused(403, "forbidden_field");
    app.delete(&viewer, one).await.refused(403, "forbidden");

    let editor = app.member("ed", Role::Viewer);
    let changed = app.patch(&editor, one, change).await.expect(200);
    assert_eq!(
        (&changed["_role"], &changed["text"], changed.get("margin")),
        (&json!("editor"), &json!("second"), None)
    );
    let listed = app.get(&olga, all).await.expect(200);
    assert_eq!(listed["items"][0]["margin"], "m");
}
