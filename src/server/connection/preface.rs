//! The preface: the PROXY protocol header (versions 1 and 2) with which a trusted peer's connection may begin.
//!
//! Its source is <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>. The address in it takes the place of the
//! peer's, for whatever asks who the client is. A header in anybody else's connection is no HTTP, and refused as such.
//!
//! The specification forbids to guess whether there is a header, because a client's own bytes may look like one. That is
//! no danger where the peer is trusted: whoever passes foreign bytes on without a header of his own would let a forged
//! one through in either way. And probes have none: those of orchestrators, of `HEALTHCHECK`, and of a balancer whose
//! checks do not take the ways of its connections. `required` is for those who want to hear of a missing one.
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use proxy_header::{Error, ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead as _, ReadBuf};

use super::{Arrival, ByteStream as _};
use crate::logging::Repeated;
use crate::settings::{ProxyProtocol, TrustedProxies};

/// The most bytes of a header: its addresses take 216 at most, and the rest is what a balancer tells about TLS, such as
/// the names in a certificate.
const MOST_BYTES: usize = 4096;

/// The longest header of version 1, its end included.
const MOST_BYTES_OF_VERSION_1: usize = 107;

/// How the two versions begin.
const BEGINNINGS: [&[u8]; 2] = [b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"];

const CONFIG: ParseConfig = ParseConfig {
    include_tlvs: false,
    allow_v1: true,
    allow_v2: true,
};

static CLOSED: Repeated = Repeated::new();

/// Whose connections may begin with a header, and whether they must. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Prefaces {
    /// `None`: nobody's.
    trusted: Option<Arc<TrustedProxies>>,
    are_required: bool,
}

impl Prefaces {
    /// Takes `server.proxy_protocol` and the trusted proxies.
    pub(crate) fn new(protocol: ProxyProtocol, trusted: &TrustedProxies) -> Self {
        Self {
            trusted: (protocol != ProxyProtocol::Off).then(|| Arc::new(trusted.clone())),
            are_required: protocol == ProxyProtocol::Required,
        }
    }
}

/// Why a connection is closed before its first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// There is no header, and there has to be one.
    Missing,
    /// It cannot be read, or is too long.
    Broken,
    /// It did not come to its end in time, or the connection ended before it.
    Partial,
}

impl Fault {
    fn reason(self) -> &'static str {
        match self {
            Self::Missing => {
                "it does not begin with a PROXY protocol header, which server.proxy_protocol requires"
            }
            Self::Broken => "its PROXY protocol header cannot be read",
            Self::Partial => "its PROXY protocol header is not complete",
        }
    }
}

/// What the first bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
enum Preface {
    /// A header of so many bytes; the client's address, where it gives one.
    Header(usize, Option<SocketAddr>),
    /// The begin of one.
    Partial,
    /// No header.
    None,
    Broken,
}

impl Preface {
    fn read(bytes: &[u8]) -> Self {
        let may_begin = BEGINNINGS
            .iter()
            .any(|begin| bytes.iter().zip(*begin).all(|(byte, expected)| byte == expected));
        if !may_begin {
            return Self::None;
        }
        let is_version_1 = bytes.first() == Some(&b'P');
        match ProxyHeader::parse(bytes, CONFIG) {
            Ok((_, length)) if is_version_1 && !is_line(bytes.split_at(length).0) => Self::Broken,
            Ok((header, length)) => {
                Self::Header(length, header.proxied_address().map(|address| address.source))
            }
            // The parser of version 1 waits for what is missing on a line, though the line has its end.
            Err(Error::BufferTooShort) if is_version_1 && bytes.contains(&b'\n') => Self::Broken,
            Err(Error::BufferTooShort) if bytes.len() < MOST_BYTES => Self::Partial,
            Err(_) => Self::Broken,
        }
    }
}

/// Whether a header of version 1 is one line, and no longer than it may be: with its end before it the parser does not look, and
/// refuses parts of it.
fn is_line(header: &[u8]) -> bool {
    header.len() <= MOST_BYTES_OF_VERSION_1 && memchr::memchr(b'\n', header) == header.len().checked_sub(1)
}

impl Arrival {
    /// Reads the header with which the connection begins, if it may. `None`: it is closed.
    ///
    /// The header has the time of the first head, which is the connection's own.
    pub(in crate::server) async fn introduced(mut self, prefaces: &Prefaces) -> Option<Self> {
        let Ok(peer) = self.stream.peer_addr() else {
            return Some(self);
        };
        if !prefaces
            .trusted
            .as_ref()
            .is_some_and(|trusted| trusted.trusts(peer.ip()))
        {
            return Some(self);
        }
        let mut bytes = Vec::new();
        let read = poll_fn(|cx| self.poll_preface(cx, &mut bytes)).await;
        let outcome = match read {
            Ok(Preface::Header(length, client)) => {
                self.admitted.client = client.map(Box::new);
                bytes.drain(..length);
                Ok(())
            }
            Ok(Preface::Broken) => Err(Fault::Broken),
            Ok(Preface::None | Preface::Partial) if !prefaces.are_required => Ok(()),
            Ok(Preface::Partial) => Err(Fault::Partial),
            Ok(Preface::None) => Err(Fault::Missing),
            Err(_) => return None,
        };
        match outcome {
            Ok(()) => {
                self.read_ahead = bytes;
                Some(self)
            }
            // A check that only connects is nothing to hear of.
            Err(Fault::Partial) if bytes.is_empty() => None,
            Err(fault) => {
                if !CLOSED.again_at(Instant::now()) {
                    log::warn!("a connection from {} was closed: {}", peer.ip(), fault.reason());
                }
                None
            }
        }
    }

