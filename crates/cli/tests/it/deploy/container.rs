//! The image and the compose file.

use std::collections::{BTreeMap, BTreeSet};

use serde_norway::Value;

use super::{PORT, assignments, of_workspace, read, root, variables, yaml};
use crate::machine::{Machine, finish};
use crate::served::serve;

/// What a server gives to open requests by default, in seconds.
const DRAIN_SECONDS: u64 = 10;

/// An instruction of a Dockerfile and what follows it, without line breaks.
struct Instruction {
    name: String,
    rest: String,
}

impl Instruction {
    /// What follows, as the JSON list that it must be: a shell would not get signals, and there is none.
    fn list(&self) -> Vec<String> {
        let (_, list) = self.rest.split_at(self.rest.find('[').unwrap());
        serde_json::from_str(list).unwrap()
    }
}

/// The instructions, each `FROM` a stage of its own.
fn stages() -> Vec<Vec<Instruction>> {
    let text = read("deploy/Dockerfile");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let text = lines.join("\n").replace("\\\n", " ");
    let mut stages: Vec<Vec<Instruction>> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (name, rest) = line.split_once(' ').unwrap();
        let known = [
            "FROM",
            "WORKDIR",
            "COPY",
            "RUN",
            "USER",
            "ENV",
            "VOLUME",
            "EXPOSE",
            "HEALTHCHECK",
            "ENTRYPOINT",
            "CMD",
        ];
        assert!(known.contains(&name), "{line}");
        if name == "FROM" {
            stages.push(Vec::new());
        }
        stages.last_mut().unwrap().push(Instruction {
            name: name.to_owned(),
            rest: rest.split_whitespace().collect::<Vec<_>>().join(" "),
        });
    }
    stages
}

fn one<'a>(stage: &'a [Instruction], name: &str) -> &'a Instruction {
    let mut found = stage.iter().filter(|instruction| instruction.name == name);
    let first = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(found.next().is_none(), "{name} twice");
    first
}

fn environment(stage: &[Instruction]) -> BTreeMap<String, String> {
    assignments(one(stage, "ENV").rest.split(' '))
}

#[test]
fn the_image_is_built_of_this_workspace_by_its_own_compiler() {
    let stages = stages();
    let [build, image] = &stages[..] else {
        panic!("{} stages", stages.len());
    };
    let rust = of_workspace("rust-version");
    let from = &one(build, "FROM").rest;
    assert_eq!(from, &format!("rust:{rust}-slim-bookworm AS build"));
    assert_eq!(one(image, "FROM").rest, "scratch");
    let run = &one(build, "RUN").rest;
    let package = env!("CARGO_PKG_NAME");
    let cargo = format!("cargo build --release --locked --package {package} ");
    assert!(run.contains(&cargo), "{run}");
    // Dependencies are kept from build to build.
    for cache in ["/usr/local/cargo/registry", "/src/target"] {
        let mount = format!("--mount=type=cache,target={cache}");
        assert!(run.contains(&mount), "{run}");
    }
    let copied = image
        .iter()
        .filter(|instruction| instruction.name == "COPY");
    for copy in copied {
        assert!(copy.rest.contains("--from=build "), "{}", copy.rest);
    }

    let ignored = read("deploy/Dockerfile.dockerignore");
    let sent: BTreeSet<_> = ignored
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    assert!(ignored.lines().any(|line| line == "*"));
    let manifest: toml_edit::DocumentMut = read("Cargo.toml").parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let members = members.iter().map(|member| member.as_str().unwrap());
    let members = members.map(|member| member.trim_end_matches("/*"));
    let needed: BTreeSet<_> = members
        .chain(["Cargo.toml", "Cargo.lock", ".cargo"])
        .collect();
    assert_eq!(sent, needed);
    for path in sent {
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn the_image_runs_the_server_as_nobody_in_particular_and_keeps_its_data_in_a_volume() {
    let stages = stages();
    let image = stages.last().unwrap();
    let user = &one(image, "USER").rest;
    let (user_id, group_id) = user.split_once(':').unwrap();
    assert!(user_id.parse::<u32>().unwrap() > 0 && group_id.parse::<u32>().unwrap() > 0);
    let variables = environment(image);
    let volumes = one(image, "VOLUME").list();
    assert!(volumes.contains(&variables["SYNCLINE_SERVER_DATA"]));
    for volume in &volumes {
        let copy = format!("--from=build --chown={user} /empty {volume}");
        assert!(image.iter().any(|step| step.rest == copy), "{volume}");
    }
    // What SQLite puts aside for a moment goes where something can be written.
    assert!(volumes.contains(&variables["TMPDIR"]));
    assert_eq!(one(image, "WORKDIR").rest, variables["TMPDIR"]);
    assert_eq!(one(image, "EXPOSE").rest, PORT.to_string());
    assert_eq!(one(image, "ENTRYPOINT").list(), ["syncline"]);
}

#[test]
fn the_images_health_check_finds_the_server_that_the_image_runs() {
    let stages = stages();
    let image = stages.last().unwrap();
    let machine = Machine::new();
    let mut variables = environment(image);
    variables.insert("HOME".to_owned(), machine.home().display().to_string());
    variables.insert("SYNCLINE_SERVER_DATA".to_owned(), "data".to_owned());
    variables.insert("TMPDIR".to_owned(), machine.home().display().to_string());

    let serving = one(image, "CMD").list();
    let serving: Vec<&str> = serving.iter().map(String::as_str).collect();
    let mut command = machine.command(&serving);
    // A free port, as a platform gives one.
    command.envs(&variables).env("PORT", "0");
    let (mut child, url) = serve(command);
    let port = url.rsplit(':').next().unwrap().to_owned();
    assert_eq!(
        url,
        format!("http://0.0.0.0:{port}"),
        "others must reach it"
    );

    let check = one(image, "HEALTHCHECK").list();
    assert_eq!(check[0], "syncline");
    let asking: Vec<&str> = check[1..].iter().map(String::as_str).collect();
    let ask = |port: &str| {
        let mut command = machine.command(&asking);
        command.envs(&variables).env("PORT", port);
        finish(command, b"")
    };
    let said = ask(&port);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.done().stdout.contains("auth token"));
    ask(&port).failed(1, "server_unreachable");
}

/// A text below these keys.
fn text<'a>(value: &'a Value, keys: &[&str]) -> &'a str {
    let found = keys.iter().fold(value, |value, key| &value[*key]);
    found.as_str().unwrap_or_else(|| panic!("{keys:?}"))
}

