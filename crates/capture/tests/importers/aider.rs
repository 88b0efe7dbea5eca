//! Histories of Aider in the shapes that it writes: see the note on them beside the fixtures.

use syncline_capture::agent::Agent;

use crate::agents::twice;
use crate::place::Place;

/// A history as version 0.82 to 0.86 of Aider leave it: lines of a person and of the program end with two
/// blanks, and those of the model as it wrote them.
fn history() -> String {
    let lines = [
        "",
        "# aider chat started at 2026-01-02 10:00:00",
        "",
        "> You can skip this check with --no-gitignore  ",
        "",
        "# aider chat started at 2026-01-02 10:00:05",
        "",
        "> /home/ada/.local/bin/aider --model x/y  ",
        "> Aider v0.86.1  ",
        "> Main model: x/y with diff-fenced edit format, 32k think tokens  ",
        "> Weak model: x/z  ",
        "",
        "#### /add src/lib.rs  ",
        "####   src/main.rs  ",
        "> Added src/lib.rs to the chat  ",
        "> Added src/main.rs to the chat  ",
        "",
        "#### /ask what is in it  ",
        "",
        "#### what is in it  ",
        "",
        "Two things:",
        "",
        "#### The library",
        "",
        "> It says so itself.",
        "",
        "#### The program",
        "",
        "It calls the library.",
        "",
        "> Tokens: 3.2k sent, 222 received.  ",
        "> src/other.rs  ",
        "> Add file to the chat? (Y)es/(N)o/(A)ll/(S)kip all/(D)on't ask again [Yes]: y  ",
        "",
        "I see it.",
        "",
        "> Tokens: 4.6k sent, 99 received. Cost: $0.02 message, $0.02 session.  ",
        ">  ",
        ">  ",
        "> ^C again to exit  ",
        "",
        "#### one  ",
        "",
        "#### two  ",
        "",
        "Both.",
        "",
    ];
    lines.join("\n")
}

