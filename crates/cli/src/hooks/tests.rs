//! Hooks come and go, and leave every settings file as it was.

use std::path::Path;

use proptest::prelude::*;

use super::agents::{HookAgent, Program};
use super::plan::{PlanError, Settings, State, Verb};
use crate::failure::Failure;

const LISTED: [HookAgent; 2] = [HookAgent::ClaudeCode, HookAgent::Cursor];

fn program(path: &str) -> Program {
    let words = vec![path.to_owned()];
    Program { words }
}

fn settings(agent: HookAgent, home: &Path) -> Settings {
    Settings {
        agent,
        file: agent.file(home, |_| None),
        program: program("/opt/syncline"),
        data_dir: home.join("data"),
    }
}

fn write(settings: &Settings, text: &str) {
    std::fs::create_dir_all(settings.file.parent().unwrap()).unwrap();
    std::fs::write(&settings.file, text).unwrap();
}

fn read(settings: &Settings) -> Option<String> {
    std::fs::read_to_string(&settings.file).ok()
}

fn change(settings: &Settings, verb: Verb) {
    settings.clone().plan(verb).unwrap().carry_out().unwrap();
}

/// Puts hooks into a text, twice, and takes them out; gives what stood there meanwhile.
fn there_and_back(agent: HookAgent, text: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(agent, home.path());
    write(&settings, text);
    change(&settings, Verb::Install);
    let with = read(&settings).unwrap();
    assert_eq!(settings.state().unwrap(), State::Installed);
    change(&settings, Verb::Install);
    assert_eq!(read(&settings).as_ref(), Some(&with));
    change(&settings, Verb::Uninstall);
    assert_eq!(read(&settings).as_deref(), Some(text), "{with}");
    change(&settings, Verb::Uninstall);
    assert_eq!(read(&settings).as_deref(), Some(text));
    with
}

#[test]
fn every_layout_of_settings_comes_back_to_the_byte() {
    for text in [
        "",
        "\n",
        "// nothing yet",
        "{}",
        "{}\r\n",
        "\u{feff}{ }",
        "{\n}\n",
        "{\n  // nothing yet\n}\n",
        "{ /* nothing yet */ }",
        r#"{"model":"opus"}"#,
        "{\n\t\"model\": \"opus\"\n}",
        "{\r\n    \"model\": \"opus\", // the best\r\n}\r\n",
        "{\n  \"model\": \"opus\" // the best\n  // and no other\n}\n",
        "{ \"a\": 1 // one\n}",
        "{\"hooks\": {}}",
        "{\"hooks\": {\"Stop\": [], \"stop\": []}}",
        "{\n  \"hooks\": {\n    \"Stop\": [\n    ]\n  },\n  \"z\": 1\n}\n",
        "{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"say done\"}]}],\"stop\":[{\"command\":\"x\"}]}}",
        "{\n  \"hooks\": {\n    \"SessionEnd\": [\n      { \"hooks\": [] } // theirs\n    ], // last\n  }\n}\n",
    ] {
        for agent in LISTED {
            there_and_back(agent, text);
        }
    }
}

#[test]
fn a_program_of_another_name_is_not_put_into_settings_where_nothing_else_tells_our_hooks() {
    let home = tempfile::tempdir().unwrap();
    for agent in [HookAgent::ClaudeCode, HookAgent::Cursor, HookAgent::Codex] {
        let settings = Settings {
            program: program("/opt/sl"),
            ..settings(agent, home.path())
        };
        let failure = Failure::from(settings.clone().plan(Verb::Install).unwrap_err());
        let report = failure.report().unwrap();
        assert_eq!(report.code, "program_name", "{report:?}");
        assert!(settings.plan(Verb::Uninstall).is_ok());
    }
    let settings = Settings {
        program: program("/opt/sl"),
        ..settings(HookAgent::OpenCode, home.path())
    };
    change(&settings, Verb::Install);
    assert_eq!(settings.state().unwrap(), State::Installed);
}

