mod room;

use std::thread;

use syncline_model::UserId;
use syncline_model::schema::Role;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

fn directory() -> (TempDir, DataDirectory) {
    let root = TempDir::new().unwrap();
    let directory = DataDirectory::open(root.path().join("data")).unwrap();
    (root, directory)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000).unwrap()
}

fn record(number: u128, tenant: &str) -> TokenRecord {
    TokenRecord {
        id: TokenId::new(Uuid::from_u128(number)),
        tenant: TenantId::new(tenant).unwrap(),
        user: UserId::new("ada").unwrap(),
        rights: Rights::Sync,
        created_at: at(0),
        expires_at: Some(at(60)),
        revoked_at: None,
        last_used_at: None,
    }
}

#[test]
fn a_token_is_found_by_its_hash_alone() {
    let (_root, directory) = directory();
    let control = ControlFile::open(&directory).unwrap();
    let token = record(1, "acme");
    control
        .insert_token(&TokenHash::of("sl_secret"), &token)
        .unwrap();

    let found = control.token_by_hash(&TokenHash::of("sl_secret")).unwrap();
    assert_eq!(found, Some(token));
    let other = control.token_by_hash(&TokenHash::of("sl_secreT")).unwrap();
    assert_eq!(other, None);
}

#[test]
fn the_file_holds_no_secret() {
    let (_root, directory) = directory();
    let control = ControlFile::open(&directory).unwrap();
    let secret = "sl_0123456789abcdef0123456789abcdef";
    control
        .insert_token(&TokenHash::of(secret), &record(1, "acme"))
        .unwrap();
    drop(control);
    let bytes = std::fs::read(directory.path().join(CONTROL_FILE_NAME)).unwrap();
    assert!(!bytes.windows(8).any(|part| part == &secret.as_bytes()[..8]));
}

#[test]
fn a_token_made_and_revoked_by_another_connection_counts_at_once() {
    let (_root, directory) = directory();
    let server = ControlFile::open(&directory).unwrap();
    let command = ControlFile::open(&directory).unwrap();
    let hash = TokenHash::of("sl_a");
    assert_eq!(server.token_by_hash(&hash).unwrap(), None);
    let before = server.data_version().unwrap();
    let changes = server.changes().count().unwrap();

    command.insert_token(&hash, &record(1, "acme")).unwrap();
    assert!(server.token_by_hash(&hash).unwrap().is_some());
    assert_ne!(server.data_version().unwrap(), before);
    assert_eq!(server.changes().count(), Some(changes + 1));

    let id = record(1, "acme").id;
    let revoked = command.revoke_token(None, id, at(5)).unwrap();
    assert_eq!(revoked, Revocation::Done);
    let found = server.token_by_hash(&hash).unwrap().unwrap();
    assert_eq!(found.revoked_at, Some(at(5)));
    assert_eq!(server.changes().count(), Some(changes + 2));
}

#[test]
fn a_tenant_revokes_its_own_tokens_only() {
    let (_root, directory) = directory();
    let control = ControlFile::open(&directory).unwrap();
    let token = record(1, "acme");
    control
        .insert_token(&TokenHash::of("sl_a"), &token)
        .unwrap();

    let other = TenantId::new("umbrella").unwrap();
    let refused = control.revoke_token(Some(&other), token.id, at(1)).unwrap();
    assert_eq!(refused, Revocation::Unknown);
    assert_eq!(control.token(token.id).unwrap().unwrap().revoked_at, None);
    let revoke = |seconds| control.revoke_token(Some(&token.tenant), token.id, at(seconds));
    assert_eq!(revoke(1).unwrap(), Revocation::Done);
    assert_eq!(revoke(2).unwrap(), Revocation::Repeated);
    assert_eq!(
        control.token(token.id).unwrap().unwrap().revoked_at,
        Some(at(1))
    );
}

