//! A replica that is put back while its log has another name, as after a rebuild since the backup.

use syncline_store::backup::finish_replica_restore;

use super::*;

/// All files of a directory, but for those that SQLite makes anew and those whose lock is all that counts.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let named = paths.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path));
    let kept = named.filter(|(name, path)| {
        path.is_file() && !name.ends_with("-shm") && !name.ends_with(".lock")
    });
    let mut files: Vec<_> = kept
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .filter(|(_, content)| !content.is_empty())
        .collect();
    files.sort();
    files
}

fn write(directory: &Path, files: &[(String, Vec<u8>)]) {
    fs::create_dir_all(directory).unwrap();
    for (name, content) in files {
        fs::write(directory.join(name), content).unwrap();
    }
}

#[test]
fn a_log_that_has_another_name_than_that_of_the_backup_goes_aside_with_its_replica() {
    let place = Place::new();
    let (_a, copy) = backed_up(&place);
    let mut open = place.open("b");
    open.write(&[create(), entry("never sent")]).unwrap();
    // As they are in use: what was written last is in what SQLite keeps beside them.
    let before = files(&place.path("b"));
    drop(open);
    let aside = restore(&place.path("b"), &copy, |_| ())
        .unwrap()
        .aside
        .unwrap();
    let put_back = files(&place.path("b"));
    let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
        files.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&put_back).len(), 2, "{:?}", names(&put_back));
    assert_eq!(
        names(&files(&aside)).len(),
        2,
        "{:?}",
        names(&files(&aside))
    );
    // A log goes before the local file that names it.
    let (logs, locals): (Vec<_>, Vec<_>) = before
        .iter()
        .partition(|(name, _)| name.starts_with("tenant-"));
    let mut moves: Vec<_> = logs.into_iter().chain(locals).collect();
    moves.sort_by_key(|(name, _)| (!name.starts_with("tenant-"), name.ends_with(".db")));
    assert_eq!(moves.len(), 4, "{:?}", names(&before));
    for killed_after in 0..=moves.len() + 1 {
        let directory = place.path(&format!("killed-{killed_after}"));
        let (decided, aside) = (directory.join("restored"), directory.join("replaced-x"));
        write(&directory, &before);
        write(&decided, &put_back);
        fs::write(decided.join("replaces"), "replaced-x").unwrap();
        fs::create_dir(&aside).unwrap();
        for (name, _) in moves.iter().take(killed_after) {
            fs::rename(directory.join(name), aside.join(name)).unwrap();
        }
        if killed_after > moves.len() {
            let local = decided.join(LOCAL_FILE_NAME);
            fs::rename(local, directory.join(LOCAL_FILE_NAME)).unwrap();
        }
        finish_replica_restore(&directory).unwrap();
        assert_eq!(
            names(&files(&directory)),
            names(&put_back),
            "{killed_after}"
        );
        assert!(files(&directory) == put_back, "{killed_after}");
        assert_eq!(names(&files(&aside)), names(&before), "{killed_after}");
        assert!(files(&aside) == before, "{killed_after}");
    }
}

/// Builds before put files in the order of the directory.
#[test]
fn a_log_that_a_build_before_has_exchanged_before_its_local_file_stays_aside() {
    let place = Place::new();
    let (open, copy) = backed_up(&place);
    let before = files(&place.path("a"));
    drop(open);
    restore(&place.path("a"), &copy, |_| ()).unwrap();
    let put_back = files(&place.path("a"));
    let is_log = |(name, _): &&(String, Vec<u8>)| name.starts_with("tenant-");
    let (new_logs, new_locals): (Vec<_>, Vec<_>) =
        put_back.iter().cloned().partition(|f| is_log(&f));
    let (logs, locals): (Vec<_>, Vec<_>) = before.iter().cloned().partition(|f| is_log(&f));
    assert!(logs.iter().any(|(name, _)| *name == new_logs[0].0));
    let directory = place.path("killed");
    let (decided, aside) = (directory.join("restored"), directory.join("replaced-x"));
    write(&directory, &[locals, new_logs].concat());
    write(&decided, &new_locals);
    fs::write(decided.join("replaces"), "replaced-x").unwrap();
    write(&aside, &logs);
    finish_replica_restore(&directory).unwrap();
    assert!(files(&directory) == put_back);
    assert!(files(&aside) == before);
}
