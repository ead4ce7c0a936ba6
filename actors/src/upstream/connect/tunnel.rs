//! A way through a proxy: one CONNECT (RFC 9110, 9.3.6), after which the connection is the server's.
use std::io;

use httparse::{EMPTY_HEADER, Header, ParserConfig, Response, Status};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::head;
use crate::upstream::ProxyFault;
use crate::upstream::client::USER_AGENT;
use crate::upstream::outgoing::OutgoingProxy;

/// Bytes of the answer's head and of all interim ones before it. Pages that explain a refusal are its body, which is not read.
const MOST_BYTES: usize = 16 * 1024;
/// Fields of that head.
const MOST_FIELDS: usize = 128;
/// What is read of it at a time.
const PIECE: usize = 1024;

/// Asks the proxy for a connection to `server`, a host as a URL has it and a port, and waits for its word that there is one.
/// Has no timeout of its own. Of all that is meant for the server, the proxy hears host and port.
///
/// # Errors
/// Why there is none.
pub(super) async fn open<T>(
    transport: &mut T,
    proxy: &OutgoingProxy,
    (host, port): (&str, u16),
) -> Result<(), ProxyFault>
where
    T: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    let ended = |_: io::Error| ProxyFault::Closed;
    transport
        .write_all(&request(proxy, host, port))
        .await
        .map_err(ended)?;
    transport.flush().await.map_err(ended)?;
    let mut received = Vec::new();
    // With the interim answers, of which there may be any number.
    let mut total = 0_usize;
    loop {
        let mut piece = [0; PIECE];
        let bytes = transport.read(&mut piece).await.map_err(ended)?;
        let piece = piece.get(..bytes).unwrap_or_default();
        if piece.is_empty() {
            return Err(ended_after(&received));
        }
        received.extend_from_slice(piece);
        total = total.saturating_add(bytes);
        while let Some(end) = head::end(&received, 0) {
            let rest = received.split_off(end);
            match outcome(&received, proxy.has_credentials())? {
                // Neither HTTP nor TLS lets a server speak first, so what follows is no server's.
                Outcome::Opened if !rest.is_empty() => return Err(ProxyFault::NotHttp),
                Outcome::Opened => return Ok(()),
                Outcome::Interim => received = rest,
            }
        }
        if !is_http(&received) {
            return Err(ProxyFault::NotHttp);
        }
        if total > MOST_BYTES {
            return Err(ProxyFault::HeadTooLarge);
        }
    }
}

fn request(proxy: &OutgoingProxy, host: &str, port: u16) -> Vec<u8> {
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(authorization) = proxy.authorization() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(format!("User-Agent: {USER_AGENT}\r\n\r\n").as_bytes());
    request
}

/// Whether it is, or can become, the beginning of an answer in HTTP/1.
fn is_http(received: &[u8]) -> bool {
    received
        .iter()
        .zip(b"HTTP/1.")
        .all(|(came, expected)| came == expected)
}

fn ended_after(received: &[u8]) -> ProxyFault {
    if is_http(received) {
        ProxyFault::Closed
    } else {
        ProxyFault::NotHttp
    }
}

/// What the proxy says.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Opened,
    /// The final answer follows (RFC 9110, 15.2).
    Interim,
}

/// Reads a whole head. Any 2xx opens the way, and has no body whatever its fields say (RFC 9110, 9.3.6).
fn outcome(head: &[u8], had_credentials: bool) -> Result<Outcome, ProxyFault> {
    if !is_http(head) {
        return Err(ProxyFault::NotHttp);
    }
    let mut fields = [EMPTY_HEADER; MOST_FIELDS];
    let mut answer = Response::new(&mut fields);
    let mut config = ParserConfig::default();
    config
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true);
    match config.parse_response(&mut answer, head) {
        Ok(Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(ProxyFault::HeadTooLarge),
        Ok(Status::Partial) | Err(_) => return Err(ProxyFault::NotHttp),
    }
    match answer.code.unwrap_or_default() {
        // 101 was not asked for.
        100 | 102..=199 => Ok(Outcome::Interim),
        200..=299 => Ok(Outcome::Opened),
        407 if !takes_basic(answer.headers) => Err(ProxyFault::AnotherAuthentication),
        407 if had_credentials => Err(ProxyFault::CredentialsRefused),
        407 => Err(ProxyFault::CredentialsMissing),
        status @ 500..=599 => Err(ProxyFault::Failed(status)),
        status => Err(ProxyFault::Refused(status)),
    }
}

