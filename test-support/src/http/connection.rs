//! The blocking connection.
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ClientConfig, ClientConnection};

use super::wire::Wire;
use super::{Request, Response};
use crate::wait::PATIENCE;

/// One connection, kept alive between requests. What must succeed panics, within [`PATIENCE`] at the latest; what a
/// caller may be refused has a `try_` in its name.
pub struct Connection {
    stream: BufReader<Wire>,
}

/// Writes to a connection beside its reader.
pub struct Writer(TcpStream);

impl Writer {
    /// Writes bytes as they are.
    ///
    /// # Errors
    /// Where the server has ended the connection, or reads nothing within [`PATIENCE`].
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Ends the connection, which wakes its reader.
    pub fn end(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Asks once, on a connection of its own.
///
/// # Errors
/// Those of [`Connection::try_open`] and [`Connection::try_send`].
pub fn ask(address: SocketAddr, request: &Request) -> io::Result<Response> {
    Connection::try_open(address)?.try_send(request)
}

/// Asks again and again while the answer is 503, as clients do that are told to come back: an identity that takes much work is
/// evaluated beside the workers, which come first, and has no turn in time on a machine that is busy with something else.
///
/// # Panics
/// Where it is still 503 after three times [`PATIENCE`], since each attempt may take seconds.
pub fn ask_until_answered(address: SocketAddr, request: &Request) -> Response {
    const PAUSE: Duration = Duration::from_millis(20);
    let begun = Instant::now();
    loop {
        let answer = Connection::open(address).send(request);
        if answer.status != 503 {
            return answer;
        }
        assert!(begun.elapsed() < 3 * PATIENCE, "{}", answer.text());
        thread::sleep(PAUSE);
    }
}

/// Connects, with patience.
///
/// # Errors
/// Where nobody listens there.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> Self {
        Self::try_open(address).unwrap()
    }

    /// Connects.
    ///
    /// # Errors
    /// Where nobody listens there.
    pub fn try_open(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            stream: BufReader::new(Wire::Plain(connect(address)?)),
        })
    }

    /// Connects, and waits for so long in place of [`PATIENCE`]: for a machine that has more to do than it can.
    ///
    /// # Errors
    /// Where nobody listens there.
    pub fn try_open_patiently(address: SocketAddr, patience: Duration) -> io::Result<Self> {
        let stream = connect(address)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self {
            stream: BufReader::new(Wire::Plain(stream)),
        })
    }

    /// Connects with TLS, on these terms and to this name: the handshake is over.
    ///
    /// # Errors
    /// Where nobody listens there, or the handshake fails.
    pub fn try_open_tls(address: SocketAddr, terms: &Arc<ClientConfig>) -> io::Result<Self> {
        Self::try_over_tls(connect(address)?, terms)
    }

    /// Connects with TLS.
    pub fn open_tls(address: SocketAddr, terms: &Arc<ClientConfig>) -> Self {
        Self::try_open_tls(address, terms).unwrap()
    }

    /// Goes on with TLS over a socket that something was written to.
    ///
    /// # Errors
    /// Where the handshake fails.
    pub fn try_over_tls(stream: TcpStream, terms: &Arc<ClientConfig>) -> io::Result<Self> {
        Ok(Self {
            stream: BufReader::new(Wire::over_tls(stream, terms)?),
        })
    }

    /// The session of its TLS.
    ///
    /// # Panics
    /// Where there is none.
    pub fn session(&self) -> &ClientConnection {
        self.stream.get_ref().session().expect("TLS")
    }

    /// Sends a request and reads its response.
    pub fn send(&mut self, request: &Request) -> Response {
        self.try_send(request).unwrap()
    }

    /// Sends a request and reads its response.
    ///
    /// # Errors
    /// Where the connection ends before the response does, or what comes is no response with a length.
    pub fn try_send(&mut self, request: &Request) -> io::Result<Response> {
        self.stream.get_mut().write_all(&request.bytes())?;
        self.try_read(request.is_head())
    }

    /// Sends a request without reading its response.
    pub fn write_request(&mut self, request: &Request) {
        self.write(&request.bytes());
    }

    /// Writes bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// Writes bytes that the server may refuse to read to their end.
    pub fn try_write(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// The other end of the same socket, to write while this one reads; what it writes is not encrypted.
    pub fn duplicate(&self) -> Writer {
        Writer(self.stream.get_ref().socket().try_clone().unwrap())
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        self.stream.get_mut().finish().unwrap();
    }

    /// The same on a connection that the server may have ended.
    pub fn try_finish(&mut self) {
        let _ = self.stream.get_mut().finish();
    }

    /// Reads one response; `is_head`: to a `HEAD`.
    pub fn read(&mut self, is_head: bool) -> Response {
        self.try_read(is_head).unwrap()
    }

    /// Reads the head of a response.
    pub fn read_head(&mut self) -> Response {
        self.try_read_head().unwrap()
    }

    /// Reads one chunk of a chunked body; `None`: it was the last one.
    pub fn chunk(&mut self) -> Option<String> {
        self.try_chunk().unwrap()
    }

    /// Reads one chunk of a chunked body; `None`: it was the last one.
    ///
    /// # Errors
    /// Where the connection ends before the body does, or what comes is no chunk.
    pub fn try_chunk(&mut self) -> io::Result<Option<String>> {
        let mut length = String::new();
        self.stream.read_line(&mut length)?;
        let digits = length.strip_suffix("\r\n");
        let length = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let length = length.ok_or_else(|| io::Error::other("no chunk's length"))?;
        let mut chunk = vec![0; length + 2];
        self.stream.read_exact(&mut chunk)?;
        let text = String::from_utf8(chunk).map_err(io::Error::other)?;
        let text = text
            .strip_suffix("\r\n")
            .ok_or_else(|| io::Error::other("no end of a chunk"))?;
        Ok((length > 0).then(|| text.to_owned()))
    }

    /// Reads so many bytes of a body.
    pub fn read_exact(&mut self, bytes: usize) -> Vec<u8> {
        let mut read = vec![0; bytes];
        self.stream.read_exact(&mut read).unwrap();
        read
    }

    /// What the server writes next, as one write.
    pub fn read_once(&mut self) -> Vec<u8> {
        let read = self.stream.fill_buf().unwrap().to_vec();
        self.stream.consume(read.len());
        read
    }

    /// Whether the server has closed the connection, with nothing left to read; over TLS, in good order. Waits for it.
    pub fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0; 1]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    /// Whether the server has announced the end of the connection by now, as clients look before they use a kept one again.
    pub fn has_ended(&self) -> bool {
        let socket = self.stream.get_ref().socket();
        socket.set_nonblocking(true).unwrap();
        let peeked = socket.peek(&mut [0]);
        socket.set_nonblocking(false).unwrap();
        match peeked {
            Ok(bytes) => bytes == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// Everything until the server closes the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset after the last byte is an end as well.
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }

    fn try_read(&mut self, is_head: bool) -> io::Result<Response> {
        let mut response = self.try_read_head()?;
        response.body = vec![0; response.body_length(is_head)?];
        self.stream.read_exact(&mut response.body)?;
        Ok(response)
    }

    fn try_read_head(&mut self) -> io::Result<Response> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if self.stream.read_until(b'\n', &mut head)? == 0 {
                break;
            }
        }
        // One that ended early is no whole head.
        Response::parse_head(head)
    }
}
