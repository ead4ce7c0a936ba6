//! The options of each connection's socket.
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use socket2::{SockRef, TcpKeepalive};

/// How long a connection is silent before the kernel asks whether its peer is still there. Gateways forget a silent
/// connection after some minutes, and tell nobody.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// How long the kernel waits before it asks again. It gives up when `SocketOptions::unacknowledged` has passed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Bytes that the kernel holds of a connection whose answers share it before they are sent, about: what is written after them waits
/// for so much, and not for all that its buffer takes (4 MiB by default). Some two round trips at 100 Mbit/s and 5 ms.
const UNSENT: u32 = 128 * 1024;

/// What is set on the socket of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SocketOptions {
    /// How long a peer may leave bytes unread or unacknowledged before its connection is dropped (`TCP_USER_TIMEOUT`).
    pub unacknowledged: Duration,
    /// Bytes of the kernel's send buffer (`SO_SNDBUF`); `None`: the system's own.
    pub send_buffer: Option<usize>,
}

/// For a connection whose answers share it: a small one is not to wait for the bytes of a large one (`TCP_NOTSENT_LOWAT`).
pub(super) fn let_answers_share(connection: &TcpStream) {
    if let Err(refused) = SockRef::from(connection).set_tcp_notsent_lowat(UNSENT) {
        log::debug!("a socket option is refused: {refused}");
    }
}

impl SocketOptions {
    /// Sets them, switches Nagle's delay off, and has the kernel look after silent peers. A socket that refuses an option serves all the same.
    pub(crate) fn set(self, connection: &TcpStream) {
        let socket = SockRef::from(connection);
        let send_buffer = self
            .send_buffer
            .map_or(Ok(()), |bytes| socket.set_send_buffer_size(bytes));
        let outcomes = [
            socket.set_tcp_nodelay(true),
            socket.set_tcp_user_timeout(Some(self.unacknowledged)),
            socket.set_tcp_keepalive(
                &TcpKeepalive::new()
                    .with_time(KEEPALIVE_AFTER)
                    .with_interval(KEEPALIVE_INTERVAL),
            ),
            send_buffer,
        ];
        for refused in outcomes.into_iter().filter_map(Result::err) {
            log::debug!("a socket option is refused: {refused}");
        }
    }
}