#[test]
fn lists_are_by_tenant_and_in_order_of_making() {
    let (_root, directory) = directory();
    let control = ControlFile::open(&directory).unwrap();
    for (number, tenant) in [(3, "b"), (2, "a"), (1, "a")] {
        let mut token = record(number, tenant);
        token.created_at = at(number as i64);
        let hash = TokenHash::of(&number.to_string());
        control.insert_token(&hash, &token).unwrap();
    }
    let ids = |tenant: Option<&str>| {
        let tenant = tenant.map(|name| TenantId::new(name).unwrap());
        let tokens = control.tokens(tenant.as_ref()).unwrap();
        tokens.into_iter().map(|token| token.id).collect::<Vec<_>>()
    };
    let id = |number| TokenId::new(Uuid::from_u128(number));
    assert_eq!(ids(Some("a")), [id(1), id(2)]);
    assert_eq!(ids(None), [id(1), id(2), id(3)]);
    let tenants = control.tenants().unwrap();
    let names: Vec<_> = tenants.iter().map(|known| known.tenant.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn the_last_use_never_goes_back() {
    let (_root, directory) = directory();
    let control = ControlFile::open(&directory).unwrap();
    let token = record(1, "acme");
    control
        .insert_token(&TokenHash::of("sl_a"), &token)
        .unwrap();
    control.note_token_uses([(token.id, at(9))]).unwrap();
    control.note_token_uses([(token.id, at(3))]).unwrap();
    assert_eq!(
        control.token(token.id).unwrap().unwrap().last_used_at,
        Some(at(9))
    );
}

#[test]
fn processes_that_open_a_new_directory_at_once_agree() {
    let (_root, directory) = directory();
    thread::scope(|scope| {
        for number in 0..8_u128 {
            let directory = &directory;
            scope.spawn(move || {
                let control = ControlFile::open(directory).unwrap();
                let hash = TokenHash::of(&number.to_string());
                control
                    .insert_token(&hash, &record(number, "acme"))
                    .unwrap();
            });
        }
    });
    let control = ControlFile::open(&directory).unwrap();
    assert_eq!(control.tokens(None).unwrap().len(), 8);
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let (_root, directory) = directory();
    drop(ControlFile::open(&directory).unwrap());
    let path = directory.path().join(CONTROL_FILE_NAME);
    let raw = Connection::open(&path).unwrap();
    raw.pragma_update(None, "user_version", FORMAT + 1).unwrap();

    let error = ControlFile::open(&directory).unwrap_err();
    assert!(matches!(error, ControlOpenError::NewerFormat { found, .. } if found == FORMAT + 1));
    assert_eq!(integer_pragma(&raw, "user_version").unwrap(), FORMAT + 1);
}

#[test]
fn a_file_of_something_else_is_refused() {
    let (_root, directory) = directory();
    let path = directory.path().join(CONTROL_FILE_NAME);
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch("CREATE TABLE theirs (x)").unwrap();
    let error = ControlFile::open(&directory).unwrap_err();
    assert!(matches!(error, ControlOpenError::Foreign { .. }));

    drop(raw);
    std::fs::write(&path, [7; 4096]).unwrap();
    let error = ControlFile::open(&directory).unwrap_err();
    assert!(matches!(error, ControlOpenError::Sqlite { .. }));
}

#[cfg(unix)]
#[test]
fn other_users_can_read_nothing() {
    use std::os::unix::fs::PermissionsExt;

    let (_root, directory) = directory();
    let control = ControlFile::open(&directory).unwrap();
    control
        .note_tenant(&TenantId::new("acme").unwrap(), at(0))
        .unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(directory.path()), 0o700);
    for name in [
        "control.db",
        "control.db-wal",
        "control.db-shm",
        "control.changes",
        "control.opening",
    ] {
        assert_eq!(mode(&directory.path().join(name)), 0o600, "{name}");
    }
}

#[test]
fn one_server_at_a_time_holds_the_directory() {
    let (_root, directory) = directory();
    let lock = directory.lock().unwrap();
    let refused = directory.lock().unwrap_err();
    assert!(matches!(refused, DataDirectoryError::Locked { .. }));
    drop(lock);
    let _free = directory.lock().unwrap();
}

#[test]
fn tenant_files_stay_apart_and_inside_their_directory() {
    let (_root, directory) = directory();
    let long = "X".repeat(128);
    let names = ["acme", "Acme", "aCME", "a..b", "con", "a@b+c", &long];
    let mut files: Vec<_> = names
        .iter()
        .map(|name| directory.tenant_file(&TenantId::new(*name).unwrap()))
        .collect();
    for file in &files {
        assert_eq!(file.parent().unwrap(), directory.path().join("tenants"));
        let name = file.file_name().unwrap().to_str().unwrap();
        assert_eq!(name.to_lowercase(), name);
        assert!(name.len() < 230, "{name}");
    }
    for file in &files {
        std::fs::write(file, "").unwrap();
    }
    let told = |known: &[KnownTenant]| {
        let mut found = directory.tenants(known).unwrap();
        found.sort();
        found
            .iter()
            .map(|tenant| tenant.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    let mut expected = names.to_vec();
    expected.sort_unstable();
    let known = names.map(|name| KnownTenant {
        tenant: TenantId::new(name).unwrap(),
        created_at: at(1),
    });
    assert_eq!(told(&known), expected);
    // The longest is written as a digest, which says nothing by itself.
    expected.retain(|name| *name != long);
    assert_eq!(told(&[]), expected);
    files.sort();
    files.dedup();
    assert_eq!(files.len(), names.len());
}

/// Changing the schema asks for a new format, a migration from the last, and then for this line.
#[test]
fn the_schema_is_that_of_its_format() {
    let (_root, directory) = directory();
    let control = ControlFile::open(&directory).unwrap();
    let mut statement = control
        .connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
        .unwrap();
    let statements: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let found = format!("-- format {FORMAT}\n{};\n", statements.join(";\n\n"));
    assert_eq!(found, include_str!("schema.snapshot.sql"));
}

#[test]
fn a_file_of_the_first_format_gets_what_it_lacks_and_keeps_what_it_has() {
    let (_root, directory) = directory();
    let path = directory.private_file(CONTROL_FILE_NAME).unwrap();
    let old = Connection::open(path).unwrap();
    let made = format!(
        "{} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1; \
         INSERT INTO tenants VALUES ('acme', 7);",
        FORMATS[0]
    );
    old.execute_batch(&made).unwrap();
    drop(old);
    let control = ControlFile::open(&directory).unwrap();
    assert_eq!(control.tenants().unwrap().len(), 1);
    assert_eq!(control.take_order(at(1)).unwrap(), None);
}

#[test]
fn a_member_has_the_role_that_was_given_last() {
    let (_root, directory) = directory();
    let control = ControlFile::open(&directory).unwrap();
    let (acme, ada) = (TenantId::new("acme").unwrap(), UserId::new("ada").unwrap());
    let member = |role, millis| Member {
        tenant: acme.clone(),
        user: ada.clone(),
        role,
        changed_at: at(millis),
    };
    assert_eq!(control.role(&acme, &ada).unwrap(), None);
    let before = control.changes().count();
    control.put_member(&member(Role::Viewer, 1)).unwrap();
    control.put_member(&member(Role::Owner, 2)).unwrap();
    assert!(before < control.changes().count());
    assert_eq!(control.role(&acme, &ada).unwrap(), Some(Role::Owner));
    assert_eq!(control.members(None).unwrap(), [member(Role::Owner, 2)]);
    let other = TenantId::new("other").unwrap();
    assert_eq!(control.role(&other, &ada).unwrap(), None);
    assert_eq!(control.members(Some(&other)).unwrap(), []);
    assert!(control.remove_member(&acme, &ada).unwrap());
    assert!(!control.remove_member(&acme, &ada).unwrap());
    assert_eq!(control.role(&acme, &ada).unwrap(), None);
}

#[test]
fn an_order_is_taken_once_and_answered_to_who_placed_it() {
    let (_root, directory) = directory();
    let asking = ControlFile::open(&directory).unwrap();
    let serving = ControlFile::open(&directory).unwrap();
    let order = |n: u8, work| Order {
        id: OrderId::new([n; 16]),
        tenant: TenantId::new("acme").unwrap(),
        work,
    };
    let hour = Duration::from_secs(3_600);
    let compact = order(
        2,
        OrderedWork::Compact {
            retention: Duration::ZERO,
            idle: hour,
        },
    );
    let expire = order(1, OrderedWork::Expire { idle: hour });
    asking.place_order(&compact, at(1)).unwrap();
    asking.place_order(&expire, at(2)).unwrap();
    let news = |order: &Order| asking.order_news(&order.id).unwrap();
    assert_eq!(news(&compact), OrderNews::Placed);
    assert_eq!(serving.take_order(at(3)).unwrap(), Some(compact.clone()));
    assert_eq!(news(&expire), OrderNews::Behind);
    assert_eq!(serving.take_order(at(3)).unwrap(), Some(expire.clone()));
    assert_eq!(serving.take_order(at(3)).unwrap(), None);
    serving.note_order_progress(&compact.id, "half").unwrap();
    let progress = Some("half".to_owned());
    assert_eq!(news(&compact), OrderNews::Taken { progress });
    assert_eq!(news(&expire), OrderNews::Taken { progress: None });
    serving.answer_order(&compact.id, "all").unwrap();
    let answer = "all".to_owned();
    assert_eq!(news(&compact), OrderNews::Answered { answer });
    serving.answer_order(&expire.id, "all").unwrap();
    let next = order(3, OrderedWork::Expire { idle: hour });
    asking.place_order(&next, at(4)).unwrap();
    assert_eq!(news(&next), OrderNews::Placed);
    asking.drop_order(&compact.id).unwrap();
    serving.drop_orders().unwrap();
    for order in [&compact, &expire] {
        assert_eq!(news(order), OrderNews::Gone);
    }
}

/// The logs may lie on another disk.
#[test]
fn there_is_room_where_the_directory_and_its_logs_both_have_some() {
    let place = tempfile::tempdir().unwrap();
    let data = DataDirectory::open(place.path().join("data")).unwrap();
    assert!(data.has_room(10) && data.takes_writes(10));
    for within in ["", "tenants"] {
        let full = data.path().join(within).join("room.tmp");
        std::fs::create_dir(&full).unwrap();
        assert!(!data.has_room(10), "{}", full.display());
        assert_eq!(data.takes_writes(10), within.is_empty());
        std::fs::remove_dir(&full).unwrap();
    }
    assert!(data.has_room(10) && data.takes_writes(10));
    let left = std::fs::read_dir(data.path().join("tenants")).unwrap();
    assert_eq!(left.count(), 0);
}
