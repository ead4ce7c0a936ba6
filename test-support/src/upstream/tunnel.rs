//! What a proxy does after CONNECT.
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use super::answer::{Answer, Tunnel};

/// Passes everything on until either side ends, or as many bytes have come as are to.
pub(super) fn serve(mut client: TcpStream, answer: &Answer, way: Tunnel) {
    let Ok(server) = TcpStream::connect(way.to) else {
        let _ = Answer::status(502).write(&mut client);
        let _ = client.shutdown(Shutdown::Both);
        return;
    };
    if answer.write(&mut client).is_err() {
        return;
    }
    let (sending, receiving) = (
        client.try_clone().expect("a second handle"),
        server.try_clone().expect("a second handle"),
    );
    let requests = thread::spawn(move || {
        let _ = pass_on(sending, &receiving, None);
        let _ = receiving.shutdown(Shutdown::Write);
    });
    let is_reset = pass_on(server, &client, way.reset_after).is_ok_and(|all| !all);
    // Wakes the other thread, which has the other handle.
    if is_reset {
        let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
        let _ = client.shutdown(Shutdown::Read);
    } else {
        let _ = client.shutdown(Shutdown::Both);
    }
    let _ = requests.join();
}

/// Whether all has been passed on, and not only so many bytes.
fn pass_on(mut from: TcpStream, mut to: &TcpStream, most: Option<usize>) -> io::Result<bool> {
    let mut left = most.unwrap_or(usize::MAX);
    let mut piece = [0; 16 * 1024];
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            return Ok(true);
        }
        to.write_all(&piece[..read.min(left)])?;
        left = left.saturating_sub(read);
        if left == 0 {
            return Ok(false);
        }
    }
}
