use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::served::{Server, serve, terminate};

#[test]
fn a_server_prints_one_line_and_drains_on_sigterm() {
    let machine = Machine::new();
    let mut command = machine.command(&["serve", "--data", "srv"]);
    command.env("PORT", "0").stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 64];
    let read = stdout.read(&mut first).unwrap();
    let line = String::from_utf8_lossy(&first[..read]).into_owned();
    assert!(
        line.starts_with("listening on http://127.0.0.1:") && line.ends_with('\n'),
        "{line:?}"
    );
    terminate(&child);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_keeps_a_server_from_starting_is_told_before_it_listens() {
    let server = Server::start();
    let address = server.url.strip_prefix("http://").unwrap();
    let machine = server.machine();
    let other = ["serve", "--listen", address, "--data", "other"];
    machine.run(&other).failed(1, "not_listening").says(address);
    let same_data = ["serve", "--listen", "127.0.0.1:0", "--data", "srv"];
    machine.run(&same_data).failed(1, "data_locked");
    let open = ["serve", "--listen", "0.0.0.0:0", "--data", "other"];
    machine
        .run(&open)
        .failed(1, "open_to_others")
        .says("--allow-open");
    machine
        .run(&["serve", "--listen", "nowhere"])
        .failed(1, "not_listening");
    machine.run(&["serve", "--listen", ":"]).failed(2, "usage");
    machine
        .run(&["serve", "--rate-limit", "0/0"])
        .failed(2, "usage");
    let no_audience = ["serve", "--auth", "token", "--jwt-key", "HS256:x"];
    machine.run(&no_audience).failed(2, "usage");
    let no_file = [
        "serve",
        "--auth",
        "token",
        "--jwt-key",
        "HS256:x",
        "--jwt-audience",
        "a",
        "--data",
        "o",
    ];
    machine.run(&no_file).failed(1, "key_unreadable");
    std::fs::write(machine.work_dir().join("x"), "short\n").unwrap();
    machine
        .run(&no_file)
        .failed(1, "auth_invalid")
        .says("fewer than 32");
}

#[test]
fn an_entry_that_was_pushed_here_is_there() {
    let server = Server::start();
    let (laptop, desktop) = (server.member("ada"), server.member("ben"));
    let made = laptop
        .run(&["thread", "new", "plan", "first", "--json"])
        .done()
        .json();
    assert_eq!(
        (&made["state"], &made["sequence_id"]),
        (&json!("acknowledged"), &json!(0))
    );
    desktop.run(&["sync"]).done().says("synced");
    let pushed = desktop
        .run(&["thread", "push", "plan", "second", "--json"])
        .done();
    assert_eq!(pushed.json()["sequence_id"], 1);
    pushed.says("synced: default/plan #1");
    laptop.run(&["sync", "now", "--json"]).done();
    let read = |machine: &Machine| {
        machine
            .run(&["thread", "read", "plan", "--json"])
            .done()
            .json()["entries"]
            .clone()
    };
    assert_eq!(read(&laptop), read(&desktop));
    assert_eq!(read(&laptop)[1]["state"], "acknowledged");
}

