//! A wire that is listened to: what passes between a machine and its server goes through, and is kept.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// All bytes that have passed, of both directions and all connections.
type Passed = Arc<Mutex<Vec<u8>>>;

/// A relay in front of a server; it stands as long as the process.
pub(crate) struct Relay {
    address: SocketAddr,
    passed: Passed,
}

impl Relay {
    /// A relay to the server at `server`.
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let passed = Passed::default();
        let kept = Arc::clone(&passed);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(server) else {
                    return;
                };
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                pass(client, server, Arc::clone(&kept));
                pass(back.0, back.1, Arc::clone(&kept));
            }
        });
        Self { address, passed }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has passed so far.
    pub(crate) fn passed(&self) -> Vec<u8> {
        self.passed.lock().unwrap().clone()
    }
}

/// Passes on what comes, on a thread of its own.
fn pass(mut from: TcpStream, mut to: TcpStream, kept: Passed) {
    std::thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            kept.lock().unwrap().extend_from_slice(&bytes[..length]);
            if to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
