//! The workflows.

use std::collections::BTreeSet;

use serde_norway::Value;

use super::{of_workspace, read, root, yaml};

const CI: &str = ".github/workflows/ci.yml";
const RELEASE: &str = ".github/workflows/release.yml";
const DEPLOY: &str = ".github/workflows/deploy.yml";

fn jobs(workflow: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let jobs = workflow["jobs"].as_mapping().unwrap();
    jobs.iter().map(|(name, job)| (name.as_str().unwrap(), job))
}

/// What a workflow runs, in order.
fn scripts(path: &str) -> String {
    let workflow = yaml(path);
    let steps = jobs(&workflow).filter_map(|(_, job)| job["steps"].as_sequence());
    let steps = steps.flatten();
    let scripts = steps.filter_map(|step| step["run"].as_str());
    scripts.collect::<Vec<_>>().join("\n")
}

fn targets() -> BTreeSet<String> {
    let release = yaml(RELEASE);
    let matrix = &release["jobs"]["build"]["strategy"]["matrix"]["include"];
    let rows = matrix.as_sequence().unwrap().iter();
    rows.map(|row| row["target"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_workflow_has_jobs_of_steps_and_no_more_rights_than_it_says() {
    for path in [CI, RELEASE, DEPLOY] {
        let workflow = yaml(path);
        assert!(!workflow["on"].is_null(), "{path}");
        assert_eq!(workflow["permissions"]["contents"], "read", "{path}");
        let names: BTreeSet<_> = jobs(&workflow).map(|(name, _)| name).collect();
        for (name, job) in jobs(&workflow) {
            if let Some(called) = job["uses"].as_str() {
                let called = called.strip_prefix("./").unwrap();
                let takes_calls = yaml(called)["on"]
                    .as_mapping()
                    .unwrap()
                    .contains_key("workflow_call");
                assert!(takes_calls, "{path}: {name}");
                continue;
            }
            assert!(job["runs-on"].is_string(), "{path}: {name}");
            let needs = job["needs"].as_str();
            assert!(
                needs.is_none_or(|needs| names.contains(needs)),
                "{path}: {name}"
            );
            for step in job["steps"].as_sequence().unwrap() {
                let (uses, run) = (step["uses"].as_str(), step["run"].as_str());
                assert!(uses.is_some() != run.is_some(), "{path}: {step:?}");
                // An action without a version is whatever somebody pushes.
                assert!(
                    uses.is_none_or(|uses| uses.contains('@')),
                    "{path}: {uses:?}"
                );
            }
        }
    }
}

/// They are in no commit: nobody else misses them where the folder is another.
#[test]
fn ci_keeps_what_the_browsers_showed_from_where_the_examples_tests_leave_it() {
    let stage = read("examples/finance-tracker/test/stage.mjs");
    assert!(stage.contains(r#"join(HERE, "screenshots")"#));
    let stack = read("examples/finance-tracker/scripts/stack.mjs");
    assert!(stack.contains(r#"HERE = fileURLToPath(new URL("..", import.meta.url))"#));
    let ci = yaml(CI);
    let steps = jobs(&ci).filter_map(|(_, job)| job["steps"].as_sequence());
    let kept = steps
        .flatten()
        .filter_map(|step| step["with"]["path"].as_str());
    let folder = "examples/finance-tracker/screenshots";
    assert_eq!(kept.collect::<Vec<_>>(), [folder]);
    assert!(read("CONTRIBUTING.md").contains(folder));
}

#[test]
fn ci_runs_the_whole_check_with_the_workspaces_compiler() {
    assert!(scripts(CI).lines().any(|line| line == ".ci/run"));
    assert!(root().join(".ci/run").is_file());
    let rust = format!("rustup default {}", of_workspace("rust-version"));
    assert!(scripts(CI).contains(&rust));
    assert!(scripts(RELEASE).contains(&rust));
}

#[test]
fn a_release_has_five_targets_and_what_the_install_script_asks_for() {
    let targets = targets();
    assert_eq!(targets.len(), 5, "{targets:?}");
    let script = read("deploy/install.sh");
    for target in targets.iter().filter(|target| !target.contains("windows")) {
        let (machine, system) = target.split_once('-').unwrap();
        assert!(
            script.contains(&format!("machine={machine} ;;")),
            "{machine}"
        );
        assert!(script.contains(&format!("system={system} ;;")), "{system}");
    }
    let scripts = scripts(RELEASE);
    assert!(scripts.contains("tar -czf \"syncline-$TARGET.tar.gz\" -C pack syncline "));
    assert!(scripts.contains("sha256sum syncline-* > checksums.txt"));
    assert!(script.contains("archive=syncline-$(target).tar.gz"));
    assert!(script.contains("\"$from/checksums.txt\""));
    assert!(scripts.contains(&format!("--package {} ", env!("CARGO_PKG_NAME"))));
    for path in [
        "deploy/install.sh",
        "README.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        assert!(scripts.contains(path), "{path}");
        assert!(root().join(path).is_file(), "{path}");
    }
}

#[test]
fn a_release_publishes_the_package_of_generated_clients() {
    let release = yaml(RELEASE);
    let directory = &release["jobs"]["package"]["defaults"]["run"]["working-directory"];
    let manifest = read(&format!("{}/package.json", directory.as_str().unwrap()));
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert!(manifest["private"].is_null());
    assert_eq!(manifest["version"], of_workspace("version"));
    assert_eq!(manifest["license"], of_workspace("license"));
    // What it is built of is not in the tree: an installed compiler makes it as it is packed.
    let prepack = manifest["scripts"]["prepack"].as_str().unwrap();
    assert!(prepack.ends_with("npm run build"), "{prepack}");
    let scripts = scripts(RELEASE);
    let (install, publish) = (scripts.find("npm ci"), scripts.find("npm publish"));
    assert!(install.unwrap() < publish.unwrap());
}

#[test]
fn a_release_calls_the_deployment_as_its_own_token_starts_no_other_workflow() {
    for path in [CI, RELEASE, DEPLOY] {
        // What `github.token` does reaches none of these but a dispatch, so nothing may wait for more.
        for (event, _) in yaml(path)["on"].as_mapping().unwrap() {
            let known = ["push", "pull_request", "workflow_call", "workflow_dispatch"];
            assert!(
                known.contains(&event.as_str().unwrap()),
                "{path}: {event:?}"
            );
        }
    }
    let deploy = &yaml(RELEASE)["jobs"]["deploy"];
    assert_eq!(deploy["uses"], format!("./{DEPLOY}"));
    assert_eq!(deploy["needs"], "publish");
    assert_eq!(deploy["secrets"], "inherit");
}

#[test]
fn a_deployment_takes_the_platforms_file_and_asks_the_server_whether_it_lives() {
    let scripts = scripts(DEPLOY);
    assert!(scripts.contains("--config deploy/fly.toml"));
    assert!(scripts.contains("/health\""));
}
