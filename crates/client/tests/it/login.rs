//! Tokens: whose they are, and what happens when they end.

use std::path::Path;

use syncline_client::{AskError, Phase, SyncEnd, SyncSettings, sync_once, whoami};
use syncline_model::{TenantId, Timestamp};
use syncline_replica::LaterWords;
use syncline_server::{AuthMode, NewToken, ServeConfig, TokenRandom, issue_token};
use syncline_store::control::{ControlFile, DataDirectory, Rights, TokenId};

use crate::house::{Machine, PATIENCE, Server, free_address, open, remote, until, until_equal};

/// A server that asks for tokens.
pub(crate) struct Guarded {
    pub(crate) server: Server,
    control: ControlFile,
    issued: u8,
}

impl Guarded {
    pub(crate) fn start(data: &Path) -> Self {
        let config = ServeConfig::new(data, AuthMode::Token { jwt: None });
        let server = Server::start_with(config, free_address());
        let control = ControlFile::open(&DataDirectory::open(data).unwrap()).unwrap();
        Self {
            server,
            control,
            issued: 0,
        }
    }

    pub(crate) fn token(&mut self, tenant: &str, user: &str, rights: Rights) -> (String, TokenId) {
        self.issued += 1;
        let random = TokenRandom {
            secret: [self.issued; 32],
            id: [self.issued; 16],
        };
        let token = NewToken {
            tenant: tenant.parse().unwrap(),
            user: user.parse().unwrap(),
            rights,
            expires_at: None,
        };
        let (secret, record) = issue_token(&self.control, token, random, now()).unwrap();
        (secret.reveal().to_owned(), record.id)
    }

    fn revoke(&self, id: TokenId) {
        self.control.revoke_token(None, id, now()).unwrap();
    }

    pub(crate) fn settings(&self, token: &str) -> SyncSettings {
        SyncSettings::On(remote(&self.server.endpoint(), Some(token)))
    }
}

fn now() -> Timestamp {
    "2026-11-21T00:00:00Z".parse().unwrap()
}

#[test]
fn whoami_says_whose_a_token_is() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Guarded::start(&home.path().join("server"));
    let (token, _) = server.token("acme", "ada", Rights::Read);
    let member = whoami(&remote(&server.server.endpoint(), Some(&token)), PATIENCE).unwrap();
    assert_eq!(
        (member.tenant.as_str(), member.user.as_str()),
        ("acme", "ada")
    );
    assert_eq!((member.rights.as_str(), member.expires_at), ("read", None));
    let error = whoami(&remote(&server.server.endpoint(), None), PATIENCE).unwrap_err();
    assert!(
        matches!(&error, AskError::Refused { error, .. } if error.code.as_str() == "unauthorized"),
        "{error:?}"
    );
}

#[test]
fn a_revoked_token_stops_sync_and_a_new_login_resumes_the_outbox() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Guarded::start(&home.path().join("server"));
    let (first, id) = server.token("acme", "ada", Rights::Sync);
    let (other, _) = server.token("acme", "bob", Rights::Sync);
    let mut laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        server.settings(&first),
    );
    let mut desktop = Machine::start(
        "desktop",
        &home.path().join("desktop"),
        server.settings(&other),
    );
    laptop.write();
    until_equal(&mut [&mut laptop, &mut desktop]);

    server.revoke(id);
    until("the laptop is logged out", || {
        laptop.sync.status().phase == Phase::LoggedOut
    });
    laptop.write();
    laptop.write();
    let outcome = laptop.sync.sync_now(PATIENCE);
    assert!(matches!(outcome.end, SyncEnd::Failed(failure) if failure.code == "unauthorized"));
    assert_eq!((outcome.pending, outcome.quarantined), (2, 0));

    let (second, _) = server.token("acme", "ada", Rights::Sync);
    laptop.sync.configure(server.settings(&second));
    until_equal(&mut [&mut laptop, &mut desktop]);
    assert_eq!(desktop.texts().len(), 3);
}

