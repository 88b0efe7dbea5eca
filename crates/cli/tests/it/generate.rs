//! `syncline generate`: the folder that it writes, and what it leaves alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::machine::Machine;

/// The document on which the package `packages/client` is tested.
pub(crate) const DOCUMENT: &str = include_str!("../../../../packages/client/test/openapi.yaml");

/// A machine with the document, and the paths of the document and of the folder to write.
pub(crate) fn machine() -> (Machine, String, std::path::PathBuf) {
    let machine = Machine::new();
    let document = machine.work_dir().join("openapi.yaml");
    fs::write(&document, DOCUMENT).unwrap();
    let out = machine.work_dir().join("generated");
    (machine, document.to_str().unwrap().to_owned(), out)
}

/// Every file below a folder, by its path.
pub(crate) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![dir.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_document_gives_the_same_bytes_every_time() {
    let (machine, document, out) = machine();
    let dir = out.to_str().unwrap();
    let told = machine.run(&["generate", &document, "--out", dir]).done();
    assert!(told.stdout.contains(": 3 entities, "), "{told:#?}");
    let first = files(&out);
    assert!(first.contains_key("schema/contacts.sqlite.sql"));
    assert!(first.contains_key("entities/contacts.ts"));
    let again = machine
        .run(&["generate", &document, "--out", dir, "--json"])
        .done()
        .json();
    assert_eq!(again["written"].as_array().unwrap().len(), 0);
    assert_eq!(again["removed"].as_array().unwrap().len(), 0);
    assert_eq!(files(&out), first);
    fs::remove_dir_all(&out).unwrap();
    machine.run(&["generate", &document, "--out", dir]).done();
    assert_eq!(files(&out), first);
}

#[test]
fn the_clients_of_the_tree_are_what_their_documents_give() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (document, folder) in [
        (
            "packages/client/test/openapi.yaml",
            "packages/client/test/generated",
        ),
        (
            "examples/finance-tracker/openapi.yaml",
            "examples/finance-tracker/src/generated",
        ),
    ] {
        let (document, folder) = (root.join(document), root.join(folder));
        let words = [
            document.to_str().unwrap(),
            "--out",
            folder.to_str().unwrap(),
        ];
        Machine::new()
            .run(&["generate", words[0], words[1], words[2], "--check"])
            .done();
    }
}

#[test]
fn the_client_without_a_database_is_what_its_document_gives() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages/client/test");
    let document = package.join("openapi.yaml");
    let committed = package.join("generated-memory");
    let (document, committed) = (document.to_str().unwrap(), committed.to_str().unwrap());
    let check = [
        "generate", document, "--out", committed, "--local", "memory", "--check",
    ];
    Machine::new().run(&check).done();
}

#[test]
fn what_is_no_longer_written_goes_and_what_others_wrote_stays() {
    let (machine, document, out) = machine();
    let dir = out.to_str().unwrap();
    machine.run(&["generate", &document, "--out", dir]).done();
    fs::write(out.join("types/mine.ts"), "export {};\n").unwrap();
    let edited = out.join("hooks/contacts.ts");
    fs::write(&edited, "// mine now\n").unwrap();
    let types = ["generate", &document, "--out", dir, "--only", "types"];
    let told = "hooks/contacts.ts is no longer written, and was edited: it stays";
    machine
        .run(&[&types[..], &["--check"]].concat())
        .failed(1, "client_stale")
        .says(told);
    machine.run(&types).done().says(told);
    let left: Vec<String> = files(&out).into_keys().collect();
    assert!(left.contains(&"types/mine.ts".to_owned()));
    assert!(left.contains(&"hooks/contacts.ts".to_owned()), "{left:?}");
    assert!(left.contains(&"types/contacts.ts".to_owned()));
    assert!(!left.iter().any(|path| path.starts_with("schema/")));
    // It is its editor's now, and stands in the way.
    machine
        .run(&["generate", &document, "--out", dir])
        .failed(1, "foreign_files")
        .says("hooks/contacts.ts");
    assert_eq!(fs::read_to_string(&edited).unwrap(), "// mine now\n");
}