    fn poll_preface(&mut self, cx: &mut Context<'_>, bytes: &mut Vec<u8>) -> Poll<io::Result<Preface>> {
        self.admitted.state.note_task(cx.waker());
        loop {
            let preface = Preface::read(bytes);
            if preface != Preface::Partial {
                return Poll::Ready(Ok(preface));
            }
            let state = &self.admitted.state;
            let is_stopping = bytes.is_empty() && state.worker().is_stopping() && !self.stream.has_arrived();
            if state.ending().is_some() || is_stopping {
                return Poll::Ready(Ok(preface));
            }
            let mut buffer = [0; MOST_BYTES];
            let (room, _) = buffer.split_at_mut(MOST_BYTES - bytes.len());
            let mut read = ReadBuf::new(room);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(preface));
            }
            bytes.extend_from_slice(read.filled());
        }
    }
}

/// What holds of every begin: a header ends where it does whatever follows, and every part of it is the begin of one.
#[cfg(any(test, feature = "fuzzing"))]
pub(in crate::server) fn fuzz(data: &[u8]) {
    let read = Preface::read(data);
    let Preface::Header(length, client) = read else {
        return;
    };
    assert!((1..=data.len()).contains(&length), "{length} bytes");
    let header = data.split_at(length).0;
    assert_eq!(Preface::read(header), Preface::Header(length, client));
    for length in 0..length {
        let part = header.split_at(length).0;
        assert_eq!(
            Preface::read(part),
            Preface::Partial,
            "{length} bytes of a header"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

    fn v2(command: u8, family: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [V2, &[command, family], &length, content].concat()
    }

    fn address(text: &str) -> Option<SocketAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_header_gives_the_client() {
        let ipv4 = [&[192, 0, 2, 1, 10, 0, 0, 1][..], &[0x30, 0x39, 0x01, 0xbb]].concat();
        let ipv6 = [
            &[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..],
            &[0; 16],
            &[0x30, 0x39, 0, 80],
        ]
        .concat();
        // AWS's own TLV, the identifier of an endpoint.
        let tlv = [&ipv4[..], &[0xea, 0, 3, 1, b'v', b'p']].concat();
        let cases = [
            (
                b"PROXY TCP4 192.0.2.1 10.0.0.1 12345 443\r\n".to_vec(),
                address("192.0.2.1:12345"),
            ),
            (
                b"PROXY TCP6 2001:db8::1 ::1 12345 443\r\n".to_vec(),
                address("[2001:db8::1]:12345"),
            ),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n".to_vec(), None),
            (v2(0x21, 0x11, &ipv4), address("192.0.2.1:12345")),
            (v2(0x21, 0x21, &ipv6), address("[2001:db8::1]:12345")),
            (v2(0x21, 0x11, &tlv), address("192.0.2.1:12345")),
            (v2(0x20, 0x00, &[]), None),
            (v2(0x20, 0x11, &ipv4), None),
            (v2(0x21, 0x00, &[4, 0, 0]), None),
            (v2(0x21, 0x31, &[0; 216]), None),
        ];
        for (header, client) in cases {
            for behind in [&b""[..], b"GET / HTTP/1.1\r\n"] {
                let bytes = [&header, behind].concat();
                assert_eq!(
                    Preface::read(&bytes),
                    Preface::Header(header.len(), client),
                    "{header:?}"
                );
            }
            for length in 0..header.len() {
                let part = header.split_at(length).0;
                assert_eq!(Preface::read(part), Preface::Partial, "{part:?}");
            }
        }
    }

    #[test]
    fn what_begins_a_request_is_no_header() {
        for begin in [
            "GET / HTTP/1.1\r\n",
            "POST",
            "PO",
            "PUT",
            "\r\nGET",
            "\n",
            "\u{16}\u{3}",
        ] {
            assert_eq!(Preface::read(begin.as_bytes()), Preface::None, "{begin:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_broken() {
        let long = v2(0x21, 0x11, &[0; 5_000]);
        for header in [
            b"PROXY TCP4 192.0.2.1 10.0.0.1 123456 443\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1\r\nGET / HTTP/1.1\r\nHost: p\r\n".to_vec(),
            b"PROXY TCP4 nonsense\r\n".to_vec(),
            b"PROXY / HTTP/1.1\r\n\r\n".to_vec(),
            [&b"PROXY UNKNOWN "[..], &[b'x'; 200]].concat(),
            [&b"PROXY UNKNOWN "[..], &[b'x'; 92], b"\r\n"].concat(),
            b"PROXY UNKNOWN\nx\r\n".to_vec(),
            v2(0x31, 0x11, &[0; 12]),
            v2(0x21, 0x77, &[0; 12]),
            long.split_at(MOST_BYTES).0.to_vec(),
        ] {
            assert_eq!(Preface::read(&header), Preface::Broken, "{header:?}");
        }
    }
}
