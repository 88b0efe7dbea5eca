//! The README's commands do what it says.

use crate::machine::Machine;
use crate::served::Server;

/// The commands of the README that a machine that writes is given, in order.
fn commands() -> Vec<Vec<String>> {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let (_, text) = text.split_once("## Sixty seconds").unwrap();
    let (_, block) = text.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let typed = block
        .lines()
        .filter_map(|line| line.strip_prefix("syncline "));
    typed.map(words).collect()
}

/// The words of a command line, of which some are in double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn sixty_seconds_are_as_the_readme_tells_them() {
    let server = Server::start();
    let machine = Machine::new();
    let mut run = Vec::new();
    for mut command in commands() {
        // The server runs, and its operator has made the token.
        if command[0] == "serve" || command[0] == "token" {
            continue;
        }
        if command[0] == "login" {
            command[1].clone_from(&server.url);
        }
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let answer = machine.run_on(&server.token("ada"), &arguments).done();
        assert!(!answer.stderr.contains("queued"), "{answer:#?}");
        run.push(command[..command.len().min(2)].join(" "));
    }
    for expected in [
        "thread new",
        "thread push",
        "thread read",
        "thread search",
        "list add",
        "list show",
        "status",
    ] {
        assert!(
            run.iter().any(|command| command.starts_with(expected)),
            "{run:?}"
        );
    }
}
