//! HTTP/2 frame by frame (RFC 9113): a client that sends what no library would.
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::wait::PATIENCE;

/// What a client sends first.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames (RFC 9113 §6).
pub mod kind {
    /// `DATA`.
    pub const DATA: u8 = 0;
    /// `HEADERS`.
    pub const HEADERS: u8 = 1;
    /// `RST_STREAM`.
    pub const RST_STREAM: u8 = 3;
    /// `SETTINGS`.
    pub const SETTINGS: u8 = 4;
    /// `PING`.
    pub const PING: u8 = 6;
    /// `GOAWAY`.
    pub const GOAWAY: u8 = 7;
    /// `WINDOW_UPDATE`.
    pub const WINDOW_UPDATE: u8 = 8;
    /// `CONTINUATION`.
    pub const CONTINUATION: u8 = 9;
}

/// Flags of frames.
pub mod flag {
    /// Of DATA and HEADERS: nothing follows on this stream.
    pub const END_STREAM: u8 = 0x1;
    /// Of SETTINGS and PING: it acknowledges one.
    pub const ACK: u8 = 0x1;
    /// Of HEADERS and CONTINUATION: the head is whole.
    pub const END_HEADERS: u8 = 0x4;
}

/// Error codes (RFC 9113 §7).
pub mod code {
    /// Nothing is wrong.
    pub const NO_ERROR: u32 = 0;
    /// What came breaks the protocol.
    pub const PROTOCOL_ERROR: u32 = 1;
    /// The stream is not begun.
    pub const REFUSED_STREAM: u32 = 7;
    /// The stream is given up.
    pub const CANCEL: u32 = 8;
    /// The peer does too much of something.
    pub const ENHANCE_YOUR_CALM: u32 = 11;
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream; 0: the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Makes one.
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            flags,
            stream,
            payload: payload.into(),
        }
    }

    /// A whole head that asks for something.
    pub fn request(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Self {
        Self::new(kind::HEADERS, flags | flag::END_HEADERS, stream, block(fields))
    }

    /// `GET` with a key and without a body.
    pub fn get(stream: u32, path: &str, key: &str) -> Self {
        let fields = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "proxy"),
            (":path", path),
            ("x-environment-key", key),
        ];
        Self::request(stream, flag::END_STREAM, &fields)
    }

    /// Gives a stream up.
    pub fn reset(stream: u32, code: u32) -> Self {
        Self::new(kind::RST_STREAM, 0, stream, code.to_be_bytes())
    }

    /// Opens a window.
    pub fn window(stream: u32, bytes: u32) -> Self {
        Self::new(kind::WINDOW_UPDATE, 0, stream, bytes.to_be_bytes())
    }

    /// One setting.
    pub fn setting(identifier: u16, value: u32) -> Self {
        let payload = [&identifier.to_be_bytes()[..], &value.to_be_bytes()].concat();
        Self::new(kind::SETTINGS, 0, 0, payload)
    }

    /// What is written to the socket.
    ///
    /// # Panics
    /// Where its payload is longer than a frame can say.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap().to_be_bytes();
        assert_eq!(length[0], 0, "a length of 24 bits");
        let head = [&length[1..], &[self.kind, self.flags], &self.stream.to_be_bytes()].concat();
        [head, self.payload.clone()].concat()
    }

    /// The error code of a RST_STREAM or a GOAWAY.
    ///
    /// # Panics
    /// Where it is another frame.
    pub fn code(&self) -> u32 {
        let at = match self.kind {
            kind::RST_STREAM => 0,
            kind::GOAWAY => 4,
            kind => panic!("frames of type {kind} have no code"),
        };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    /// The last stream that a GOAWAY names.
    ///
    /// # Panics
    /// Where it is another frame.
    pub fn last_stream(&self) -> u32 {
        assert_eq!(self.kind, kind::GOAWAY);
        u32::from_be_bytes(self.payload[..4].try_into().unwrap())
    }

    /// Whether nothing follows on its stream.
    pub fn ends_stream(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.flags & flag::END_STREAM != 0
    }
}

/// A head as literals that nobody has to remember (RFC 7541 §6.2.2), uncompressed.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        text(&mut block, name);
        text(&mut block, value);
    }
    block
}

/// A field that is remembered as the newest of the dynamic table (RFC 7541 §6.2.1), where index 62 is.
pub fn remembered(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![0x40];
    text(&mut field, name);
    text(&mut field, value);
    field
}

