//! Searches in a real tenant file.

mod ranking;
mod snippets;

use proptest::prelude::*;
use syncline_model::thread::ThreadId;

use super::{Hit, Matched, SearchFilter, SearchPage, SearchQuery, SnippetStyle, search};
use crate::threads::import::Importer;
use crate::threads::tests::world::{Destination, World, at};
use crate::threads::{EntryPlace, plan_delete};

const NOW: i64 = 1_800_000_000_000;
const DAY: i64 = 86_400_000;

fn query(text: &str) -> SearchQuery<'_> {
    SearchQuery {
        text,
        filter: SearchFilter::default(),
        limit: 10,
        offset: 0,
        now: at(NOW),
        snippet: SnippetStyle::Html,
    }
}

fn run(world: &World, query: &SearchQuery<'_>) -> SearchPage {
    let page = search(world.view(), query).unwrap();
    for hit in &page.hits {
        assert!((0.0..=1.0).contains(&hit.score), "{hit:?}");
    }
    for pair in page.hits.windows(2) {
        assert!(pair[0].score >= pair[1].score, "{pair:?}");
    }
    page
}

/// The numbers of the entries that are found, best first.
fn found(world: &World, text: &str) -> Vec<u128> {
    numbers(&run(world, &query(text)).hits)
}

fn numbers(hits: &[Hit]) -> Vec<u128> {
    hits.iter()
        .map(|hit| hit.entry_id.uuid().as_u128())
        .collect()
}

fn snippet(world: &World, text: &str, style: SnippetStyle<'_>) -> String {
    let query = SearchQuery {
        snippet: style,
        ..query(text)
    };
    run(world, &query).hits[0].snippet.clone()
}

/// A thread with these entries, numbered from 1.
fn world_of(contents: &[&str]) -> (World, ThreadId) {
    let mut world = World::new();
    let id = world.make("p", "thread", 0);
    let entries: Vec<(u128, &str)> = (1..).zip(contents.iter().copied()).collect();
    world.write(id, &entries);
    (world, id)
}

#[test]
fn every_form_of_a_question_finds_what_it_is_about() {
    let (world, _) = world_of(&[
        "We found three issues in the API of the auth-design.",
        "call foo_bar::baz() and then getUserName(id), in src/auth/tokens.rs",
        "ENT-95: \"quoted\" text, 100% sure; C++ and v1.2.3",
        "Das Café an der Straße; naïve résumé",
        "全文検索は日本語でも動く。設定APIを見る",
        "deploy 🚀 to production",
    ]);
    for (text, number) in [
        ("What issues did we find in the API?", 1),
        ("auth-design", 1),
        ("AUTH DESIGN", 1),
        ("issue", 1),
        ("foo_bar::baz()", 2),
        ("foo bar", 2),
        ("getUserName", 2),
        ("getusername", 2),
        ("userName", 2),
        ("user name", 2),
        ("get_user_name", 2),
        ("src/auth/tokens.rs", 2),
        ("tokens", 2),
        ("tok", 2),
        ("ent-95", 3),
        ("\"quoted\"", 3),
        ("\"quoted text\"", 3),
        ("100%", 3),
        ("1.2.3", 3),
        ("C++", 3),
        ("cafe", 4),
        ("CAFÉ", 4),
        ("re\u{301}sume\u{301}", 4),
        ("naive", 4),
        ("検索", 5),
        ("日本語", 5),
        ("全文検索", 5),
        ("設定API", 5),
        ("api設定", 5),
        ("く", 5),
        ("動", 5),
        ("🚀 deploy", 6),
        ("produ", 6),
    ] {
        assert_eq!(found(&world, text).first(), Some(&number), "{text}");
    }
}

#[test]
fn a_text_without_a_word_finds_nothing() {
    let (world, _) = world_of(&["something"]);
    for text in [
        "", " ", "?", "\"", "\"\"", "-", "*", "(", "🚀", "''", "\0", "^ : {}",
    ] {
        let page = run(&world, &query(text));
        assert_eq!((page.hits.len(), page.total), (0, 0), "{text}");
    }
}

#[test]
fn words_that_are_query_syntax_elsewhere_are_words_here() {
    let (world, _) = world_of(&["this AND that OR other NOT near", "content column"]);
    for (text, numbers) in [
        ("NEAR", vec![1]),
        ("NOT", vec![1]),
        ("OR AND NOT", vec![1]),
        ("content:column", vec![2]),
        ("other* OR nothing", vec![1]),
        ("-column", vec![2]),
        ("^content", vec![2]),
    ] {
        assert_eq!(found(&world, text), numbers, "{text}");
    }
}