fn texts(value: &Value) -> Vec<&str> {
    let values = value.as_sequence().unwrap();
    values.iter().map(|value| value.as_str().unwrap()).collect()
}

#[test]
fn the_compose_file_fits_the_image() {
    let compose = yaml("deploy/compose.yml");
    let server = &compose["services"]["server"];
    let context = root()
        .join("deploy")
        .join(text(server, &["build", "context"]));
    assert_eq!(context.canonicalize().unwrap(), root());
    assert!(
        context
            .join(text(server, &["build", "dockerfile"]))
            .is_file()
    );

    let stages = stages();
    let image = stages.last().unwrap();
    let mounts = texts(&server["volumes"]);
    let (names, places): (BTreeSet<_>, BTreeSet<_>) = mounts
        .iter()
        .map(|mount| mount.split_once(':').unwrap())
        .unzip();
    let volumes = one(image, "VOLUME").list();
    assert_eq!(places, volumes.iter().map(String::as_str).collect());
    let declared = compose["volumes"].as_mapping().unwrap().keys();
    assert_eq!(names, declared.map(|key| key.as_str().unwrap()).collect());

    let [port] = texts(&server["ports"])[..] else {
        panic!("one port is published");
    };
    assert!(port.ends_with(&format!("}}:{PORT}")), "{port}");
    let grace = text(server, &["stop_grace_period"]).trim_end_matches('s');
    assert!(grace.parse::<u64>().unwrap() > DRAIN_SECONDS);
    assert_eq!(server["read_only"], true);
    assert_eq!(texts(&server["cap_drop"]), ["ALL"]);
}

#[test]
fn the_example_environment_holds_what_the_compose_file_asks_for() {
    let compose = read("deploy/compose.yml");
    let asked: BTreeMap<_, _> = compose
        .split("${")
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap())
        .map(|asked| asked.split_once(":-").unwrap())
        .collect();
    let example = read("deploy/.env.example");
    let example = assignments(example.lines());
    let names: BTreeSet<_> = example.keys().map(String::as_str).collect();
    assert_eq!(names, asked.keys().copied().collect());
    // Both say the same where both say something.
    for (name, by_default) in &asked {
        let given = &example[*name];
        assert!(by_default.is_empty() || given == by_default, "{name}");
    }
    assert!(!variables(&compose).is_empty());
    // The server starts with it, where others reach it: so who may ask it is the image's to say.
    let machine = Machine::new();
    let mut command = machine.command(&["serve"]);
    let stages = stages();
    let ours = example.iter().filter(|(name, _)| *name != "PUBLISH");
    command
        .envs(environment(stages.last().unwrap()))
        .envs(ours)
        .env("SYNCLINE_SERVER_DATA", "data")
        .env("SYNCLINE_BACKUP_TO", "backups")
        .env("HOME", machine.home())
        .env("TMPDIR", machine.home())
        .env("PORT", "0");
    assert!(
        !names.contains("SYNCLINE_AUTH"),
        "the image asks for tokens"
    );
    let (mut child, _) = serve(command);
    child.kill().unwrap();
    child.wait().unwrap();
}
