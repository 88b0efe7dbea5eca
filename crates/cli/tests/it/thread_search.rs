use serde_json::Value;

use crate::machine::Machine;

fn search(machine: &Machine, arguments: &[&str]) -> Value {
    let arguments = [&["thread", "search", "--json"], arguments].concat();
    machine.run(&arguments).done().json()
}

#[test]
fn what_a_user_types_is_words_and_never_syntax() {
    let machine = Machine::new();
    machine
        .run(&[
            "thread",
            "new",
            "api",
            "What issues did we find in the API?",
        ])
        .done();
    machine
        .run(&[
            "thread",
            "push",
            "api",
            "auth-design uses parse_token_v2() and C++",
        ])
        .done();
    for text in [
        "What issues did we find in the API?",
        "auth-design",
        "\"issues did",
        "parse_token",
        "-issues",
        "issues AND OR NOT (",
        "content:issues*",
    ] {
        let found = search(&machine, &[text]);
        assert!(found["total"].as_u64().unwrap() > 0, "{text}: {found}");
        let score = found["results"][0]["score"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&score), "{text}");
    }
    for text in ["", "?!", "--"] {
        assert_eq!(search(&machine, &["--", text])["total"], 0, "{text:?}");
    }
}

#[test]
fn a_search_is_of_the_chosen_project_and_thread() {
    let machine = Machine::new();
    for (name, project) in [("one", "a"), ("two", "a"), ("three", "b")] {
        machine
            .run(&["thread", "new", name, "needle", "-p", project])
            .done();
    }
    assert_eq!(search(&machine, &["needle"])["total"], 3);
    assert_eq!(search(&machine, &["needle", "-p", "a"])["total"], 2);
    assert_eq!(
        search(&machine, &["needle", "--thread", "a/one"])["total"],
        1
    );
    let page = search(&machine, &["needle", "-n", "1", "--offset", "1"]);
    assert_eq!(
        (page["results"].as_array().unwrap().len(), &page["total"]),
        (1, &3.into())
    );
    machine
        .run(&["thread", "search", "nothing like it"])
        .done()
        .says("no entry matches");
}