#[test]
fn a_server_that_is_down_fails_no_write_and_gets_it_later() {
    let server = Server::start();
    let machine = server.member("ada");
    machine
        .run(&["thread", "new", "plan", "first"])
        .done()
        .says("synced");
    let (url, stopped) = (server.url.clone(), server.stop());
    let pushed = machine
        .run(&["thread", "push", "plan", "second", "--json"])
        .done();
    assert_eq!(pushed.json()["state"], "pending");
    pushed.says("queued: default/plan (the server can't be reached");
    let status = machine.run(&["status", "--json"]).done().json();
    assert_eq!(
        (&status["pending"], &status["endpoint"]),
        (&json!(1), &json!(url))
    );
    assert_eq!(status["last_error"]["code"], "unreachable");
    assert!(status["oldest_pending_seconds"].is_u64());
    machine
        .run(&["sync", "now", "--timeout", "5"])
        .failed(1, "sync_failed")
        .says("1 change waiting in the outbox");
    machine.run(&["status"]).done();
    let command = stopped.machine.command(&[
        "serve",
        "--data",
        "srv",
        "--auth",
        "token",
        "--listen",
        url.trim_start_matches("http://"),
    ]);
    let (mut child, _) = serve(command);
    // At once, without waiting for the trouble to be forgotten.
    let pushed = machine
        .run(&["thread", "push", "plan", "third", "--json"])
        .done()
        .json();
    assert_eq!(pushed["sequence_id"], 2);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn status_has_its_promised_fields() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    let status = machine.run(&["status", "--json"]).done().json();
    for field in [
        "profile",
        "endpoint",
        "epoch",
        "cursor",
        "server_seq",
        "pending",
        "oldest_pending_seconds",
        "quarantined",
        "last_sync_at",
        "last_error",
    ] {
        assert!(status.get(field).is_some(), "{field}: {status}");
    }
    assert_eq!(status["cursor"]["server_seq"], 2);
    assert_eq!(status["cursor"]["mark"].as_str().unwrap().len(), 32);
    assert_eq!(
        (&status["server_seq"], &status["pending"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(
        (&status["tenant"], &status["user"]),
        (&json!("acme"), &json!("ada"))
    );
    assert_eq!(status["last_error"], Value::Null);
    let text = machine.run(&["status"]).done().stdout;
    assert!(text.starts_with("in sync"), "{text}");
    let text = machine.run(&["sync", "status"]).done().stdout;
    assert!(text.contains("\nSync: Enabled (last sync: 2"), "{text}");
    let pending = machine.run(&["sync", "pending", "--json"]).done().json();
    assert_eq!(pending["pending"], 0);
}

#[test]
fn without_an_endpoint_sync_is_off_and_says_what_to_type() {
    let machine = Machine::new();
    machine.run(&["sync"]).done().says("syncline login URL");
    let now = machine.run(&["sync", "now", "--json"]).done().json();
    assert_eq!((&now["state"], &now["pending"]), (&json!("off"), &json!(0)));
    let text = machine.run(&["sync", "status"]).done().stdout;
    assert!(text.contains("Sync: Disabled (last sync: never)"), "{text}");
    machine.run(&["whoami"]).failed(1, "no_endpoint");
    let status = machine.run(&["status", "--json"]).done().json();
    assert_eq!(
        (&status["epoch"], &status["server_seq"]),
        (&Value::Null, &Value::Null)
    );
    let off = [
        ("SYNCLINE_ENDPOINT", "http://127.0.0.1:9"),
        ("SYNCLINE_SYNC_ENABLED", "false"),
    ];
    machine
        .run_with(&off, &["sync"])
        .done()
        .says("sync is turned off");
    machine
        .run_with(&off, &["thread", "new", "t", "x"])
        .done()
        .says("sync is turned off");
}

#[test]
fn a_login_is_tried_stored_privately_and_forgotten() {
    let server = Server::start();
    let machine = Machine::new();
    let token = server.token("ada");
    let wrong = format!("sl_{}", "0".repeat(64));
    machine
        .run_on(&wrong, &["login", &server.url])
        .failed(1, "unauthorized")
        .says("nothing was stored");
    assert!(!machine.config_file().exists());
    let answer = machine
        .run_on(&token, &["login", &server.url, "--json"])
        .done();
    let who = answer.json();
    assert_eq!(
        (&who["tenant"], &who["user"], &who["rights"]),
        (&json!("acme"), &json!("ada"), &json!("sync"))
    );
    assert!(!format!("{}{}", answer.stdout, answer.stderr).contains(&token));
    let config = std::fs::read_to_string(machine.config_file()).unwrap();
    assert!(!config.contains(&token));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = machine.config_file().with_file_name("credentials.toml");
        assert_eq!(
            std::fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let who = machine.run(&["whoami", "--json"]).done().json();
    assert_eq!(who["user"], "ada");
    machine.run(&["logout"]).done().says("logged out");
    machine.run(&["logout"]).done().says("no token was stored");
    machine.run(&["whoami"]).failed(1, "unauthorized");
    assert_eq!(
        machine.run(&["config", "get", "endpoint"]).done().stdout,
        format!("{}\n", server.url)
    );
}

#[test]
fn a_login_without_a_server_or_a_token_stores_nothing() {
    let machine = Machine::new();
    machine
        .run_on("x", &["login", "http://127.0.0.1:1"])
        .failed(1, "server_unreachable");
    machine
        .run_on("", &["login", "http://127.0.0.1:1"])
        .failed(2, "token_invalid");
    machine.run_on("x", &["login"]).failed(2, "no_endpoint");
    machine
        .run_on("x", &["login", "ftp://h"])
        .failed(2, "endpoint_invalid");
    assert!(!machine.config_file().exists());
}

#[test]
fn an_environment_endpoint_and_token_are_used_and_never_stored() {
    let server = Server::start();
    let machine = Machine::new();
    let (first, second) = (server.token("ada"), server.token("ben"));
    let variables = [
        ("SYNCLINE_ENDPOINT", server.url.as_str()),
        ("SYNCLINE_TOKEN", &first),
    ];
    let who = machine
        .run_with(&variables, &["whoami", "--json"])
        .done()
        .json();
    assert_eq!(who["user"], "ada");
    let mut command = machine.command(&["login"]);
    let file = machine.home().join("token");
    std::fs::write(&file, &second).unwrap();
    command
        .envs(variables)
        .stdin(std::fs::File::open(&file).unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let config = std::fs::read_to_string(machine.config_file()).unwrap();
    assert_eq!(config, "[profiles.default]\nauth = \"token\"\n");
    let stored = machine.config_file().with_file_name("credentials.toml");
    let stored = std::fs::read_to_string(stored).unwrap();
    assert!(stored.contains(&second) && !stored.contains(&first));
    let flag = ["--token-file", file.to_str().unwrap(), "whoami", "--json"];
    let who = machine.run_with(&variables, &flag).done().json();
    assert_eq!(who["user"], "ben");
}

#[test]
fn a_stored_token_goes_only_where_it_was_stored_for() {
    let (first, second) = (Server::start(), Server::start());
    let machine = first.member("ada");
    machine.run(&["whoami"]).done();
    let elsewhere = ["--endpoint", &second.url, "whoami"];
    machine
        .run(&elsewhere)
        .failed(1, "unauthorized")
        .says("no credential");
}

#[test]
fn a_revoked_token_keeps_the_outbox_and_a_new_login_sends_it() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    let tokens = server
        .machine()
        .run(&["token", "list", "--data", "srv", "--json"])
        .done()
        .json();
    let id = tokens["tokens"][0]["id"].as_str().unwrap().to_owned();
    server
        .machine()
        .run(&["token", "revoke", "--data", "srv", &id])
        .done();
    let pushed = machine
        .run(&["thread", "push", "plan", "second", "--json"])
        .done()
        .json();
    assert_eq!(pushed["state"], "pending");
    machine
        .run(&["sync"])
        .failed(1, "sync_failed")
        .says("fix:   syncline login");
    server.log_in(&machine, "ada");
    machine.run(&["sync"]).done().says("synced: 1 change sent");
    let read = machine
        .run(&["thread", "read", "plan", "--json"])
        .done()
        .json();
    assert_eq!(read["entries"][1]["state"], "acknowledged");
}

#[test]
fn a_reset_asks_who_is_meant_and_keeps_what_was_not_sent() {
    let server = Server::start();
    let machine = server.member("ada");
    machine
        .run(&["sync", "reset", "--confirm", "acme"])
        .failed(1, "never_synced");
    machine
        .run(&["thread", "new", "plan", "first"])
        .done()
        .says("synced");
    machine.run(&["sync", "reset"]).failed(2, "not_confirmed");
    machine
        .run(&["sync", "reset", "--confirm", "other"])
        .failed(2, "not_confirmed");
    machine
        .run(&["sync", "reset", "--confirm", "acme"])
        .failed(1, "forbidden");
    let create = [
        "token", "create", "--data", "srv", "--tenant", "acme", "--user", "ada", "--right", "admin",
    ];
    let admin = server.machine().run(&create).done().stdout;
    machine.run_on(&admin, &["login"]).done();
    let off = [("SYNCLINE_SYNC_ENABLED", "false")];
    machine
        .run_with(&off, &["thread", "new", "kept", "x"])
        .done();
    let before = machine.run(&["status", "--json"]).done().json();
    let done = machine
        .run(&["sync", "reset", "--confirm", "acme", "--json"])
        .done()
        .json();
    assert_ne!(done["epoch"], before["epoch"]);
    machine.run(&["sync"]).done();
    let after = machine.run(&["status", "--json"]).done().json();
    assert_eq!(after["epoch"], done["epoch"]);
    let listing = machine.run(&["thread", "list", "--json"]).done().json();
    let keys: Vec<&Value> = listing["threads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["key"])
        .collect();
    assert_eq!(keys, [&json!("kept")]);
}

#[test]
fn the_doctor_sees_the_server_and_the_login() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    let check = |name: &str| {
        let report = machine.run(&["doctor", "--json"]).json();
        let checks = report["checks"].as_array().unwrap().clone();
        checks
            .into_iter()
            .find(|check| check["name"] == name)
            .unwrap()
    };
    for name in [
        "local_file",
        "tenant_file",
        "outbox",
        "server",
        "server_auth",
        "server_login",
    ] {
        let check = check(name);
        assert_eq!(check["state"], "ok", "{check}");
    }
    machine.run(&["doctor"]).done();
    machine.run(&["logout"]).done();
    assert_eq!(check("server_auth")["state"], "failed");
    let server = server.stop();
    let unreached = check("server");
    assert_eq!(unreached["state"], "failed");
    assert!(unreached["fix"].is_string());
    drop(server);
    machine
        .run(&["config", "set", "sync_enabled", "false"])
        .done();
    assert_eq!(check("server")["state"], "skipped");
}

#[test]
fn a_damaged_tenant_file_is_told_by_the_doctor_and_mended_by_use() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    let dir = machine
        .home()
        .join(".local/share/syncline/profiles/default");
    let tenant = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("tenant-") && name.ends_with(".db")
        })
        .unwrap();
    std::fs::write(
        &tenant,
        "not a database at all, but text of some length".repeat(100),
    )
    .unwrap();
    let report = machine.run(&["doctor", "--json"]).json();
    let checks = report["checks"].as_array().unwrap();
    let found = checks
        .iter()
        .find(|check| check["name"] == "tenant_file")
        .unwrap();
    assert_eq!(found["state"], "warning", "{found}");
    machine.run(&["sync"]).done();
    let read = machine
        .run(&["thread", "read", "plan", "--json"])
        .done()
        .json();
    assert_eq!(read["entries"][0]["content"], "first");
    let report = machine.run(&["doctor", "--json"]).done().json();
    let kept = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["name"] == "kept_files");
    assert_eq!(kept.unwrap()["state"], "warning");
}