#[test]
fn a_check_tells_a_stale_folder_and_writes_nothing() {
    let (machine, document, out) = machine();
    let dir = out.to_str().unwrap();
    let words = ["generate", &document, "--out", dir, "--check"];
    machine.run(&words).failed(1, "client_stale");
    assert!(!out.exists());
    machine.run(&["generate", &document, "--out", dir]).done();
    let fresh = machine.run(&words).done().stdout;
    assert!(fresh.contains(&format!("files, as {document} gives them\n")));
    let told = machine.run(&[&words[..], &["--json"]].concat()).json();
    assert_eq!((&told["out"], &told["written"]), (&json!(dir), &json!([])));
    fs::write(&document, DOCUMENT.replace("local_notes", "private_notes")).unwrap();
    let before = files(&out);
    machine
        .run(&words)
        .failed(1, "client_stale")
        .says("types/contacts.ts differs")
        .says("syncline generate");
    assert_eq!(files(&out), before);
}

#[test]
fn the_command_that_mends_a_stale_folder_writes_what_was_asked_for() {
    let (machine, document, out) = machine();
    let dir = out.to_str().unwrap();
    let words = ["generate", &document, "--out", dir, "--check"];
    let command = format!("syncline generate {document} --out {dir}");
    machine
        .run(
            &[
                &words[..],
                &["--local", "memory", "--only", "types,entities"],
            ]
            .concat(),
        )
        .failed(1, "client_stale")
        .says(&format!("{command} --only types,entities --local memory"));
}

#[test]
fn a_field_that_has_nothing_to_be_kept_in_is_told() {
    let (machine, document, out) = machine();
    let dir = out.to_str().unwrap();
    let words = ["generate", &document, "--out", dir, "--local", "memory"];
    machine
        .run(&words)
        .done()
        .says("openapi.yaml:48:9: warning[left_out]: accounts.hint never leaves")
        .says("openapi.yaml:61:9: warning[left_out]: contacts.local_notes never leaves");
    let written = machine.run(&[&words[..], &["--json"]].concat()).done();
    let told = written.json()["diagnostics"].as_array().unwrap().clone();
    let told = told.iter().filter(|one| one["code"] == "left_out");
    let told: Vec<_> = told.map(|one| one["line"].clone()).collect();
    assert_eq!(told, [48, 61]);
    assert_eq!(
        written.json()["left_out"],
        serde_json::json!(["accounts.hint", "contacts.local_notes"])
    );
}

/// A page in memory puts changed rows together by assignments, and none makes a field of this name.
#[test]
fn a_field_that_cannot_be_kept_in_memory_is_told() {
    let (machine, _, out) = machine();
    let dir = out.to_str().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/tests/fixtures");
    let document = fixtures.join("awkward-names.yaml");
    let words = ["generate", document.to_str().unwrap(), "--out", dir];
    let in_memory = [&words[..], &["--local", "memory"]].concat();
    machine
        .run(&in_memory)
        .done()
        .says("names.yaml:9:94: warning[name]: select.__proto__ can't be kept")
        .says("rename it, or write the client without --local memory");
    // It is no field that is left out.
    let written = machine.run(&[&in_memory[..], &["--json"]].concat()).done();
    let left_out = written.json()["left_out"].to_string();
    assert!(!left_out.contains("__proto__"), "{left_out}");
    let with_a_database = machine.run(&words).done();
    assert!(
        !with_a_database.stderr.contains("__proto__"),
        "{with_a_database:#?}"
    );
}

#[test]
fn a_document_that_cannot_be_used_leaves_the_folder_as_it_was() {
    let (machine, document, out) = machine();
    let dir = out.to_str().unwrap();
    machine.run(&["generate", &document, "--out", dir]).done();
    let before = files(&out);
    for (text, code) in [
        ("{", "document_invalid"),
        (
            "openapi: 3.0.0\ninfo: {title: t, version: '1'}\npaths: {}\n",
            "no_entities",
        ),
        (
            &DOCUMENT.replace("financial: [credit_limit]", "financial: [nothing]"),
            "document_invalid",
        ),
    ] {
        fs::write(&document, text).unwrap();
        // What is wrong with the document comes first, then that it can't be used.
        let said = machine
            .run(&["generate", &document, "--out", dir])
            .says(&format!("error[{code}]: "))
            .says("nothing was written");
        assert_eq!(said.code, Some(1));
        assert_eq!(files(&out), before);
    }
    machine
        .run(&["generate", "nowhere.yaml", "--out", dir])
        .failed(1, "document_unreadable")
        .says("fix:   name the document's file, or its address");
    assert_eq!(files(&out), before);
}

#[test]
fn what_may_be_secret_in_the_address_of_a_document_is_not_told() {
    let machine = Machine::new();
    let out = machine.work_dir().join("out");
    let address = "http://ada:hush@127.0.0.1:1/openapi.json?token=hush";
    let generate = ["generate", address, "--out", out.to_str().unwrap()];
    for words in [&generate[..], &[&generate[..], &["--json"]].concat()] {
        let answer = machine.run(words);
        assert_eq!(answer.code, Some(1));
        let told = "could not read http://127.0.0.1:1/openapi.json?token=…";
        let answer = answer.says(told);
        assert!(!answer.stderr.contains("hush") && !answer.stdout.contains("hush"));
    }
}

