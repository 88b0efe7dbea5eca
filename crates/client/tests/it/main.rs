//! Replicas and a real server, over real sockets.

mod house;
mod live;
mod login;
mod processes;
mod proxy;
mod recovery;
mod trouble;
