//! Syncline as a library: open a replica, write, query, subscribe, sync.
//!
//! Two replicas, `laptop` and `desktop`, sync through a server that this program starts for itself;
//! yours would be given an endpoint and a token. Run it with
//!
//! ```sh
//! cargo run -p syncline-client --example two_replicas
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use syncline_client::{Delivery, Remote, SyncEnd, SyncSettings, start};
use syncline_model::thread::foreign_entry_id;
use syncline_model::{Scope, Timestamp};
use syncline_replica::{NewOp, Replica, ReplicaOptions};
use syncline_server::{AuthMode, Exposure, ServeConfig};
use syncline_store::threads::{
    EntryRange, NewEntry, NewThread, PlanError, Resolved, plan_new, read_entries, resolve_key,
};
use syncline_store::{StoreError, TenantFile};

/// Long enough for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let home = tempfile::tempdir()?;
    let settings = SyncSettings::On(Remote {
        endpoint: serve(&home.path().join("server"))?.parse()?,
        token: None,
        delivery: Delivery::Live {
            interval: Duration::from_secs(30),
        },
    });

    // Open. A replica is a directory; nothing is sent anywhere by this.
    let mut laptop = open(&home.path().join("laptop"))?;
    let mut desktop = open(&home.path().join("desktop"))?;

    // Write. It is on the disk when this returns, and in the view; a server is not needed.
    let now = laptop.now();
    let written = laptop.write_with(|view| new_thread(view, now))?;
    println!(
        "laptop wrote {} ops: {:?}",
        written.keys.len(),
        entries(laptop.view()?)?
    );

    // Subscribe. Whatever changes the desktop's view from now on is told here.
    let news = desktop.subscribe();

    // Sync. Each handle runs on a thread of its own, with a handle of its own on the replica.
    let laptop_sync = start(laptop.another()?, settings.clone())?;
    let desktop_sync = start(desktop.another()?, settings)?;
    let outcome = laptop_sync.sync_now(PATIENCE);
    assert_eq!(
        outcome.end,
        SyncEnd::Synced,
        "the server is on this machine"
    );
    println!("laptop is synced: {:?}", laptop.state_of(&written.keys[0])?);

    // Query. The desktop has it without having asked.
    while entries(desktop.view()?)?.is_empty() {
        news.wait(PATIENCE).ok_or("nothing has come")?;
    }
    println!("desktop reads {:?}", entries(desktop.view()?)?);
    println!("desktop is {}", desktop_sync.status().phase.as_str());

    // Stop. This finishes the write under way; dropping a handle does the same.
    laptop_sync.stop();
    desktop_sync.stop();
    Ok(())
}

fn open(directory: &Path) -> Result<Replica, Box<dyn Error>> {
    std::fs::create_dir_all(directory)?;
    Ok(Replica::open(directory, ReplicaOptions::default())?)
}

/// The ops of a new thread with one entry, made from the view that they will change.
fn new_thread(view: &TenantFile, at: Timestamp) -> Result<Vec<NewOp>, PlanError> {
    let thread = NewThread {
        project: "example",
        key: None,
        name: "First thoughts",
        at,
    };
    let entry = NewEntry {
        // Any UUID does; one that follows from something makes a repeated write harmless.
        entry_id: foreign_entry_id("example", "first-thoughts", "1"),
        author: "laptop",
        content: "A write is an op.",
        at,
    };
    let plan = plan_new(view.connection(), &thread, &[entry])?;
    let new_op = |(resource, payload)| NewOp {
        scope: Scope::thread(),
        resource,
        payload,
    };
    Ok(plan.ops.into_iter().map(new_op).collect())
}

/// What the thread holds; nothing where it has not come yet.
fn entries(view: &TenantFile) -> Result<Vec<String>, StoreError> {
    let found = resolve_key(view.connection(), "first-thoughts", Some("example"))?;
    let Resolved::Found(thread) = found else {
        return Ok(Vec::new());
    };
    let page = read_entries(view.connection(), thread.thread_id, EntryRange::All)?;
    Ok(page
        .entries
        .into_iter()
        .map(|entry| entry.content)
        .collect())
}

/// Starts a server that ends with this program; gives its endpoint.
fn serve(data: &Path) -> Result<String, Box<dyn Error>> {
    let config = ServeConfig::new(
        data,
        AuthMode::None {
            exposure: Exposure::LoopbackOnly,
        },
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let served = syncline_server::serve(config, listener, std::future::pending()).await;
            served.map_err(std::io::Error::other)
        })
    });
    Ok(endpoint)
}
