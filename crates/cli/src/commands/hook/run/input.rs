//! What an agent gives on standard input, as far as it comes in time.

#[cfg(not(unix))]
pub(super) use elsewhere::read;
#[cfg(unix)]
pub(super) use unix::read;

#[cfg(unix)]
mod unix {
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::{Errno, read as read_from};

    /// Reads to the end, or until there is nothing to be read once `patience` has passed: what is there
    /// by then is taken, however late this process has come to its turn.
    pub(in super::super) fn read(patience: Duration, bytes_max: usize) -> Vec<u8> {
        let begun = Instant::now();
        let input = std::io::stdin();
        let mut part = vec![0; 64 * 1024];
        let mut body = Vec::new();
        while body.len() <= bytes_max {
            let left = Timespec::try_from(patience.saturating_sub(begun.elapsed()));
            let mut ready = [PollFd::new(&input, PollFlags::IN)];
            match poll(&mut ready, left.ok().as_ref()) {
                Err(Errno::INTR) => continue,
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            match read_from(&input, &mut part[..]) {
                Err(Errno::INTR) => {}
                Ok(0) | Err(_) => break,
                Ok(length) => body.extend_from_slice(&part[..length]),
            }
        }
        body
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io::Read as _;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    /// Reads to the end, or until `patience` has passed.
    pub(in super::super) fn read(patience: Duration, bytes_max: usize) -> Vec<u8> {
        let begun = Instant::now();
        let (sender, parts) = mpsc::channel();
        // It may wait for ever; the end of the process ends it.
        std::thread::spawn(move || {
            let mut input = std::io::stdin().lock();
            let mut part = vec![0; 64 * 1024];
            while let Ok(length @ 1..) = input.read(&mut part) {
                if sender.send(part[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut body = Vec::new();
        while body.len() <= bytes_max {
            match parts.recv_timeout(patience.saturating_sub(begun.elapsed())) {
                Ok(part) => body.extend(part),
                Err(_) => break,
            }
        }
        body
    }
}
