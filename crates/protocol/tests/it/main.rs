//! The wire, the stream and the admission, seen from outside.

mod admission;
mod answers;
mod generators;
mod liveness;
mod pages;
mod pushes;
mod streams;