#[test]
fn hooks_are_laid_out_as_the_settings_are() {
    let with = there_and_back(
        HookAgent::ClaudeCode,
        "{\n    \"model\": \"opus\", // the best\n    \"a\": []\n}\n",
    );
    let stop = "        \"Stop\": [\n            {\n                \"hooks\": [\n                    {\n                        \"type\": \"command\",\n                        \"command\": \"/opt/syncline hook run claude-code Stop\",\n";
    assert!(with.contains(stop), "{with}");
    assert!(with.starts_with(
        "{\n    \"model\": \"opus\", // the best\n    \"a\": [],\n    \"hooks\": {\n"
    ));
    let with = there_and_back(
        HookAgent::Cursor,
        "{\"version\":1,\"hooks\":{\"stop\":[{\"command\":\"x\"}]}}",
    );
    let stop =
        "\"stop\":[{\"command\":\"x\"}, { \"command\": \"/opt/syncline hook run cursor stop\" }]";
    assert!(with.contains(stop) && !with.contains('\n'), "{with}");
}

#[test]
fn a_file_that_was_not_there_goes_with_its_directories() {
    for agent in HookAgent::ALL {
        let home = tempfile::tempdir().unwrap();
        let settings = settings(agent, home.path());
        change(&settings, Verb::Install);
        assert_eq!(settings.state().unwrap(), State::Installed);
        change(&settings, Verb::Uninstall);
        let mut left: Vec<_> = std::fs::read_dir(home.path()).unwrap().flatten().collect();
        left.retain(|entry| entry.file_name() != "data");
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn what_their_owner_adds_meanwhile_stays() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(HookAgent::ClaudeCode, home.path());
    let before = "{\n  \"model\": \"opus\"\n}\n";
    write(&settings, before);
    change(&settings, Verb::Install);
    let with = read(&settings).unwrap();
    let added = with.replacen(
        "\"model\": \"opus\"",
        "\"model\": \"haiku\",\n  \"env\": {}",
        1,
    );
    write(&settings, &added);
    change(&settings, Verb::Uninstall);
    let left = "{\n  \"model\": \"haiku\",\n  \"env\": {}\n}\n";
    assert_eq!(read(&settings).as_deref(), Some(left));
}

#[test]
fn hooks_that_their_owner_puts_among_ours_stay_without_them() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(HookAgent::ClaudeCode, home.path());
    write(&settings, "{}");
    change(&settings, Verb::Install);
    let ours = "\"command\": \"/opt/syncline hook run claude-code Stop\",\n            \"timeout\": 5\n          }";
    let with = read(&settings).unwrap();
    assert!(with.contains(ours), "{with}");
    let theirs = "{ \"type\": \"command\", \"command\": \"say done\" }";
    write(
        &settings,
        &with.replacen(ours, &format!("{ours},\n          {theirs}"), 1),
    );
    change(&settings, Verb::Uninstall);
    let left = format!(
        "{{\n  \"hooks\": {{\n    \"Stop\": [\n      {{\n        \"hooks\": [\n          {theirs}\n        ]\n      }}\n    ]\n  }}\n}}"
    );
    assert_eq!(read(&settings), Some(left));
}

#[test]
fn settings_that_their_agent_has_written_anew_lose_ours_alone() {
    for agent in LISTED {
        let home = tempfile::tempdir().unwrap();
        let settings = settings(agent, home.path());
        write(&settings, "{ \"theme\": \"dark\" } // mine");
        change(&settings, Verb::Install);
        let with = read(&settings).unwrap().replace("// mine", "");
        let value: serde_json::Value = serde_json::from_str(&with).unwrap();
        write(&settings, &serde_json::to_string(&value).unwrap());
        change(&settings, Verb::Uninstall);
        assert_eq!(read(&settings).as_deref(), Some("{\"theme\":\"dark\"}"));
    }
}

#[test]
fn a_program_that_has_moved_is_called_where_it_lies_now() {
    let before = "{\"a\": 1}\n";
    for agent in LISTED {
        let home = tempfile::tempdir().unwrap();
        let mut settings = settings(agent, home.path());
        write(&settings, before);
        change(&settings, Verb::Install);
        settings.program = program("/elsewhere/syncline");
        assert_eq!(settings.state().unwrap(), State::Outdated);
        change(&settings, Verb::Install);
        let with = read(&settings).unwrap();
        assert!(with.contains("/elsewhere/syncline") && !with.contains("/opt/syncline"));
        change(&settings, Verb::Uninstall);
        assert_eq!(read(&settings).as_deref(), Some(before));
    }
}

