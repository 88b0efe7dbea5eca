//! Where backups may be made, and how often.

use std::path::Path;

use crate::machine::Machine;
use crate::served::Server;

#[test]
fn a_plan_of_backups_that_can_not_be_kept_is_wrong_usage() {
    let machine = Machine::new();
    let serve = |more: &[&str]| {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--data", "srv"];
        machine.run(&[&serve[..], more].concat())
    };
    for every in ["3s", "0s"] {
        serve(&["--backup-to", "backups", "--backup-every", every])
            .failed(2, "usage")
            .says("say 1m or more");
    }
    for alone in [["--backup-every", "1h"], ["--backup-keep", "3"]] {
        serve(&alone).failed(2, "usage").says("add --backup-to DIR");
    }
    serve(&["--backup-to", "srv/backups"])
        .failed(2, "backup_inside")
        .says("name a directory outside of it");
    assert!(!machine.work_dir().join("srv").exists());
    assert!(!machine.work_dir().join("backups").exists());
}

#[test]
fn a_backup_is_not_made_inside_what_it_backs_up_nor_inside_another() {
    let server = Server::start();
    let ann = server.member("ann");
    ann.run(&["thread", "new", "plan", "one"]).done();
    let host = server.machine();
    std::os::unix::fs::symlink("srv", host.work_dir().join("link")).unwrap();
    for inside in ["srv/in", "srv", "srv/not/there", "srv/../srv/in", "link/in"] {
        host.run(&["backup", inside, "--data", "srv"])
            .failed(2, "backup_inside")
            .says("name a directory outside of it");
    }
    host.run(&["backup", "copy", "--data", "srv"]).done();
    host.run(&["backup", "copy/in", "--data", "srv"])
        .failed(2, "backup_inside");
    host.run(&["backup", "--verify", "copy"]).done();
    ann.run(&["backup", "copy"]).done();
    ann.run(&["backup", "copy/in"]).failed(2, "backup_inside");
    let status = ann.run(&["status", "--json"]).done().json();
    let replica = Path::new(status["data_dir"].as_str().unwrap());
    let inside = replica.join("in");
    ann.run(&["backup", inside.to_str().unwrap()])
        .failed(2, "backup_inside");
    assert!(replica.is_dir() && !inside.exists());
}
