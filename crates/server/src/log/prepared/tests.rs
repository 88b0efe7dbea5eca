use std::sync::atomic::AtomicBool;
use std::thread;

use futures_util::FutureExt;
use syncline_model::{ActorId, TenantId};
use syncline_store::FileOptions;
use syncline_store::control::DataDirectory;
use tempfile::TempDir;

use super::*;
use crate::auth::{AuthMode, Exposure};
use crate::config::ServeConfig;
use crate::log::Tenants;
use crate::metrics::Metrics;
use crate::server::now;

async fn tenant(root: &TempDir) -> Arc<Tenant> {
    let exposure = Exposure::LoopbackOnly;
    let config = ServeConfig::new(root.path(), AuthMode::None { exposure });
    let directory = DataDirectory::open(root.path()).unwrap();
    let actor = ActorId::new("server-1").unwrap();
    let metrics = Arc::new(Metrics::new());
    let tenants = Tenants::start(&config, directory, actor, metrics, now).unwrap();
    tenants.open(&TenantId::new("acme").unwrap()).await.unwrap()
}

fn adopts(prepared: PreparedFile, root: &TempDir) {
    let path = root.path().join("fetched.db");
    assert_eq!(prepared.file.metadata().unwrap().len(), prepared.bytes);
    fs::write(&path, zstd::decode_all(prepared.file).unwrap()).unwrap();
    TenantFile::adopt(&path, &FileOptions::default()).unwrap();
}

/// Those who fetch a large file are often those whose patience ends before it is made.
#[tokio::test]
async fn who_goes_before_the_file_is_made_does_not_spoil_it_for_the_next() {
    let root = TempDir::new().unwrap();
    let tenant = tenant(&root).await;
    let copy = tenant.shared.prepared.path.with_extension("copy");
    for _ in 0..20 {
        tenant.shared.prepared.erase();
        let mut first = Box::pin(tenant.prepared());
        while !copy.exists() && (&mut first).now_or_never().is_none() {
            tokio::task::yield_now().await;
        }
        drop(first);
        adopts(tenant.prepared().await.unwrap(), &root);
        adopts(tenant.prepared().await.unwrap(), &root);
    }
}

/// An erasure lets go of what is prepared, also of a file that is made at this moment.
#[tokio::test]
async fn who_asks_gets_a_file_whatever_is_erased_meanwhile() {
    let root = TempDir::new().unwrap();
    let tenant = tenant(&root).await;
    let done = Arc::new(AtomicBool::new(false));
    let eraser = {
        let (tenant, done) = (Arc::clone(&tenant), Arc::clone(&done));
        thread::spawn(move || {
            while !done.load(SeqCst) {
                tenant.shared.prepared.erase();
            }
        })
    };
    for _ in 0..200 {
        adopts(tenant.prepared().await.unwrap(), &root);
    }
    done.store(true, SeqCst);
    eraser.join().unwrap();
}