#[test]
fn a_models_headings_and_quotations_are_its_own() {
    let mut place = Place::new();
    place.write("app/.aider.chat.history.md", history());
    twice(&mut place, Agent::Aider);
    let said = place.rows("said");
    let of = |role: &str| {
        let rows = said.iter().filter_map(|row| row.strip_prefix(role));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(
        of("user|text|"),
        [
            "/add src/lib.rs\n  src/main.rs",
            "/ask what is in it",
            "one",
            "two"
        ]
    );
    let answer = "Two things:\n\n#### The library\n\n> It says so itself.\n\n#### The program\n\nIt calls the library.";
    assert_eq!(of("assistant|text|"), [answer, "I see it.", "Both."]);
    assert_eq!(
        place.rows("answered"),
        ["assistant|3200|222", "assistant|4600|99"]
    );
}

#[test]
fn a_chat_in_which_nobody_spoke_is_no_session() {
    let mut place = Place::new();
    let path = place.write("app/.aider.chat.history.md", history());
    let done = twice(&mut place, Agent::Aider);
    assert_eq!(done.counts.idle, 1);
    let natives: Vec<_> = place.figures().into_keys().collect();
    assert_eq!(natives.len(), 1, "{natives:?}");
    assert!(natives[0].ends_with("#2026-01-02 10:00:05"), "{natives:?}");
    let begun = history() + "\n# aider chat started at 2026-01-03 10:00:00\n\n> Aider v0.86.1  \n";
    std::fs::write(&path, &begun).unwrap();
    place.import_files(Agent::Aider);
    assert_eq!(place.figures().len(), 1);
    std::fs::write(&path, begun + "\n#### hello  \n").unwrap();
    place.import_files(Agent::Aider);
    assert_eq!(place.figures().len(), 2);
}

#[test]
fn a_history_whose_lines_were_trimmed_is_read_by_how_they_begin() {
    let mut place = Place::new();
    let trimmed: Vec<_> = "# aider chat started at 2026-01-02 10:00:00\n\n#### one  \n\nOne.\n\n> Tokens: 1k sent, 10 received.  \n"
        .lines()
        .map(str::trim_end)
        .collect();
    place.write("app/.aider.chat.history.md", trimmed.join("\n"));
    twice(&mut place, Agent::Aider);
    assert_eq!(place.rows("answered"), ["assistant|1000|10"]);
}

#[test]
fn what_an_older_reader_took_for_turns_is_taken_back() {
    let (mut place, mut fresh) = (Place::new(), Place::new());
    fresh.write("app/.aider.chat.history.md", history());
    fresh.import_files(Agent::Aider);
    let trimmed = history();
    let trimmed: Vec<_> = trimmed.lines().map(str::trim_end).collect();
    place.write("app/.aider.chat.history.md", trimmed.join("\n"));
    place.import_files(Agent::Aider);
    let figures = |place: &mut Place| place.figures().into_values().collect::<Vec<_>>();
    assert_ne!(figures(&mut place), figures(&mut fresh));
    place.age_marks();
    place.write("app/.aider.chat.history.md", history());
    twice(&mut place, Agent::Aider);
    assert_eq!(figures(&mut place), figures(&mut fresh));
    assert_eq!(
        (fresh.rows("said").len(), figures(&mut fresh)[0].messages),
        (11, 7)
    );
}

#[test]
fn chats_of_one_second_are_told_apart() {
    let mut place = Place::new();
    let begins = "\n# aider chat started at 2026-01-03 10:00:00\n\n#### fix file A  \n\nanswer A\n";
    let ends = begins.replace(" A", " B");
    let path = place.write("app/.aider.chat.history.md", begins);
    place.import_files(Agent::Aider);
    std::fs::write(&path, format!("{begins}{ends}")).unwrap();
    twice(&mut place, Agent::Aider);
    let said = [
        "user|text|fix file A",
        "user|text|fix file B",
        "assistant|text|answer A",
        "assistant|text|answer B",
    ];
    let mut found = place.rows("said");
    found.sort_by_key(|row| !row.starts_with("user"));
    assert_eq!(found, said);
    let natives: Vec<_> = place.figures().into_keys().collect();
    assert_eq!(natives.len(), 2);
    assert_eq!(natives[1], format!("{}+2", natives[0]));
}

#[test]
fn a_chat_is_read_alike_whatever_is_added_behind_it() {
    let mut place = Place::new();
    let begins =
        "# aider chat started at 2026-01-02 10:00:00\n\n#### one\n\nOne.\n\n#### two\n\nTwo.\n";
    let path = place.write("app/.aider.chat.history.md", begins);
    place.import_files(Agent::Aider);
    let before = place.rows("said");
    let next = "\n# aider chat started at 2026-01-03 10:00:00\n\n#### three  \n\nThree.\n";
    std::fs::write(&path, format!("{begins}{next}")).unwrap();
    twice(&mut place, Agent::Aider);
    let said = place.rows("said");
    assert_eq!(said[..4], before);
    assert_eq!(said[4..], ["user|text|three", "assistant|text|Three."]);
    let figures: Vec<_> = place.figures().into_values().collect();
    let counts = figures.iter().map(|one| (one.messages, one.prompts));
    assert_eq!(counts.collect::<Vec<_>>(), [(4, 2), (2, 1)]);
}

#[test]
fn what_was_taken_back_is_told_again_where_it_stands_again() {
    let mut place = Place::new();
    let marked =
        "# aider chat started at 2026-01-02 10:00:00\n\n#### one  \n\nOne.\n\n#### two\n\nTwo.\n";
    let path = place.write("app/.aider.chat.history.md", marked.replace("  \n", "\n"));
    place.import_files(Agent::Aider);
    let prompts = |place: &mut Place| place.figures().into_values().next().unwrap().prompts;
    assert_eq!(prompts(&mut place), 2);
    std::fs::write(&path, marked).unwrap();
    place.import_files(Agent::Aider);
    assert_eq!(prompts(&mut place), 1);
    std::fs::write(&path, marked.replace("  \n", "\n")).unwrap();
    twice(&mut place, Agent::Aider);
    assert_eq!(prompts(&mut place), 2);
}

#[test]
fn a_history_that_is_read_while_a_line_is_written_gives_the_same_view() {
    let name = "app/.aider.chat.history.md";
    let next = "# aider chat started at 2026-01-03 09:00:00\n\n#### more  \n\nMore.\n\n> Tokens: 1k sent, 10 received.  \n";
    let text = history() + "\n" + next;
    let (mut place, mut whole) = (Place::new(), Place::new());
    whole.write(name, &text);
    whole.import_files(Agent::Aider);
    let last = text.find("> Tokens: 4.6k").unwrap();
    for end in (last..text.len()).step_by(7).chain([text.len()]) {
        place.write(name, &text[..end]);
        place.import_files(Agent::Aider);
    }
    for query in ["said", "counted_texts", "answered"] {
        assert_eq!(place.rows(query), whole.rows(query), "{query}");
    }
}

#[test]
fn what_a_program_says_last_is_read_where_nothing_ends_its_line() {
    let mut place = Place::new();
    let text = history();
    let end = text.find("  \n>  \n").unwrap();
    place.write("app/.aider.chat.history.md", &text[..end]);
    twice(&mut place, Agent::Aider);
    assert_eq!(place.rows("answered").len(), 2);
}

#[test]
fn a_copy_that_ends_within_a_line_changes_nothing_back() {
    let (mut place, name) = (Place::new(), "app/.aider.chat.history.md");
    let text = "# aider chat started at 2026-01-02 10:00:00\n\n#### one  \n\nThe whole of it.\n";
    place.write(name, text);
    place.import_files(Agent::Aider);
    let said = place.rows("said");
    for end in [text.len() - 1, text.len() - 5] {
        place.lose_notes();
        place.write(name, &text[..end]);
        place.import_files(Agent::Aider);
        assert_eq!(place.rows("said"), said);
    }
}
