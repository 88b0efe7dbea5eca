//! A server that is told everything by its environment, as containers and units tell it.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::machine::Machine;
use crate::served::serve;
use crate::wire::{Reply, Wire};

const OPERATOR_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// How long a test waits for what should come at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that was told so, killed when dropped.
pub(crate) struct Told {
    child: Child,
    pub(crate) url: String,
}

impl Told {
    pub(crate) fn start(machine: &Machine, variables: &[(&str, &str)], flags: &[&str]) -> Self {
        let mut command = machine.command(&[&["serve"], flags].concat());
        command.envs(variables.iter().copied());
        let (child, url) = serve(command);
        Self { child, url }
    }

    fn get(&self, path: &str, token: &str) -> Reply {
        let address = self.url.strip_prefix("http://").unwrap().parse().unwrap();
        Wire::connect(address, token).unwrap().get(path).unwrap()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_token(machine: &Machine, mode: u32) -> String {
    let path = machine.home().join("metrics-token");
    std::fs::write(&path, format!("{OPERATOR_TOKEN}\n")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_server_can_be_told_everything_by_its_environment() {
    let machine = Machine::new();
    let token_file = write_token(&machine, 0o600);
    let variables = [
        ("SYNCLINE_LISTEN", "127.0.0.1:0"),
        ("SYNCLINE_SERVER_DATA", "told"),
        ("SYNCLINE_AUTH", "token"),
        ("SYNCLINE_HOSTS", "sync.example, other.example"),
        ("SYNCLINE_CONNECTIONS_MAX", "100"),
        ("SYNCLINE_METRICS_TOKEN_FILE", &token_file),
        ("SYNCLINE_BACKUP_TO", "backups"),
        // The port of an address without one; this one has one.
        ("PORT", "1"),
    ];
    let server = Told::start(&machine, &variables, &[]);
    assert_eq!(server.get("/health", "").body["auth_mode"], "token");
    assert!(machine.work_dir().join("told").is_dir());
    let deadline = Instant::now() + PATIENCE;
    while server.get("/health", "").body["last_verified_backup_at"].is_null() {
        assert!(Instant::now() < deadline, "no backup");
    }
    assert!(machine.work_dir().join("backups").is_dir());

    // The commands beside it are told the same, and need no flag.
    let create = ["token", "create", "--tenant", "acme", "--user", "ada"];
    let made = machine.run_with(&variables, &create).done();
    let token = made.stdout.trim();
    assert_eq!(server.get("/api/whoami", token).body["tenant"], "acme");

    // What is counted over all tenants is none of a tenant's business.
    assert_eq!(server.get("/metrics", token).status, 401);
    let metrics = server.get("/metrics", OPERATOR_TOKEN);
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.as_str().unwrap().contains("syncline_streams"));
}

#[test]
fn a_flag_goes_before_the_environment() {
    let machine = Machine::new();
    let variables = [
        ("SYNCLINE_LISTEN", "nowhere.invalid:1"),
        ("SYNCLINE_SERVER_DATA", "told"),
        ("SYNCLINE_AUTH", "token"),
    ];
    let flags = [
        "--listen",
        "127.0.0.1:0",
        "--data",
        "flagged",
        "--auth",
        "none",
    ];
    let server = Told::start(&machine, &variables, &flags);
    assert_eq!(server.get("/health", "").body["auth_mode"], "none");
    assert!(machine.work_dir().join("flagged").is_dir());
    assert!(!machine.work_dir().join("told").exists());
    // Nobody is asked for a token here, so nobody is for the metrics.
    assert_eq!(server.get("/metrics", "").status, 200);
}

#[test]
fn values_that_cannot_be_are_refused_by_name() {
    let machine = Machine::new();
    for (name, value) in [
        ("SYNCLINE_LISTEN", ":8080"),
        ("SYNCLINE_AUTH", "oauth"),
        ("PORT", "eighty"),
        ("SYNCLINE_CONNECTIONS_MAX", "0"),
    ] {
        machine
            .run_with(&[(name, value)], &["serve", "--data", "srv"])
            .failed(2, "environment_invalid")
            .says(name);
    }
}

#[test]
#[cfg(unix)]
fn more_connections_than_there_may_be_files_are_refused() {
    let machine = Machine::new();
    let most = u32::MAX.to_string();
    let flags = ["serve", "--data", "srv", "--connections-max", &most];
    machine
        .run(&flags)
        .failed(2, "connections_too_many")
        .says("ulimit -n");
    assert!(!machine.work_dir().join("srv").exists());
}

#[test]
#[cfg(unix)]
fn a_token_of_the_operator_that_others_can_read_or_guess_is_refused() {
    let machine = Machine::new();
    let path = write_token(&machine, 0o640);
    let serve = ["serve", "--data", "srv", "--metrics-token-file", &path];
    machine
        .run(&serve)
        .failed(1, "token_exposed")
        .says(&format!("chmod 600 {path}"));
    write_token(&machine, 0o600);
    std::fs::write(&path, "short\n").unwrap();
    machine
        .run(&serve)
        .failed(1, "token_invalid")
        .says("openssl");
    std::fs::remove_file(&path).unwrap();
    machine
        .run(&serve)
        .failed(1, "token_unreadable")
        .says(&path);
    assert!(!machine.work_dir().join("srv").exists());
}

#[test]
#[cfg(unix)]
fn a_credential_of_systemd_may_look_as_if_a_group_could_read_it() {
    let machine = Machine::new();
    let path = write_token(&machine, 0o440);
    let home = machine.home().to_str().unwrap();
    let variables = [
        ("CREDENTIALS_DIRECTORY", home),
        ("SYNCLINE_METRICS_TOKEN_FILE", &path),
    ];
    let flags = ["--listen", "127.0.0.1:0", "--data", "srv"];
    let server = Told::start(&machine, &variables, &flags);
    assert_eq!(server.get("/metrics", OPERATOR_TOKEN).status, 200);
    assert_eq!(server.get("/metrics", "").status, 401);
}
