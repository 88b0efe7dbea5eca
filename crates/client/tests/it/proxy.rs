//! A network between client and server that does as it is told.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the network does with connections, those that are open too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Bytes pass both ways.
    Pass,
    /// Connections are closed at once.
    Refuse,
    /// Bytes are taken and go nowhere; nothing is ever closed.
    Swallow,
    /// Every request gets these bytes as its answer, and goes nowhere; then the connection is closed.
    Say(&'static str),
    /// Requests pass; answers are cut after this many bytes, and the connection closed.
    CutAnswers(usize),
}

/// The network. Its threads end with the process of the test.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    to: SocketAddr,
    /// Both ends of each open connection.
    open: Vec<(TcpStream, TcpStream)>,
}

impl Proxy {
    pub(crate) fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            mode: Mode::Pass,
            to,
            open: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                // A peer may be gone again already.
                let _ = client.and_then(|client| connect(client, &shared));
            }
        });
        Self { address, state }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what the network does. Only `Swallow` leaves open connections as they are.
    pub(crate) fn set(&self, mode: Mode) {
        let mut state = self.state.lock().unwrap();
        state.mode = mode;
        if mode != Mode::Swallow {
            state.cut();
        }
    }
}

impl State {
    fn cut(&mut self) {
        for (client, server) in self.open.drain(..) {
            // Either may be closed already.
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
        }
    }
}

fn connect(client: TcpStream, shared: &Arc<Mutex<State>>) -> io::Result<()> {
    let mut state = shared.lock().unwrap();
    if state.mode == Mode::Refuse {
        return Ok(());
    }
    let server = TcpStream::connect_timeout(&state.to, Duration::from_secs(5))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    state.open.push((client.try_clone()?, server.try_clone()?));
    let ways = [
        (client.try_clone()?, server.try_clone()?, Way::Request),
        (server, client, Way::Answer),
    ];
    for (from, to, way) in ways {
        let shared = Arc::clone(shared);
        std::thread::spawn(move || carry(from, to, way, &shared));
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Request,
    Answer,
}

fn carry(mut from: TcpStream, mut to: TcpStream, way: Way, shared: &Mutex<State>) {
    let mut buffer = [0; 16 * 1024];
    let mut carried = 0;
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let mode = shared.lock().unwrap().mode;
        let passes = match mode {
            Mode::Swallow => continue,
            Mode::Say(answer) => {
                if way == Way::Request {
                    // The peer may be gone already.
                    let _ = from.write_all(answer.as_bytes());
                }
                break;
            }
            Mode::CutAnswers(most) if way == Way::Answer => count.min(most - carried),
            Mode::Pass | Mode::Refuse | Mode::CutAnswers(_) => count,
        };
        carried += passes;
        if to.write_all(&buffer[..passes]).is_err() || passes < count {
            break;
        }
    }
    // Either may be closed already.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
