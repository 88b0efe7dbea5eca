use syncline_model::{ActorId, TenantId, UserId};
use syncline_store::control::DataDirectory;
use tempfile::TempDir;

use super::*;
use crate::auth::{AuthMode, Exposure};
use crate::config::ServeConfig;
use crate::log::Tenants;
use crate::metrics::Metrics;
use crate::server::now;
use crate::tenant::{RecordChange, RecordWrite};

const LIMIT: PageLimit = PageLimit {
    ops: 10,
    bytes: 1 << 20,
};

fn editor() -> Result<Asker, Refused> {
    Ok(Asker {
        user: UserId::new("ada").unwrap(),
        role: Role::Editor,
    })
}

#[tokio::test]
async fn a_page_is_never_of_another_schema_than_the_sight_that_it_is_seen_by() {
    let root = TempDir::new().unwrap();
    let exposure = Exposure::LoopbackOnly;
    let config = ServeConfig::new(root.path(), AuthMode::None { exposure });
    let directory = DataDirectory::open(root.path()).unwrap();
    let actor = ActorId::new("server-1").unwrap();
    let metrics = Arc::new(Metrics::new());
    let tenants = Tenants::start(&config, directory, actor, metrics, now).unwrap();
    let tenant = tenants.open(&TenantId::new("acme").unwrap()).await.unwrap();
    let all = Claims::default;
    let seen = tenant.page_as_seen(all(), LIMIT, None, editor);
    assert!(matches!(seen.await.unwrap().1, Sight::Plain));

    let schema = serde_json::json!({"entities": [{"name": "notes", "singular": "note",
        "key": "id", "fields": [{"name": "id", "kind": "text"}], "mode": {"kind": "confirmed"}}]});
    let write = RecordWrite {
        asker: editor().unwrap(),
        change: RecordChange::Schema {
            schema: serde_json::from_value(schema).unwrap(),
            allow: Vec::new(),
        },
        repeat: None,
        after: Vec::new(),
        salt: None,
    };
    tenant.write_record(write, Arc::default()).await.unwrap();

    // What was known before the commit, as a request finds it that came just then.
    let known = &tenant.shared.schema;
    let be_late = || known.keep(known.generation.load(SeqCst), &None);
    be_late();
    let late = tenant.sight(editor).await.unwrap();
    assert!(matches!(late, Sight::Plain));
    let page = tenant.page_for(all(), LIMIT, &late, None).await.unwrap();
    assert!(page.is_none());
    let asker = editor().unwrap();
    for late in [
        Sight::Whole(Role::Editor, ServerSeq(0)),
        Sight::Part(asker, Arc::default(), ServerSeq(0)),
    ] {
        let page = tenant.page_for(all(), LIMIT, &late, None).await.unwrap();
        assert!(page.is_none(), "{late:?}");
    }
    let seen = tenant.page_as_seen(all(), LIMIT, None, editor);
    let place = ServerSeq(1);
    assert!(matches!(seen.await.unwrap().1, Sight::Whole(Role::Editor, at) if at == place));
}
