//! The file of Fly.io.

use toml_edit::{DocumentMut, Item};

use super::{PORT, read, root};

fn only<'a>(fly: &'a Item, key: &str) -> &'a toml_edit::Table {
    let tables = fly[key].as_array_of_tables().unwrap();
    assert_eq!(tables.len(), 1, "{key}");
    tables.get(0).unwrap()
}

#[test]
fn the_platform_runs_the_image_and_mounts_its_data() {
    let fly: DocumentMut = read("deploy/fly.toml").parse().unwrap();
    for key in ["dockerfile", "ignorefile"] {
        let path = fly["build"][key].as_str().unwrap();
        assert!(root().join("deploy").join(path).is_file(), "{path}");
    }
    let port = PORT.to_string();
    assert_eq!(fly["env"]["PORT"].as_str(), Some(port.as_str()));
    let service = &fly["http_service"];
    assert_eq!(service["internal_port"].as_integer(), Some(PORT.into()));
    assert_eq!(service["force_https"].as_bool(), Some(true));
    let check = only(service, "checks");
    assert_eq!(check["path"].as_str(), Some("/health"));
    let mount = only(fly.as_item(), "mounts");
    let destination = mount["destination"].as_str().unwrap();
    let data = format!("SYNCLINE_SERVER_DATA={destination} ");
    assert!(read("deploy/Dockerfile").contains(&data), "{data}");
    // One log, one machine, which is there when a stream is.
    assert_eq!(service["min_machines_running"].as_integer(), Some(1));
    assert_eq!(service["auto_stop_machines"].as_str(), Some("off"));
}
