//! The examples of `docs/protocol.md`, replayed in their order against a new tenant.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::Value;

use crate::support::{PATIENCE, TestServer, open_to_all, start_with};

const DOCUMENT: &str = include_str!("../../../../docs/protocol.md");

/// What the placeholders of the document stand for, once met.
type Bound = HashMap<String, String>;

/// How much of an answer an example shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// The members shown, and maybe others.
    Has,
    /// The beginning of a stream.
    Begins,
}

struct Example {
    request: String,
    answer: String,
    extent: Extent,
}

fn examples() -> Vec<Example> {
    let mut examples = Vec::new();
    let mut request = None;
    let mut rest = DOCUMENT;
    while let Some((_, behind)) = rest.split_once("```http ") {
        let (kind, behind) = behind.split_once('\n').unwrap();
        let (text, behind) = behind.split_once("\n```").unwrap();
        rest = behind;
        let extent = match kind {
            "request" => {
                assert!(
                    request.is_none(),
                    "a request without an answer before: {text}"
                );
                request = Some(text.to_owned());
                continue;
            }
            "answer" => Extent::Whole,
            "answer has" => Extent::Has,
            "answer begins" => Extent::Begins,
            other => panic!("an example of unknown kind: {other}"),
        };
        examples.push(Example {
            request: request.take().expect("an answer without a request"),
            answer: text.to_owned(),
            extent,
        });
    }
    assert!(examples.len() >= 10, "the document has lost its examples");
    examples
}

/// Puts what is known in place of `<name>`.
fn filled(text: &str, bound: &Bound) -> String {
    bound.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("<{name}>"), value)
    })
}

async fn send(server: &TestServer, text: &str) -> reqwest::Response {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let method: Method = first.next().unwrap().parse().unwrap();
    let url = server.url(first.next().unwrap());
    let mut request = server.client.request(method, url).body(body.to_owned());
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

/// Matches text with placeholders, and binds those that are new.
fn match_text(pattern: &str, text: &str, bound: &mut Bound) -> Result<(), String> {
    let mismatch = || format!("expected {pattern}\nfound    {text}");
    let Some((before, behind)) = pattern.split_once('<') else {
        return if pattern == text {
            Ok(())
        } else {
            Err(mismatch())
        };
    };
    let (name, behind) = behind.split_once('>').ok_or_else(mismatch)?;
    let rest = text.strip_prefix(before).ok_or_else(mismatch)?;
    let next = behind.split('<').next().unwrap_or_default();
    let end = if next.is_empty() {
        rest.len()
    } else {
        rest.find(next).ok_or_else(mismatch)?
    };
    let (value, rest) = rest.split_at(end);
    if name != "any" {
        let known = bound
            .entry(name.to_owned())
            .or_insert_with(|| value.to_owned());
        if known != value {
            return Err(format!("<{name}> was {known} and is {value}"));
        }
    }
    match_text(behind, rest, bound)
}

fn match_json(
    pattern: &Value,
    found: &Value,
    extent: Extent,
    bound: &mut Bound,
) -> Result<(), String> {
    let mismatch = || format!("expected {pattern}\nfound    {found}");
    match (pattern, found) {
        (Value::String(pattern), Value::String(found)) => match_text(pattern, found, bound),
        (Value::Array(patterns), Value::Array(all)) if patterns.len() == all.len() => {
            let mut pairs = patterns.iter().zip(all);
            pairs.try_for_each(|(pattern, found)| match_json(pattern, found, extent, bound))
        }
        (Value::Object(patterns), Value::Object(all)) => {
            if extent == Extent::Whole && patterns.len() != all.len() {
                return Err(mismatch());
            }
            patterns.iter().try_for_each(|(name, pattern)| {
                let found = all.get(name).ok_or_else(mismatch)?;
                match_json(pattern, found, extent, bound)
            })
        }
        _ if pattern == found => Ok(()),
        _ => Err(mismatch()),
    }
}

/// Reads a stream until as many lines have come as the example has, comments aside.
async fn read_events(mut response: reqwest::Response, lines: usize) -> String {
    let mut text = String::new();
    loop {
        let seen: Vec<_> = text.lines().filter(|line| !line.starts_with(':')).collect();
        let shown = seen.join("\n");
        if shown.trim_start().lines().count() >= lines {
            return shown.trim().to_owned();
        }
        let chunk = tokio::time::timeout(PATIENCE, response.chunk()).await;
        let chunk = chunk
            .expect("nothing came")
            .unwrap()
            .expect("the stream has ended");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

async fn replay(server: &TestServer, example: &Example, bound: &mut Bound) -> Result<(), String> {
    let response = send(server, &filled(&example.request, bound)).await;
    let (head, expected) = example.answer.split_once("\n\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    let found = response.status().as_u16().to_string();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        let found = response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap());
        match_text(value, found.unwrap_or_default(), bound)?;
    }
    if example.extent == Extent::Begins {
        let events = read_events(response, expected.lines().count()).await;
        return match_text(expected, &events, bound);
    }
    let text = response.text().await.unwrap();
    if found != status {
        return Err(format!("expected {status}, found {found}: {text}"));
    }
    let expected: Value = serde_json::from_str(expected).map_err(|error| error.to_string())?;
    let text: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    match_json(&expected, &text, example.extent, bound)
}

#[tokio::test]
async fn every_example_of_the_protocol_is_answered_as_it_says() {
    let server = start_with(open_to_all).await;
    let mut bound = Bound::new();
    for example in examples() {
        if let Err(error) = replay(&server, &example, &mut bound).await {
            panic!("{}\n{error}", example.request);
        }
    }
}

#[test]
fn an_answer_that_differs_is_noticed() {
    let mut bound = Bound::new();
    assert!(match_text("3-<mark>", "3-aa", &mut bound).is_ok());
    assert!(match_text("<mark>", "bb", &mut bound).is_err());
    let pattern = serde_json::json!({"a": [1, "<any>"]});
    for (found, extent, fits) in [
        (serde_json::json!({"a": [1, "x"]}), Extent::Whole, true),
        (serde_json::json!({"a": [2, "x"]}), Extent::Whole, false),
        (
            serde_json::json!({"a": [1, "x"], "b": 1}),
            Extent::Whole,
            false,
        ),
        (
            serde_json::json!({"a": [1, "x"], "b": 1}),
            Extent::Has,
            true,
        ),
        (serde_json::json!({"a": [1]}), Extent::Has, false),
    ] {
        let matched = match_json(&pattern, &found, extent, &mut bound).is_ok();
        assert_eq!(matched, fits, "{found}");
    }
}
