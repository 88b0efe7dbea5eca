//! Shapes over HTTP: Electric's protocol, on the history that the store keeps of tables with shapes.
//!
//! A shape is a definition and the place that its snapshot is of. Its answers follow from the log alone,
//! so that they can be cached by whoever stands between. A reader that waits holds neither file nor
//! queue: it is woken by commits that change what it is asked for, and reads for itself.

mod answer;
mod cache;
mod definition;
mod encode;
mod entry;
mod hub;
mod invalid;
mod live;
mod log;
mod offset;
mod request;
mod resolve;
mod settings;
mod sight;
mod snapshot;
mod sse;
mod subset;
mod uses;

pub(crate) use answer::{add_cors, preflight};
pub(crate) use hub::Hub;
pub(crate) use request::secret_of;
pub use settings::{Deletes, ShapeSettings};

pub(crate) use entry::{OpenRequests, Reading, delete, get, post};
