//! The agent of launchd.

use std::collections::BTreeMap;

use roxmltree::{Document, Node, ParsingOptions};

use super::{command, read};

const PATH: &str = "deploy/launchd/dev.syncline.daemon.plist";

fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

/// A `dict`, key by key.
fn entries<'a, 'input>(dict: Node<'a, 'input>) -> BTreeMap<&'a str, Node<'a, 'input>> {
    assert_eq!(dict.tag_name().name(), "dict");
    let children: Vec<_> = elements(dict).collect();
    let pairs = children.chunks(2).map(|pair| match pair {
        [key, value] if key.tag_name().name() == "key" => (key.text().unwrap(), *value),
        other => panic!("{other:?}"),
    });
    pairs.collect()
}

#[test]
fn the_agent_runs_the_daemon_and_starts_it_again_when_it_fails() {
    let text = read(PATH);
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&text, options).unwrap();
    let plist = document.root_element();
    assert_eq!(plist.tag_name().name(), "plist");
    let agent = entries(elements(plist).next().unwrap());
    let label = agent["Label"].text().unwrap();
    assert!(PATH.ends_with(&format!("/{label}.plist")));
    let arguments: Vec<_> = elements(agent["ProgramArguments"])
        .map(|argument| argument.text().unwrap())
        .collect();
    let ["/bin/sh", "-c", line] = arguments[..] else {
        panic!("{arguments:?}");
    };
    assert_eq!(command(line).unwrap(), ["daemon"]);
    assert!(line.starts_with("exec "), "signals must reach the daemon");
    assert_eq!(agent["RunAtLoad"].tag_name().name(), "true");
    let again = entries(agent["KeepAlive"]);
    assert_eq!(again["SuccessfulExit"].tag_name().name(), "false");
    let umask = agent["Umask"].text().unwrap().parse::<u32>().unwrap();
    assert_eq!(umask, 0o077);
}