/// A string literal (RFC 7541 §5.2).
fn text(block: &mut Vec<u8>, text: &str) {
    let length = text.len();
    if length < 127 {
        block.push(u8::try_from(length).unwrap());
    } else {
        block.push(127);
        let mut rest = length - 127;
        while rest >= 128 {
            block.push(u8::try_from(rest % 128).unwrap() | 128);
            rest /= 128;
        }
        block.push(u8::try_from(rest).unwrap());
    }
    block.extend(text.bytes());
}

/// A connection, of which the client sends what it is told and answers nothing by itself.
pub struct FrameConnection(TcpStream);

impl FrameConnection {
    /// Connects and says nothing.
    ///
    /// # Panics
    /// Where nobody listens there.
    pub fn silent(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// The same, with so small a buffer for what it does not read.
    ///
    /// # Panics
    /// Where nobody listens there.
    pub fn silent_and_narrow(address: SocketAddr, receive_buffer: usize) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(receive_buffer).unwrap();
        socket.connect(&address.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// Connects and sends the preface with these settings.
    ///
    /// # Panics
    /// Where nobody listens there.
    pub fn open(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut connection = Self::silent(address);
        let payload = settings
            .iter()
            .flat_map(|(identifier, value)| [&identifier.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect::<Vec<u8>>();
        connection.write(PREFACE);
        connection.send(&Frame::new(kind::SETTINGS, 0, 0, payload));
        connection
    }

    /// Writes bytes.
    ///
    /// # Panics
    /// Where the server has ended the connection.
    pub fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Writes bytes that the server may refuse to read to their end.
    ///
    /// # Errors
    /// Where it has ended the connection.
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Sends a frame.
    ///
    /// # Panics
    /// Where the server has ended the connection.
    pub fn send(&mut self, frame: &Frame) {
        self.write(&frame.bytes());
    }

    /// Another handle of the same socket, to write while this one reads.
    ///
    /// # Panics
    /// Where there is no descriptor left.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }

    /// The next frame; `None`: the connection has ended.
    ///
    /// # Panics
    /// Where nothing comes within [`PATIENCE`].
    pub fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.fill(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.fill(&mut payload)?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame::new(head[3], head[4], stream, payload))
    }

    /// The next frame of which this holds; what comes before it is dropped.
    ///
    /// # Panics
    /// Where the connection ends before it, or nothing comes within [`PATIENCE`].
    pub fn find(&mut self, is_it: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.frame().expect("the connection goes on");
            if is_it(&frame) {
                return frame;
            }
        }
    }

    /// All that comes until the end of the connection.
    ///
    /// # Panics
    /// Where it does not end within [`PATIENCE`] of the last frame.
    pub fn rest(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.frame()).collect()
    }

    /// Acknowledges the PING with which the server asks whether the end that it has announced is known, and whatever
    /// other PINGs come, until a frame comes of which this holds.
    ///
    /// # Panics
    /// As [`FrameConnection::find`].
    pub fn find_answering(&mut self, is_it: impl Fn(&Frame) -> bool) -> Frame {
        loop {
            let frame = self.find(|frame| is_it(frame) || frame.kind == kind::PING);
            if is_it(&frame) {
                return frame;
            }
            if frame.flags & flag::ACK == 0 {
                self.send(&Frame::new(kind::PING, flag::ACK, 0, frame.payload));
            }
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Option<()> {
        match self.0.read_exact(bytes) {
            Ok(()) => Some(()),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
                ) =>
            {
                None
            }
            Err(error) => panic!("nothing comes: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_written_as_rfc_9113_has_it() {
        assert_eq!(
            Frame::reset(3, code::CANCEL).bytes(),
            [0, 0, 4, 3, 0, 0, 0, 0, 3, 0, 0, 0, 8]
        );
        assert_eq!(
            Frame::setting(3, 100).bytes(),
            [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]
        );
    }

    #[test]
    fn a_head_is_written_as_rfc_7541_has_it() {
        // Its example C.2.2, with the name in full.
        assert_eq!(
            block(&[(":path", "/sample/path")]),
            b"\x00\x05:path\x0c/sample/path"
        );
        let long = "x".repeat(1337);
        // Its example C.1.2: 1337 in a prefix of 5 bits is 31, 154, 10; of 7 bits it is 127, 186, 9.
        assert_eq!(block(&[("a", &long)])[..6], [0, 1, b'a', 127, 186, 9]);
    }
}