#[test]
fn a_server_comes_back_with_what_it_had() {
    let server = Server::start();
    let machine = server.member("ada");
    machine
        .run(&["thread", "new", "plan", "first"])
        .done()
        .says("synced");
    let server = server.start_again();
    let fresh = server.member("ada");
    fresh.run(&["sync"]).done();
    let read = fresh
        .run(&["thread", "read", "plan", "--json"])
        .done()
        .json();
    assert_eq!(read["entries"][0]["content"], "first");
    fresh.run(&["thread", "search", "\"first", "--json"]).done();
}

#[test]
fn a_refused_change_waits_for_a_decision_and_nothing_says_synced() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    // Stamped by ada's actor, and offered by ben: the server takes it from ada alone.
    let off = [("SYNCLINE_SYNC_ENABLED", "false")];
    for text in ["second", "third"] {
        machine
            .run_with(&off, &["thread", "push", "plan", text])
            .done();
    }
    server.log_in(&machine, "ben");
    machine
        .run(&["sync"])
        .done()
        .says("2 changes refused")
        .says("synced: 0 changes sent");
    let status = machine.run(&["status"]).done().stdout;
    assert!(
        status.starts_with("2 changes refused, and waiting for you"),
        "{status}"
    );
    let read = machine
        .run(&["thread", "read", "plan", "--json"])
        .done()
        .json();
    let states: Vec<&Value> = read["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["state"])
        .collect();
    assert_eq!(states, ["acknowledged", "quarantined", "quarantined"]);

    let quarantine = |verb: &[&str]| machine.run(&[&["sync", "quarantine"], verb].concat());
    let held = quarantine(&["list", "--json"]).done().json();
    let held = held["quarantine"].as_array().unwrap().clone();
    assert_eq!(held.len(), 2);
    assert_eq!(held[0]["code"], "foreign_actor");
    assert!(
        held[0].get("payload").is_none(),
        "what was written is shown on request alone"
    );
    let [first, second] = [&held[0]["id"], &held[1]["id"]].map(ToString::to_string);
    let shown = quarantine(&["show", &first, "--json"]).done().json();
    assert_eq!(shown["payload"]["content"], "second");

    quarantine(&["retry", &first, "999"]).failed(1, "quarantine_unknown");
    let retried = quarantine(&["retry", &first, "--json"]).done().json();
    assert_eq!(retried["state"], "acknowledged");
    quarantine(&["drop", &second]).failed(2, "not_confirmed");
    let dropped = quarantine(&["drop", &second, "--yes", "--json"])
        .done()
        .json();
    assert_eq!(dropped["dropped"]["payload"]["content"], "third");
    quarantine(&["list"]).done().says("nothing was refused");
    quarantine(&["retry", "--all", "--json"]).done();
    quarantine(&["retry"]).failed(2, "usage");
    let read = machine
        .run(&["thread", "read", "plan", "--json"])
        .done()
        .json();
    assert_eq!(read["entries"].as_array().unwrap().len(), 2);
    assert_eq!(read["entries"][1]["state"], "acknowledged");
}

#[test]
fn a_profile_takes_no_login_of_another_tenant() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    let create = [
        "token", "create", "--data", "srv", "--tenant", "other", "--user", "ada",
    ];
    let other = server.machine().run(&create).done().stdout;
    machine
        .run_on(&other, &["login"])
        .failed(1, "other_tenant")
        .says("this profile holds tenant acme");
    machine.run(&["whoami"]).done();
    machine
        .run(&["config", "profiles", "create", "second"])
        .done();
    machine
        .run_on(&other, &["--profile", "second", "login", &server.url])
        .done();
    let list = machine
        .run(&["--profile", "second", "thread", "list", "--json"])
        .done();
    assert_eq!(
        list.json()["total"],
        0,
        "each profile has a replica of its own"
    );
}