#[test]
fn what_waits_when_another_user_logs_in_is_kept_for_a_person_and_sent_when_retried() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Guarded::start(&home.path().join("server"));
    let (ada, id) = server.token("acme", "ada", Rights::Sync);
    let (bob, _) = server.token("acme", "bob", Rights::Sync);
    let mut laptop = Machine::start("laptop", &home.path().join("laptop"), server.settings(&ada));
    laptop.write();
    laptop.sync();
    server.revoke(id);
    until("the laptop is logged out", || {
        laptop.sync.status().phase == Phase::LoggedOut
    });
    let as_ada = laptop.write();
    laptop.sync.configure(server.settings(&bob));
    let mut desktop = Machine::start(
        "desktop",
        &home.path().join("desktop"),
        server.settings(&bob),
    );
    let as_bob = laptop.write();
    until_equal(&mut [&mut laptop, &mut desktop]);
    let kept = laptop.replica.quarantined().unwrap();
    assert_eq!((kept.len(), kept[0].code.as_str()), (1, "foreign_actor"));
    assert_eq!(desktop.texts().last(), Some(&as_bob));
    laptop
        .replica
        .retry_quarantined(&[kept[0].id], LaterWords::Stay)
        .unwrap();
    until_equal(&mut [&mut laptop, &mut desktop]);
    assert_eq!(desktop.texts().last(), Some(&as_ada));
}

#[test]
fn a_token_of_another_tenant_is_refused_and_nothing_is_sent() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Guarded::start(&home.path().join("server"));
    let (acme, _) = server.token("acme", "ada", Rights::Sync);
    let (other, _) = server.token("rival", "eve", Rights::Sync);
    let mut laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        server.settings(&acme),
    );
    laptop.write();
    laptop.sync();
    laptop.sync.configure(server.settings(&other));
    until("it is refused", || {
        laptop.sync.status().phase == Phase::OtherTenant
    });
    laptop.write();
    let outcome = laptop.sync.sync_now(PATIENCE);
    let SyncEnd::Failed(failure) = outcome.end else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.code, "other_tenant");
    assert!(
        failure.message.contains("acme") && failure.message.contains("rival"),
        "{failure:?}"
    );
    assert_eq!(outcome.pending, 1);

    let mut spy = Machine::start("spy", &home.path().join("spy"), server.settings(&other));
    spy.until_live();
    assert_eq!(spy.texts(), Vec::<String>::new());

    laptop.sync.configure(server.settings(&acme));
    laptop.sync();
    assert_eq!(
        laptop.replica.status().unwrap().member.unwrap().0,
        TenantId::new("acme").unwrap()
    );
}

#[test]
fn a_token_that_may_only_read_pulls_and_keeps_what_is_written() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Guarded::start(&home.path().join("server"));
    let (sync, _) = server.token("acme", "ada", Rights::Sync);
    let (read, _) = server.token("acme", "bob", Rights::Read);
    let mut laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        server.settings(&sync),
    );
    let mut reader = Machine::start(
        "reader",
        &home.path().join("reader"),
        server.settings(&read),
    );
    let first = laptop.write();
    until("the reader has it", || reader.texts() == [first.as_str()]);
    reader.write();
    let outcome = reader.sync.sync_now(PATIENCE);
    assert!(
        matches!(&outcome.end, SyncEnd::Failed(failure) if failure.code == "forbidden"),
        "{outcome:?}"
    );
    assert_eq!((outcome.pending, outcome.quarantined), (1, 0));
    let second = laptop.write();
    until("the reader goes on to read", || {
        reader.texts() == [first.as_str(), second.as_str(), "reader 1"]
    });
    // More rights resume what waits.
    let (more, _) = server.token("acme", "bob", Rights::Sync);
    reader.sync.configure(server.settings(&more));
    until_equal(&mut [&mut laptop, &mut reader]);
}

#[test]
fn no_token_where_one_is_asked_for_is_a_failure_that_says_so() {
    let home = tempfile::tempdir().unwrap();
    let server = Guarded::start(&home.path().join("server"));
    let laptop = open(&home.path().join("laptop"));
    let remote = remote(&server.server.endpoint(), None);
    let (laptop, outcome) = sync_once(laptop, remote, PATIENCE).unwrap();
    assert!(matches!(outcome.end, SyncEnd::Failed(failure) if failure.code == "unauthorized"));
    assert!(laptop.has_pending().is_ok_and(|pending| !pending));
}