#[test]
fn a_name_that_does_not_fit_a_local_database_is_told() {
    let (machine, document, out) = machine();
    fs::write(&document, DOCUMENT.replace("local_notes", "_is_new")).unwrap();
    let run = machine.run(&["generate", &document, "--out", out.to_str().unwrap()]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    run.says("error[names_invalid]: ")
        .says("openapi.yaml:61:9: error[name]: entity \"contacts\": its field \"_is_new\"");
    assert!(!out.exists());
}

#[test]
fn what_is_wrong_with_a_document_is_data_under_json() {
    let (machine, document, out) = machine();
    let name = DOCUMENT.replace("local_notes", "_is_new");
    let role = DOCUMENT.replace("financial: [credit_limit]", "financial: [nothing]");
    let empty = "openapi: 3.0.0\ninfo: {title: t, version: '1'}\npaths: {'/a': {get: {}}}\n";
    for (text, code, first) in [
        (&*name, "names_invalid", "name"),
        (&*role, "document_invalid", "unknown_field"),
        ("{", "document_invalid", "syntax"),
        (empty, "no_entities", "custom_operation"),
    ] {
        fs::write(&document, text).unwrap();
        let run = machine.run(&[
            "generate",
            &document,
            "--out",
            out.to_str().unwrap(),
            "--json",
        ]);
        let (data, told) = (run.json(), run.says(&format!("\"code\":\"{code}\"")));
        assert_eq!(told.code, Some(1));
        assert_eq!(data["document"], document);
        let diagnostics = data["diagnostics"].as_array().unwrap();
        let found = diagnostics.iter().find(|one| one["code"] == first);
        let found = found.unwrap_or_else(|| panic!("{first}: {data}"));
        assert!(
            found["line"].as_u64() > Some(0) && found["column"].as_u64() > Some(0),
            "{found}"
        );
        // What a program reads it reads once.
        assert!(
            !told.stderr.contains(&format!("[{first}]")),
            "{}",
            told.stderr
        );
        if code == "document_invalid" {
            let checked = machine.run(&["schema", "check", &document, "--json"]);
            assert_eq!(data["diagnostics"], checked.json()["diagnostics"]);
        }
    }
    assert!(!out.exists());
}

/// A disk without room, and one that may not be written to.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_cannot_be_written_whole_is_not_written() {
    use crate::bad_disk::{Denied, bound_by_modes, with_files_up_to};
    use crate::machine::finish;

    let (machine, document, out) = machine();
    let command = ["generate", &document, "--out", out.to_str().unwrap()];
    machine.run(&command).done();
    let before = files(&out);
    fs::write(&document, DOCUMENT.replace("local_notes", "private_notes")).unwrap();
    let fails = |code: &str, command: &std::process::Command| {
        let answer = finish(bound_by_modes(command), b"").failed(1, code);
        answer.says("cause: ").says("none is half-written");
    };
    // Types fit into so little, statements don't.
    let bounded = with_files_up_to(8, &machine.command(&command));
    fails("file_limit", &bounded);
    assert!(files(&out) == before);
    let denied = Denied::below(&out);
    fails("folder_unwritable", &machine.command(&command));
    drop(denied);
    assert!(files(&out) == before);
    machine.run(&command).done();
    assert!(files(&out) != before);
}

/// More files than a process may have open.
#[cfg(unix)]
#[test]
fn a_document_of_many_entities_is_written_with_few_files_open() {
    use crate::machine::finish;

    let (machine, document, out) = machine();
    let mut text = "openapi: 3.1.0\npaths:\n".to_owned();
    for at in 0..20 {
        text.push_str(&format!(
            "  /things{at}:\n    get: {{ responses: {{ '200': {{ content: {{ application/json: {{ schema: {{ type: \
             array, items: {{ type: object, properties: {{ id: {{ type: string }} }} }} }} }} }} }} }} }}\n"
        ));
    }
    fs::write(&document, text).unwrap();
    let command = machine.command(&["generate", &document, "--out", out.to_str().unwrap()]);
    let mut bound = std::process::Command::new("sh");
    bound
        .args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(command.get_current_dir().unwrap())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    finish(bound, b"").done();
    assert!(files(&out).len() > 100);
}