/// Whether Basic is among what a 407 asks for; it counts as such where nothing is named.
fn takes_basic(fields: &[Header<'_>]) -> bool {
    let mut challenges = fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("proxy-authenticate"))
        .peekable();
    // One field may hold several challenges, whose parameters have commas between them as well.
    challenges.peek().is_none()
        || challenges.any(|field| {
            field.value.split(|byte| *byte == b',').any(|part| {
                let scheme = part.trim_ascii().split(u8::is_ascii_whitespace).next();
                scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
            })
        })
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    fn proxy(url: &str) -> OutgoingProxy {
        OutgoingProxy::parse(url).unwrap()
    }

    /// What is made of these bytes, after which the proxy closes; they come in pieces of this size.
    async fn opened(answer: &[u8], piece: usize) -> Result<(), ProxyFault> {
        let (mut ours, mut theirs) = duplex(64);
        let answering = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(theirs.read_u8().await.unwrap());
            }
            for piece in answer.chunks(piece) {
                // It may have heard enough.
                if theirs.write_all(piece).await.is_err() {
                    break;
                }
            }
            drop(theirs);
        };
        let proxy = proxy("http://proxy:1");
        let opening = async {
            let opened = open(&mut ours, &proxy, ("upstream.test", 443)).await;
            drop(ours);
            opened
        };
        futures::join!(opening, answering).0
    }

    #[actix_rt::test]
    async fn the_proxys_word_opens_the_way_or_names_the_fault() {
        let long = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(MOST_BYTES));
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(MOST_BYTES / 25 + 1);
        let fields = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: x\r\n".repeat(MOST_FIELDS + 1));
        for (answer, expected) in [
            ("HTTP/1.1 200 Connection established\r\n\r\n", Ok(())),
            ("HTTP/1.0 200\r\n\r\n", Ok(())),
            ("HTTP/1.1 204 None\nVia: 1.1 squid\n\n", Ok(())),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                Ok(()),
            ),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
                Ok(()),
            ),
            (
                "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
                Err(ProxyFault::NotHttp),
            ),
            ("HTTP/1.1 407 Who\r\n\r\n", Err(ProxyFault::CredentialsMissing)),
            (
                "HTTP/1.1 407 Who\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: basic realm=\"a, b\"\r\n\r\n",
                Err(ProxyFault::CredentialsMissing),
            ),
            (
                "HTTP/1.1 407 Who\r\nProxy-Authenticate: Negotiate, NTLM\r\n\r\n",
                Err(ProxyFault::AnotherAuthentication),
            ),
            (
                "HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nno!",
                Err(ProxyFault::Refused(403)),
            ),
            (
                "HTTP/1.1 301 There\r\nLocation: /\r\n\r\n",
                Err(ProxyFault::Refused(301)),
            ),
            ("HTTP/1.1 101 Other\r\n\r\n", Err(ProxyFault::Refused(101))),
            (
                "HTTP/1.1 502 Bad Gateway\r\n\r\n<html>",
                Err(ProxyFault::Failed(502)),
            ),
            ("HTTP/1.1 2000 OK\r\n\r\n", Err(ProxyFault::NotHttp)),
            ("SSH-2.0-OpenSSH_9.6\r\n", Err(ProxyFault::NotHttp)),
            ("\x05\x00", Err(ProxyFault::NotHttp)),
            ("HTTP/2.0 200 OK\r\n\r\n", Err(ProxyFault::NotHttp)),
            ("", Err(ProxyFault::Closed)),
            ("HTTP/1.1 200 Connection est", Err(ProxyFault::Closed)),
            (&long, Err(ProxyFault::HeadTooLarge)),
            (&interim, Err(ProxyFault::HeadTooLarge)),
            (&fields, Err(ProxyFault::HeadTooLarge)),
        ] {
            for piece in [1, 7, answer.len().max(1)] {
                let opened = opened(answer.as_bytes(), piece).await;
                assert_eq!(opened, expected, "{answer:?} by {piece}");
            }
        }
    }

    #[test]
    fn a_proxy_hears_host_and_port_and_its_own_credentials() {
        let asked = |url: &str, host: &str| String::from_utf8(request(&proxy(url), host, 443)).unwrap();
        let agent = format!("User-Agent: {USER_AGENT}\r\n\r\n");
        assert_eq!(
            asked("http://proxy", "upstream.test"),
            format!("CONNECT upstream.test:443 HTTP/1.1\r\nHost: upstream.test:443\r\n{agent}")
        );
        assert_eq!(
            asked("http://Aladdin:open%20sesame@proxy", "[::1]"),
            format!(
                "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\
                 Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n{agent}"
            )
        );
        let refused = outcome(b"HTTP/1.1 407 Who\r\n\r\n", true);
        assert_eq!(refused, Err(ProxyFault::CredentialsRefused));
    }
}
