//! What the control socket's methods do.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_capture::hook::{HookEvent, Kept, WAITING_MAX};
use syncline_capture::redact::Redactor;
use syncline_capture::told::Told;

use super::{PROTOCOL, Service, read_params};
use crate::capture::CaptureSettings;
use crate::control::{Call, Methods};
use crate::follow::Follower;
use crate::plugin::{self, SCHEMA_VERSIONS};
use crate::read::Read;
use crate::record::internal;
use crate::rpc::RpcError;

/// One run of things that plugins told one after another: they are written together.
#[derive(Default)]
struct Run {
    told: Vec<Told>,
    /// Where the answers of each belong.
    places: Vec<usize>,
}

#[derive(Deserialize)]
struct Batch {
    calls: Vec<BatchCall>,
}

#[derive(Deserialize)]
struct BatchCall {
    method: String,
    #[serde(default)]
    params: Value,
}

/// What the answer to a call is made of.
enum Shape {
    /// The next outcome.
    One,
    /// So many outcomes.
    Batch(usize),
    Refused(RpcError),
}

impl Methods for Service {
    async fn call_all(&self, calls: Vec<Call>) -> Vec<Result<Value, RpcError>> {
        let mut single = Vec::with_capacity(calls.len());
        let mut shapes = Vec::with_capacity(calls.len());
        for (method, params) in calls {
            shapes.push(match method.as_str() {
                "batch" => match calls_of_batch(params) {
                    Ok(calls) => {
                        let count = calls.len();
                        single.extend(calls);
                        Shape::Batch(count)
                    }
                    Err(error) => Shape::Refused(error),
                },
                _ => {
                    single.push((method, params));
                    Shape::One
                }
            });
        }
        let mut outcomes = self.each(single).await.into_iter();
        let answers = shapes.into_iter().map(|shape| match shape {
            Shape::One => outcomes.next().expect("each call has an outcome"),
            Shape::Batch(count) => {
                let results = outcomes.by_ref().take(count).map(|outcome| match outcome {
                    Ok(result) => json!({ "result": result }),
                    Err(error) => json!({ "error": error }),
                });
                Ok(json!({ "results": results.collect::<Vec<_>>() }))
            }
            Shape::Refused(error) => Err(error),
        });
        answers.collect()
    }
}

/// The calls of a batch. What it says of its caller counts for each of them.
fn calls_of_batch(params: Value) -> Result<Vec<Call>, RpcError> {
    plugin::envelope(&params)?;
    let client = params.get("client").cloned();
    let Batch { calls } = read_params(params)?;
    let calls = calls.into_iter().map(|BatchCall { method, mut params }| {
        if let (Some(client), Some(params)) = (&client, params.as_object_mut()) {
            params.entry("client").or_insert_with(|| client.clone());
        }
        (method, params)
    });
    Ok(calls.collect())
}

impl Service {
    /// Does calls in their order; one that fails does not stop the others. Things that are told one
    /// after another are one transaction, and each of them is there whole or not at all.
    async fn each(&self, calls: Vec<Call>) -> Vec<Result<Value, RpcError>> {
        let mut outcomes = Vec::with_capacity(calls.len());
        let mut run = Run::default();
        for (method, params) in calls {
            let Some(thing) = plugin::thing_of(&method) else {
                self.record(&mut run, &mut outcomes).await;
                outcomes.push(self.call(&method, params).await);
                continue;
            };
            let told = plugin::told(thing, params);
            outcomes.push(told.map(|told| {
                run.places.push(outcomes.len());
                run.told.push(told);
                json!({ "ok": true })
            }));
        }
        self.record(&mut run, &mut outcomes).await;
        outcomes
    }

    /// Writes a run, and says so in its answers if it failed.
    async fn record(&self, run: &mut Run, outcomes: &mut [Result<Value, RpcError>]) {
        let Run { told, places } = std::mem::take(run);
        if told.is_empty() {
            return;
        }
        let recorder = Arc::clone(&self.recorder);
        let recorded = aside(move || recorder.record(&told)).await;
        if let Err(error) = recorded {
            for place in places {
                outcomes[place] = Err(error.clone());
            }
        }
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        if let Some(read) = Read::named(method) {
            return self.read(read, params).await;
        }
        match method {
            "health" => Ok(json!({
                "ok": true,
                "version": env!("CARGO_PKG_VERSION"),
                "protocol": PROTOCOL,
                "schemaVersions": SCHEMA_VERSIONS,
                "pid": std::process::id(),
            })),
            "hello" | "initialize" => Ok(json!({
                "ok": true,
                "schemaVersion": plugin::hello(params)?,
                "schemaVersions": SCHEMA_VERSIONS,
                "protocol": PROTOCOL,
                "version": env!("CARGO_PKG_VERSION"),
            })),
            "ensureDb" => Ok(json!({
                "dbPath": self.database().await,
                "created": self.made.swap(false, Ordering::Relaxed),
            })),
            "getDbPath" => Ok(json!({ "dbPath": self.database().await })),
            "log.write" => self.log(params),
            "batch" => {
                let message = "a batch can't hold another";
                Err(RpcError::new(RpcError::INVALID_PARAMS, message))
            }
            "hook.event" => self.hook(params).await,
            "capture.status" => Ok(self.watch.status()),
            "sync.now" => self.sync_now(params).await,
            "sync.wake" => {
                self.configure(Follower::read_again);
                self.sync.wake();
                Ok(json!({ "ok": true, "endpoint": self.endpoint() }))
            }
            "sync.status" => Ok(self.status()),
            "stop" => {
                self.stop.notify_one();
                Ok(json!({ "ok": true }))
            }
            unknown => {
                let message = format!("no method {unknown:?}");
                Err(RpcError::new(RpcError::METHOD_NOT_FOUND, message))
            }
        }
    }

    async fn read(&self, read: Read, params: Value) -> Result<Value, RpcError> {
        let reader = Arc::clone(&self.reader);
        let prices = self.in_force().prices.clone();
        aside(move || reader.read(read, params, &prices)).await
    }

    fn in_force(&self) -> MutexGuard<'_, CaptureSettings> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn database(&self) -> String {
        let reader = Arc::clone(&self.reader);
        aside(move || reader.database()).await
    }

    fn log(&self, params: Value) -> Result<Value, RpcError> {
        let redactor = Redactor::new(&self.in_force().redact);
        plugin::log(params, &redactor.map_err(|error| internal(&error))?)?;
        Ok(json!({ "ok": true }))
    }

    /// Keeps an event until it is taken: who is told that it was accepted may forget it.
    async fn hook(&self, params: Value) -> Result<Value, RpcError> {
        let event: HookEvent = read_params(params)?;
        let spool = self.spool.clone();
        let kept = aside(move || spool.put(&event)).await;
        if kept.map_err(|error| internal(&error))? == Kept::NoRoom {
            tracing::warn!(
                waiting = WAITING_MAX,
                "no room for a hook's event: all places are looked at"
            );
        }
        self.watch.take_spool();
        Ok(json!({ "accepted": true }))
    }
}

/// Runs work that waits for the disk, where it holds nobody up.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.expect("the work of a call does not panic")
}
