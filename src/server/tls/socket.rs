//! The socket under TLS: what was read ahead of it comes first, and it knows where the last record ends.
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::rt::net::TcpStream;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The bytes of a record before its content: its type, its version, and the content's length in two bytes (RFC 8446 §5.1).
const RECORD_HEAD: u8 = 5;

/// What TLS reads from and writes to.
#[derive(Debug)]
pub(super) struct TlsSocket {
    stream: TcpStream,
    /// What was read to find a PROXY header, and is of TLS.
    ahead: Bytes,
    records: Records,
}

impl TlsSocket {
    pub(super) fn new(stream: TcpStream, ahead: Vec<u8>) -> Self {
        Self {
            stream,
            ahead: ahead.into(),
            records: Records::default(),
        }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub(super) fn stream_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Whether a record has begun to come and not ended.
    pub(super) fn is_within_record(&self) -> bool {
        self.records.is_within()
    }
}

/// How far what has come is from the end of a record.
#[derive(Debug, Default)]
struct Records {
    /// How many bytes of a record's head have come.
    headed: u8,
    /// The length in it, as far as it has come.
    length: u16,
    /// How many bytes of its content are missing.
    missing: u16,
}

impl Records {
    fn note(&mut self, mut bytes: &[u8]) {
        loop {
            if self.missing > 0 {
                let content = bytes.len().min(usize::from(self.missing));
                bytes = bytes.get(content..).unwrap_or_default();
                // It is no longer than what is missing.
                self.missing -= u16::try_from(content).unwrap_or(self.missing);
            }
            let Some((byte, rest)) = bytes.split_first() else {
                return;
            };
            bytes = rest;
            self.headed += 1;
            // What came before the last two is shifted out.
            self.length = self.length << 8 | u16::from(*byte);
            if self.headed == RECORD_HEAD {
                (self.headed, self.missing) = (0, self.length);
            }
        }
    }

    fn is_within(&self) -> bool {
        self.headed > 0 || self.missing > 0
    }
}

impl AsyncRead for TlsSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = into.filled().len();
        if this.ahead.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, into))?;
        } else {
            let bytes = this.ahead.len().min(into.remaining());
            into.put_slice(&this.ahead.split_to(bytes));
        }
        this.records.note(into.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TlsSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records with so many bytes of content each.
    fn records(contents: &[u16]) -> Vec<u8> {
        let record = |length: &u16| {
            let head = [0x17, 3, 3].into_iter().chain(length.to_be_bytes());
            head.chain((0..*length).map(|_| 0xff)).collect::<Vec<u8>>()
        };
        contents.iter().flat_map(record).collect()
    }

    #[test]
    fn the_end_of_a_record_is_known_however_it_comes() {
        let contents = [0, 1, 5, 300, 0, 16_640];
        let bytes = records(&contents);
        let mut ends = vec![0];
        for content in contents {
            ends.push(ends[ends.len() - 1] + usize::from(RECORD_HEAD) + usize::from(content));
        }
        for size in [1, 2, 5, 7, 4_096, bytes.len()] {
            let (mut records, mut read) = (Records::default(), 0);
            for piece in bytes.chunks(size) {
                records.note(piece);
                read += piece.len();
                assert_eq!(
                    records.is_within(),
                    !ends.contains(&read),
                    "after {read} in {size}s"
                );
            }
        }
    }
}
