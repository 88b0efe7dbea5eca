//! The order of hits, and which of them a filter passes.

use syncline_model::thread::{Status, ThreadId};

use super::{DAY, NOW, found, numbers, query, run, world_of};
use crate::search::{Matched, SearchFilter, SearchQuery};
use crate::threads::tests::world::{World, at, new_entry};
use crate::threads::{Changes, plan_append, plan_update};

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

/// More matches than are ranked, and than are looked up one by one.
#[test]
fn filters_and_pages_hold_for_many_matches() {
    let mut world = World::new();
    let ids = [world.make("p", "a", 0), world.make("q", "b", 0)];
    for part in 0..11_u128 {
        for (side, id) in ids.iter().enumerate() {
            let numbers = (0..1_000).map(|n| 1 + side as u128 + 2 * (part * 1_000 + n));
            let entries: Vec<(u128, &str)> = numbers.map(|n| (n, "same")).collect();
            world.write(*id, &entries);
        }
    }
    let page = |project, offset| {
        let filter = SearchFilter {
            project,
            ..SearchFilter::default()
        };
        let query = SearchQuery {
            filter,
            offset,
            limit: 4_000,
            ..query("same")
        };
        run(&world, &query)
    };
    for (project, total) in [(Some("q"), 11_000_u64), (None, 22_000)] {
        let mut all = Vec::new();
        for offset in (0..=total).step_by(4_000) {
            let page = page(project, offset);
            assert_eq!(page.total, total);
            assert!(
                page.hits
                    .iter()
                    .all(|hit| project.is_none_or(|p| hit.project == p))
            );
            all.extend(numbers(&page.hits));
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len() as u64, total);
    }
}
