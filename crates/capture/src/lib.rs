//! What coding agents leave on a machine, read into ops: transcripts, hooks, and the secrets taken out
//! before anything is written.