#[test]
fn a_hit_says_where_it_stands() {
    let mut world = World::new();
    let id = world.make("p", "Deep Dive", 0);
    world.write(id, &[(1, "logged needle")]);
    world.write_pending(id, &[(2, "pending thread")]);
    let hit = run(&world, &query("needle")).hits.remove(0);
    assert_eq!((hit.thread_id, hit.thread_key.as_str()), (id, "deep-dive"));
    assert_eq!(
        (hit.project.as_str(), hit.thread_name.as_str()),
        ("p", "Deep Dive")
    );
    assert_eq!(
        (hit.place, hit.author.as_str()),
        (EntryPlace::Sequence(0), "user")
    );
    assert_eq!(
        run(&world, &query("pending")).hits[0].place,
        EntryPlace::Pending(1)
    );
    world.log(plan_delete(&world.thread(id), at(9)).unwrap().ops);
    assert_eq!(run(&world, &query("needle")).total, 0);
}

#[test]
fn a_word_at_the_end_of_the_text_may_be_the_beginning_of_one() {
    let (world, _) = world_of(&["configuration", "config file", "reconfigured"]);
    assert_eq!(found(&world, "config"), [2, 1]);
    assert_eq!(found(&world, "config "), [2]);
    assert_eq!(found(&world, "file conf"), [2, 1]);
    assert_eq!(found(&world, "\"config\""), [2]);
}

#[test]
fn common_words_are_asked_for_only_where_nothing_else_is() {
    let (world, _) = world_of(&["what is it", "the outbox", "how to drain the outbox"]);
    assert_eq!(found(&world, "what is it"), [1]);
    let page = run(&world, &query("how is the outbox"));
    assert_eq!(page.total, 2);
    assert!(page.hits.iter().all(|hit| hit.matched == Matched::AllWords));
}

/// Every word of an entry finds it, in the excerpt of real threads.
#[test]
fn each_word_of_an_entry_finds_it() {
    let excerpt = include_str!("../../fixtures/threads_excerpt.jsonl");
    let mut world = World::new();
    let importer = Importer::jsonl_from(excerpt.as_bytes(), "default");
    world.import(importer, Destination::Log);
    let mut asked = 0;
    for line in excerpt.lines().step_by(5) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let content = line["content"].as_str().unwrap();
        for word in content
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .step_by(3)
        {
            let page = run(
                &world,
                &SearchQuery {
                    limit: 100,
                    ..query(word)
                },
            );
            let timestamp = line["timestamp"].as_str().unwrap();
            let found = page
                .hits
                .iter()
                .any(|hit| hit.timestamp.to_string() == timestamp);
            assert!(found, "{word} in {content}");
            assert!(
                page.hits.iter().all(|hit| hit.snippet.contains("<mark>")),
                "{word}"
            );
            asked += 1;
        }
    }
    assert!(asked > 100);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\"'()*:^{}+\\-_.,;?!~ \\\\\0a-cA-C全文ABCé🚀0-9]{0,40}",
        "(AND|OR|NOT|NEAR|\"| |\\(|\\)|\\*|foo|Bar|\\+|content:){0,40}",
        "[a-z]{1,3}( [a-z]{1,3}){0,80}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_an_error(texts in prop::collection::vec(any_text(), 8), contents in prop::collection::vec(any_text(), 4)) {
        let contents: Vec<String> = contents.into_iter().map(|c| format!("x{c}")).collect();
        let contents: Vec<&str> = contents.iter().map(String::as_str).collect();
        let (world, _) = world_of(&contents);
        for text in texts.iter().map(String::as_str).chain(contents) {
            let page = run(&world, &query(text));
            prop_assert!(page.hits.len() as u64 <= page.total);
            for hit in page.hits {
                prop_assert_eq!(hit.snippet.matches("<mark>").count(), hit.snippet.matches("</mark>").count());
                let bare = hit.snippet.replace("<mark>", "").replace("</mark>", "");
                prop_assert!(!bare.contains(['<', '>', '"']), "{}", bare);
            }
        }
    }
}

#[test]
fn a_very_long_text_is_searched_by_its_beginning() {
    let (world, _) = world_of(&["needle"]);
    let long = format!("needle {}", "straw ".repeat(100_000));
    assert_eq!(found(&world, &long), [1]);
    assert!(found(&world, &"é".repeat(100_000)).is_empty());
    let many: String = (0..1_000).map(|n| format!("w{n} ")).collect();
    assert!(found(&world, &many).is_empty());
}
