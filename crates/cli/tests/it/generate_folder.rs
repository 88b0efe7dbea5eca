//! `syncline generate`: what else may stand in the folder that it writes.

use std::fs;

use crate::generate::{files, machine};

#[test]
fn a_foreign_file_where_a_folder_must_be_is_told_and_kept() {
    let (machine, document, out) = machine();
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("types"), "a file").unwrap();
    machine
        .run(&["generate", &document, "--out", out.to_str().unwrap()])
        .failed(1, "folder_unreadable")
        .says("nothing was written")
        .says("fix:   name a folder with --out");
    assert_eq!(files(&out).len(), 1);
    fs::remove_file(out.join("types")).unwrap();
    fs::write(
        out.join(".syncline-generated.json"),
        r#"{"about":"","files":{"../x":""}}"#,
    )
    .unwrap();
    machine
        .run(&["generate", &document, "--out", out.to_str().unwrap()])
        .failed(1, "manifest_invalid");
}

/// Without it, what is ours would be another's from then on.
#[test]
fn a_check_tells_that_the_list_of_our_files_is_gone_and_writing_mends_it() {
    let (machine, document, out) = machine();
    let dir = out.to_str().unwrap();
    machine.run(&["generate", &document, "--out", dir]).done();
    let before = files(&out);
    fs::remove_file(out.join(".syncline-generated.json")).unwrap();
    machine
        .run(&["generate", &document, "--out", dir, "--check"])
        .failed(1, "client_stale")
        .says(".syncline-generated.json differs or is missing");
    machine.run(&["generate", &document, "--out", dir]).done();
    assert_eq!(files(&out), before);
}

/// What lies behind a link is another folder's.
#[cfg(unix)]
#[test]
fn a_link_in_the_folder_is_not_followed() {
    let (machine, document, out) = machine();
    let dir = out.to_str().unwrap();
    let elsewhere = machine.work_dir().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::create_dir_all(&out).unwrap();
    std::os::unix::fs::symlink(&elsewhere, out.join("types")).unwrap();
    machine
        .run(&["generate", &document, "--out", dir])
        .failed(1, "foreign_files")
        .says("types is a link to elsewhere");
    assert_eq!(files(&elsewhere).len(), 0);
    fs::remove_file(out.join("types")).unwrap();
    machine.run(&["generate", &document, "--out", dir]).done();
    let mine = elsewhere.join("index.ts");
    fs::rename(out.join("index.ts"), &mine).unwrap();
    std::os::unix::fs::symlink(&mine, out.join("index.ts")).unwrap();
    machine
        .run(&["generate", &document, "--out", dir, "--only", "types"])
        .failed(1, "foreign_files")
        .says("index.ts is a link to elsewhere");
    // The folder itself may be one.
    let link = machine.work_dir().join("link");
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    let link = link.to_str().unwrap();
    fs::remove_file(&mine).unwrap();
    machine.run(&["generate", &document, "--out", link]).done();
    assert!(mine.exists());
}
