use serde_json::json;

use crate::machine::Machine;
use crate::served::Server;

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
    let synced = machine.run(&["sync"]).done();
    assert_eq!(synced.stdout, "Syncing... 1 thread, 1 entry uploaded.\n");
    let read = machine
        .run(&["thread", "read", "plan", "--json"])
        .done()
        .json();
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

#[test]
fn stored_tokens_that_cannot_be_read_are_named_with_what_to_do() {
    let machine = Machine::new();
    machine.write_config("");
    let path = machine.config_file().with_file_name("credentials.toml");
    std::fs::write(&path, "no [ TOML").unwrap();
    let told = format!("move {} away, then syncline login", path.display());
    machine
        .run(&["logout"])
        .failed(1, "credentials_failed")
        .says(&told);
    // A write is done all the same.
    machine.run(&["config", "set", "auth", "token"]).done();
    machine
        .run(&["config", "set", "endpoint", "http://127.0.0.1:9"])
        .done();
    machine
        .run(&["thread", "new", "plan", "x"])
        .done()
        .says(&told);
}
