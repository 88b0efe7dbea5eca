//! Searches in a real tenant file.

use proptest::prelude::*;
use syncline_model::thread::{Status, ThreadId};

use super::{Hit, Matched, SearchFilter, SearchPage, SearchQuery, SnippetStyle, search};
use crate::threads::import::Importer;
use crate::threads::tests::world::{Destination, World, at, new_entry};
use crate::threads::{Changes, EntryPlace, plan_append, plan_delete, plan_update};

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
fn entries_with_all_words_come_before_those_with_some() {
    let (world, _) = world_of(&[
        "retry",
        "the outbox is drained with backoff and jitter after a long while, as a matter of course",
        "backoff backoff backoff",
        "nothing of it",
    ]);
    let page = run(&world, &query("backoff jitter outbox retry"));
    assert_eq!(page.total, 3);
    assert!(
        page.hits
            .iter()
            .all(|hit| hit.matched == Matched::SomeWords && hit.score <= 0.5)
    );
    let page = run(&world, &query("backoff jitter"));
    assert_eq!(numbers(&page.hits), [2, 3]);
    assert_eq!(page.hits[0].matched, Matched::AllWords);
    assert!(page.hits[0].score > 0.5 && page.hits[1].score < 0.5);
    // A phrase in quotes is one word.
    assert_eq!(found(&world, "\"backoff and jitter\""), [2, 3]);
    let page = run(&world, &query("\"jitter backoff\""));
    assert!(
        page.hits
            .iter()
            .all(|hit| hit.matched == Matched::SomeWords)
    );
}

#[test]
fn words_side_by_side_rank_before_words_apart() {
    let (world, _) = world_of(&[
        "the design of the page, and the auth of the user",
        "see the auth design of the user and of the page",
    ]);
    assert_eq!(found(&world, "auth-design"), [2, 1]);
}

#[test]
fn of_equal_entries_the_newest_comes_first() {
    let mut world = World::new();
    let id = world.make("p", "thread", 0);
    for (number, days) in [(1, 3), (2, 300), (3, 30)] {
        let mut entry = new_entry(number, "the same words");
        entry.at = at(NOW - days * DAY);
        world.log(plan_append(id, &[entry]).unwrap().ops);
    }
    let page = run(&world, &query("same"));
    assert_eq!(numbers(&page.hits), [1, 3, 2]);
    assert!((page.hits[1].score - (0.5 + 0.5 * (0.8 + 0.2 * 0.5))).abs() < 1e-9);
}

#[test]
fn relevance_outweighs_recency() {
    let mut world = World::new();
    let id = world.make("p", "thread", 0);
    let filler = "other things altogether ".repeat(60);
    for n in 10..40 {
        world.write(id, &[(n, "of no concern")]);
    }
    let mut old = new_entry(1, "checkpoint trailer checkpoint");
    old.at = at(NOW - 200 * DAY);
    let new_text = format!("{filler} checkpoint {filler}");
    let mut new = new_entry(2, &new_text);
    new.at = at(NOW);
    world.log(plan_append(id, &[old, new]).unwrap().ops);
    assert_eq!(found(&world, "checkpoint"), [1, 2]);
}

#[test]
fn filters_narrow_hits_and_total() {
    let mut world = World::new();
    let (a, b) = (world.make("p", "a", 0), world.make("q", "b", 0));
    world.write(a, &[(1, "needle"), (2, "hay")]);
    world.write(b, &[(3, "needle"), (4, "needle and hay")]);
    let archived = Changes {
        status: Some(Status::Archived),
        ..Changes::default()
    };
    let plan = plan_update(&world.thread(a), &archived, at(9)).unwrap();
    world.log(plan.ops);
    let filtered = |filter| {
        let page = run(
            &world,
            &SearchQuery {
                filter,
                ..query("needle")
            },
        );
        assert_eq!(page.total, page.hits.len() as u64);
        let mut numbers = numbers(&page.hits);
        numbers.sort_unstable();
        numbers
    };
    let all = SearchFilter::default();
    assert_eq!(filtered(all), [1, 3, 4]);
    assert_eq!(
        filtered(SearchFilter {
            project: Some("q"),
            ..all
        }),
        [3, 4]
    );
    assert_eq!(
        filtered(SearchFilter {
            thread: Some(a),
            ..all
        }),
        [1]
    );
    assert_eq!(
        filtered(SearchFilter {
            status: Some(Status::Archived),
            ..all
        }),
        [1]
    );
    let nowhere = ThreadId::new(uuid::Uuid::nil());
    assert!(
        filtered(SearchFilter {
            thread: Some(nowhere),
            ..all
        })
        .is_empty()
    );
    let both = SearchFilter {
        project: Some("p"),
        thread: Some(b),
        ..all
    };
    assert!(filtered(both).is_empty());
}