#[test]
fn a_lost_receipt_leaves_nothing_of_ours_behind() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(HookAgent::ClaudeCode, home.path());
    write(&settings, "{\n  \"a\": 1\n}\n");
    change(&settings, Verb::Install);
    std::fs::remove_dir_all(&settings.data_dir).unwrap();
    change(&settings, Verb::Uninstall);
    assert_eq!(read(&settings).as_deref(), Some("{\n  \"a\": 1\n}\n"));
}

#[test]
fn settings_that_change_after_they_were_looked_at_are_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(HookAgent::ClaudeCode, home.path());
    write(&settings, "{}");
    let plan = settings.clone().plan(Verb::Install).unwrap();
    write(&settings, "{\"a\": 1}");
    let refused = plan.carry_out().unwrap_err();
    assert!(matches!(refused, PlanError::Changed { .. }), "{refused}");
    assert_eq!(read(&settings).as_deref(), Some("{\"a\": 1}"));
}

/// JSON as people lay it out, with space and comments wherever they may stand.
fn layouts() -> impl Strategy<Value = String> {
    let gap = prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\n    ",
        "\r\n\t",
        " // c\n",
        " /* c */ ",
    ]);
    let scalar = prop::sample::select(vec![
        "null",
        "-1.5e3",
        "\"\"",
        "\"}\\\",{\"",
        "\"ü\"",
        "true",
    ]);
    let scalar = scalar.prop_map(str::to_owned).boxed();
    let key = prop::sample::select(vec![
        "a",
        "hooks",
        "Stop",
        "stop",
        "version",
        "b\\n",
        "SessionEnd",
    ]);
    let value = scalar.prop_recursive(4, 24, 4, move |inner| {
        let gaps = (gap.clone(), gap.clone(), gap.clone(), any::<bool>());
        let members =
            prop::collection::vec((key.clone(), gap.clone(), inner.clone(), gap.clone()), 0..4);
        let object = (members, gaps.clone()).prop_map(|(members, (first, _, last, comma))| {
            let members: Vec<String> = members
                .iter()
                .map(|(key, before, value, after)| format!("\"{key}\":{before}{value}{after}"))
                .collect();
            let comma = if comma && !members.is_empty() {
                ","
            } else {
                ""
            };
            format!(
                "{{{first}{}{comma}{last}}}",
                members.join(&format!(",{first}"))
            )
        });
        let items = prop::collection::vec(inner, 0..4);
        let array = (items, gaps).prop_map(|(items, (first, middle, last, comma))| {
            let comma = if comma && !items.is_empty() { "," } else { "" };
            format!(
                "[{first}{}{comma}{last}]",
                items.join(&format!("{middle},{first}"))
            )
        });
        prop_oneof![object, array]
    });
    value.prop_filter("settings are an object", |text| text.starts_with('{'))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2048) })]

    #[test]
    fn any_settings_come_back_to_the_byte(text in layouts()) {
        for agent in LISTED {
            let settings = settings(agent, Path::new("/home/ada"));
            // Hooks that are no lists are refused.
            let Ok((with, receipt)) = settings.installed(Some(&text), None) else { continue };
            prop_assert!(with.as_deref() != Some(&text));
            let again = settings.installed(with.as_deref(), receipt.clone()).unwrap();
            prop_assert_eq!(&again, &(with.clone(), receipt.clone()));
            let back = settings.uninstalled(with.as_deref(), receipt.as_ref()).unwrap();
            prop_assert_eq!(back, Some(text.clone()));
        }
    }

    #[test]
    fn without_a_receipt_nothing_of_ours_is_left(text in layouts()) {
        let settings = settings(HookAgent::ClaudeCode, Path::new("/home/ada"));
        if let Ok((with, _)) = settings.installed(Some(&text), None) {
            let left = settings.uninstalled(with.as_deref(), None).unwrap().unwrap();
            prop_assert!(!left.contains("syncline"), "{}", left);
            // What is left is JSON, and holds none of ours.
            prop_assert_eq!(&settings.uninstalled(Some(&left), None).unwrap(), &Some(left.clone()));
        }
    }
}
