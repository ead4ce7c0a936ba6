//! The door: a second handle of the listener, which closes it without losing who has come in.
//!
//! A listener that is closed resets every connection that waits to be accepted, and their clients have sent their
//! requests by then. So the system first drops the packets that begin a connection (a client repeats them after a
//! second, and is refused then), while connections that are half open complete and are accepted as ever. Once none is
//! left, the listener closes.
use std::io;
use std::net::{Shutdown, TcpListener};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{SockFilter, SockRef};

/// Where a TCP header has its flags (RFC 9293 §3.1).
const FLAGS_OFFSET: u32 = 13;
/// The bits SYN and ACK of them.
const SYN_AND_ACK: u32 = 0x12;
/// SYN without ACK: a client begins a connection.
const SYN_ALONE: u32 = 0x02;

/// A classic BPF program (`linux/bpf_common.h`) that a listener runs over each segment, from its TCP header on; it gives
/// how many bytes to keep.
const WITHOUT_NEW_CONNECTIONS: [SockFilter; 5] = [
    // BPF_LD | BPF_B | BPF_ABS: load the flags.
    SockFilter::new(0x30, 0, 0, FLAGS_OFFSET),
    // BPF_ALU | BPF_AND | BPF_K: mask them.
    SockFilter::new(0x54, 0, 0, SYN_AND_ACK),
    // BPF_JMP | BPF_JEQ | BPF_K: the next instruction for those who begin, else the one after it.
    SockFilter::new(0x15, 0, 1, SYN_ALONE),
    // BPF_RET | BPF_K: nothing of it is kept.
    SockFilter::new(0x06, 0, 0, 0),
    // All of it is kept.
    SockFilter::new(0x06, 0, 0, u32::MAX),
];

/// A second handle of the server's listener.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
}

impl Door {
    /// Takes a second handle.
    ///
    /// # Errors
    /// Where the system has no descriptor left.
    pub(super) fn of(listener: &TcpListener) -> io::Result<Self> {
        Ok(Self {
            listener: listener.try_clone()?,
        })
    }

    /// Lets nobody begin a connection from now on. Where the system refuses that, closing the door may reset who comes in
    /// its last moment, and no more.
    pub(super) fn let_nobody_begin(&self) {
        if let Err(refused) = SockRef::from(&self.listener).attach_filter(&WITHOUT_NEW_CONNECTIONS) {
            log::debug!("the listener takes no filter: {refused}");
        }
    }

    /// Tells whether a connection waits to be accepted.
    pub(super) fn has_waiting(&self) -> bool {
        let mut listener = [PollFd::new(&self.listener, PollFlags::IN)];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut listener, Some(&at_once)).is_ok_and(|ready| ready > 0)
    }

    /// Stops listening, whoever else has a handle: from now on the system refuses clients at once.
    pub(super) fn close(&self) {
        if let Err(refused) = SockRef::from(&self.listener).shutdown(Shutdown::Read) {
            log::debug!("the listener cannot be closed: {refused}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpStream;
    use std::time::{Duration, Instant};

    use test_support::wait::PATIENCE;

    use super::*;

    #[test]
    fn who_has_come_in_is_accepted_and_whoever_comes_later_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, door) = (listener.local_addr().unwrap(), Door::of(&listener).unwrap());
        assert!(!door.has_waiting());
        let mut early = TcpStream::connect(address).unwrap();
        early.write_all(b"request").unwrap();
        // Its last packet may still be on its way through the system.
        let begun = Instant::now();
        while !door.has_waiting() {
            assert!(begun.elapsed() < PATIENCE);
        }

        door.let_nobody_begin();
        let late = TcpStream::connect_timeout(&address, Duration::from_millis(10));
        assert_eq!(late.unwrap_err().kind(), ErrorKind::TimedOut);

        let (mut accepted, _) = listener.accept().unwrap();
        assert!(!door.has_waiting());
        door.close();
        let refused = TcpStream::connect(address);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        accepted.read_exact(&mut [0; 7]).unwrap();
        accepted.write_all(b"answer").unwrap();
        drop(accepted);
        let mut answer = String::new();
        early.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "answer");
    }
}
