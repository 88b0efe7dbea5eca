//! Import: what agents have left becomes ops, batch by batch.
//!
//! The importer finds the files that have changed since they were last read, reads them on, and gives
//! batches of ops with the notes of how far it has come. Its caller writes both in one transaction,
//! so that a crash leaves a file read as far as its ops are there. What was taken before, from this file
//! or from a copy, gives no op.

mod adopted;
mod ahead;
mod batch;
mod desk;
mod gathered;
mod halves;
mod jobs;
mod lined;
mod outputs;
mod prepare;
mod rest;
mod run;
mod stored;
mod told;
mod unread;
mod whole;
mod withhold;

pub(crate) use batch::Tally;
pub use batch::{Counts, ImportBatch, Problem};
pub(crate) use jobs::is_transcript;
pub use jobs::{Source, transcript_of};
pub use run::{ImportError, Importer, Keeping, with_causes};
pub use told::take_told;
