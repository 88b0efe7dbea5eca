//! The control socket's serving side: frames in, frames out, each connection on its own.

use std::future::Future;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::sync::Semaphore;

use crate::frame::{FrameError, framed, read_frame};
use crate::rpc::{Request, Response, RpcError};
use crate::socket::{Listener, Stream};

/// The most connections served at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 256;

/// What answers the calls of the control socket.
pub(crate) trait Methods: Send + Sync + 'static {
    fn call(
        &self,
        method: &str,
        params: Value,
    ) -> impl Future<Output = Result<Value, RpcError>> + Send;
}

/// Serves connections until the task is dropped.
pub(crate) async fn serve(mut listener: Listener, methods: Arc<impl Methods>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let place = Arc::clone(&places)
            .acquire_owned()
            .await
            .expect("it is never closed");
        match listener.accept().await {
            Ok(stream) => {
                let methods = Arc::clone(&methods);
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, &*methods).await {
                        tracing::debug!(%error, "a control connection ended early");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, say: others must close before this can go on.
                tracing::warn!(%error, "could not accept a control connection");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(stream: Stream, methods: &impl Methods) -> Result<(), FrameError> {
    let mut stream = BufReader::new(stream);
    while let Some(body) = read_frame(&mut stream).await? {
        let Some(response) = respond(&body, methods).await else {
            continue;
        };
        let bytes = serde_json::to_vec(&response).expect("a response is plain data");
        stream.get_mut().write_all(&framed(&bytes)).await?;
        stream.get_mut().flush().await?;
    }
    Ok(())
}

/// The response to one message; none to one that wants none.
async fn respond(body: &[u8], methods: &impl Methods) -> Option<Response> {
    let request: Request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => {
            let code = if error.is_data() {
                RpcError::INVALID_REQUEST
            } else {
                RpcError::PARSE
            };
            let error = RpcError::new(code, format!("not a JSON-RPC 2.0 request: {error}"));
            return Some(Response::new(Value::Null, Err(error)));
        }
    };
    let outcome = methods.call(&request.method, request.params).await;
    request.id.map(|id| Response::new(id, outcome))
}