#[test]
fn pages_follow_one_another_across_both_halves_and_the_total_is_true() {
    let texts: Vec<String> = (0..25)
        .map(|n| {
            format!(
                "alpha {} entry {n}",
                if n % 3 == 0 { "beta" } else { "gamma" }
            )
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (world, _) = world_of(&texts);
    let whole = run(
        &world,
        &SearchQuery {
            limit: 100,
            ..query("alpha beta")
        },
    );
    assert_eq!((whole.total, whole.hits.len()), (25, 25));
    let with_all = whole
        .hits
        .iter()
        .filter(|hit| hit.matched == Matched::AllWords);
    assert_eq!(with_all.count(), 9);
    let mut paged = Vec::new();
    for offset in (0..30).step_by(4) {
        let page = run(
            &world,
            &SearchQuery {
                limit: 4,
                offset,
                ..query("alpha beta")
            },
        );
        assert_eq!(page.total, 25);
        paged.extend(page.hits);
    }
    assert_eq!(numbers(&paged), numbers(&whole.hits));
    let none = run(
        &world,
        &SearchQuery {
            limit: 0,
            ..query("alpha")
        },
    );
    assert_eq!((none.total, none.hits.len()), (25, 0));
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
fn a_snippet_marks_what_was_found_and_escapes_the_rest() {
    let (world, _) = world_of(&[
        "<script>alert('x')</script> & the needles\n\n  are \"here\"",
        "then call getUserName of 全文検索 here",
        "a \u{2}forged\u{3} \u{1}mark",
    ]);
    assert_eq!(
        snippet(&world, "needle", SnippetStyle::Html),
        "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; the <mark>needles</mark> are &quot;here&quot;"
    );
    assert_eq!(
        snippet(&world, "user", SnippetStyle::Html),
        "then call get<mark>User</mark>Name of 全文検索 here"
    );
    assert_eq!(
        snippet(&world, "getUserName 検索", SnippetStyle::Html),
        "then call <mark>getUserName</mark> of 全文<mark>検索</mark> here"
    );
    assert_eq!(
        snippet(&world, "forged", SnippetStyle::Html),
        "a <mark>forged</mark> mark"
    );
    assert_eq!(
        snippet(&world, "script", SnippetStyle::Plain),
        "<script>alert('x')</script> & the needles are \"here\""
    );
    let style = SnippetStyle::Between {
        open: "\u{1b}[1m",
        close: "\u{1b}[0m",
    };
    assert!(snippet(&world, "here", style).contains("\"\u{1b}[1mhere\u{1b}[0m\""));
}

#[test]
fn a_snippet_of_a_long_entry_is_short_and_holds_the_mark() {
    let blob = "A1b2C3".repeat(7_000);
    let long = format!("{} needle {}", "hay ".repeat(5_000), "straw ".repeat(5_000));
    let (world, _) = world_of(&[&format!("{blob} thread {blob}"), &long]);
    let of_long = snippet(&world, "needle", SnippetStyle::Html);
    assert!(
        of_long.contains("<mark>needle</mark>") && of_long.len() < 300,
        "{of_long}"
    );
    let of_blob = snippet(&world, "thread", SnippetStyle::Html);
    assert!(of_blob.contains("<mark>thread</mark>"), "{of_blob}");
    assert!(of_blob.chars().count() < 700);
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
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

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
