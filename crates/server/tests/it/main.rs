//! The server over real TCP, URL by URL.

mod bad_input;
mod bootstrap;
mod health;
mod limits;
mod matrix;
mod pull;
mod push;
mod reset;
mod stream;
mod support;
mod threads;
mod tokens;
