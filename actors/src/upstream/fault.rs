//! Why no usable answer came, by name, each with what to do about it.
use std::error::Error;
use std::io;

use awc::error::{ConnectError, PayloadError, SendRequestError};
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

mod message;
mod proxy;

pub use proxy::ProxyFault;

/// What names the proxies that faults are about.
pub(super) const PROXY_VARIABLES: &str = " (HTTPS_PROXY, HTTP_PROXY or ALL_PROXY)";

/// Why no usable answer came from the server that a URL names. The messages say what to do; what they quote is the system's
/// or the TLS library's, never a part of a request or of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The name service finds no address of the host; what it says.
    NameUnknown(String),
    /// Every address of the host refuses the connection.
    Refused,
    /// The machine has no route to any address of the host.
    Unreachable,
    /// The system makes no connection; what it says.
    System(String),
    /// There is no way through the proxy before it; why.
    Proxy(ProxyFault),
    /// Something did not happen in time.
    Late(Stage),
    /// The certificate's time is over.
    CertificateExpired,
    /// The certificate's time has not begun.
    CertificateNotYetValid,
    /// The certificate names other hosts.
    CertificateForAnotherHost,
    /// The certificate leads to no root certificate that is trusted.
    CertificateAuthorityUnknown,
    /// The certificate is made for an authority, as `openssl req -x509` does unless told otherwise.
    CertificateOfAuthority,
    /// The certificate cannot be used for another reason; what the TLS library says.
    Certificate(String),
    /// A file that TLS needs cannot be used; which, and why.
    TlsFile(String),
    /// The server wants to know this proxy's certificate.
    ClientCertificateRequired,
    /// The server does not take this proxy's certificate, or its lack; what it says.
    ClientCertificateRefused(String),
    /// The server refuses the handshake, and does not say why.
    HandshakeRefused,
    /// The server speaks neither of the versions of TLS that this proxy speaks.
    TlsVersion,
    /// The answer to a TLS handshake was no TLS.
    TlsSpokenToHttp,
    /// The answer to a plain request was TLS, or says that TLS was expected.
    HttpSpokenToTls,
    /// The connection ended within the TLS handshake.
    TlsClosed,
    /// TLS failed for another reason; what the TLS library says.
    Tls(String),
    /// The connection ended before any answer.
    Closed,
    /// So did one that had been kept: it was closed before it was used again, as every server does after a while.
    ClosedMeanwhile,
    /// The answer ended early.
    Cut,
    /// What came is no HTTP/1.
    NotHttp,
    /// The answer's head is longer than what is read.
    HeadTooLarge,
    /// The answer's head has more fields than are read.
    TooManyFields,
    /// `Content-Length` is no number, or several.
    UnreadableLength,
    /// A `Transfer-Encoding` other than `chunked`.
    TransferCoding,
    /// The chunks of the body are not framed as RFC 9112, 7.1 says.
    Chunks,
    /// The body is not what its `Content-Encoding` says.
    ContentCoding,
}

/// What was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The addresses of the host.
    Name,
    /// A connection to any of them.
    Connect,
    /// The end of the TLS handshake.
    Handshake,
    /// The head of an answer.
    Head,
    /// The end of its body.
    Body,
    /// Room for a body, which other documents take.
    Memory,
}

impl Error for Fault {}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault)
    }
}

impl Fault {
    /// Whether it is about the proxy before the server and not about the server.
    pub(super) fn is_of_proxy(&self) -> bool {
        matches!(self, Self::Proxy(_))
    }

    /// Whether an answer came, which cannot be read.
    pub(super) fn is_of_the_answer(&self) -> bool {
        matches!(
            self,
            Self::NotHttp
                | Self::HeadTooLarge
                | Self::TooManyFields
                | Self::UnreadableLength
                | Self::TransferCoding
                | Self::Chunks
                | Self::ContentCoding
        )
    }

    /// Whether it lies on the way to the server, which no part of a request has reached.
    pub(super) fn is_of_the_way(&self) -> bool {
        match self {
            Self::NameUnknown(_)
            | Self::Refused
            | Self::Unreachable
            | Self::Proxy(_)
            | Self::Late(Stage::Name | Stage::Connect | Stage::Handshake)
            | Self::CertificateExpired
            | Self::CertificateNotYetValid
            | Self::CertificateForAnotherHost
            | Self::CertificateAuthorityUnknown
            | Self::CertificateOfAuthority
            | Self::Certificate(_)
            | Self::TlsFile(_)
            // TLS 1.3 says so when the first request may have been sent; who says so has not read it.
            | Self::ClientCertificateRequired
            | Self::ClientCertificateRefused(_)
            | Self::HandshakeRefused
            | Self::TlsVersion
            | Self::TlsSpokenToHttp
            | Self::HttpSpokenToTls
            | Self::TlsClosed => true,
            // The system's errors and those of TLS come at any time.
            Self::System(_)
            | Self::Tls(_)
            | Self::Late(Stage::Head | Stage::Body | Stage::Memory)
            | Self::Closed
            | Self::ClosedMeanwhile
            | Self::Cut
            | Self::NotHttp
            | Self::HeadTooLarge
            | Self::TooManyFields
            | Self::UnreadableLength
            | Self::TransferCoding
            | Self::Chunks
            | Self::ContentCoding => false,
        }
    }

    /// Why a request that was sent has no answer.
    pub(crate) fn of_sending(error: &SendRequestError) -> Self {
        match error {
            SendRequestError::Connect(ConnectError::Io(error)) | SendRequestError::Send(error) => {
                Self::of_io(error)
            }
            SendRequestError::Connect(ConnectError::Timeout) => Self::Late(Stage::Connect),
            SendRequestError::Connect(ConnectError::Disconnected) => Self::Closed,
            SendRequestError::Timeout => Self::Late(Stage::Head),
            SendRequestError::Response(parsing) => {
                let error = parsing.source().and_then(|source| source.downcast_ref());
                error.map_or(Self::NotHttp, Self::of_io)
            }
            other => Self::System(other.to_string()),
        }
    }

    /// Why a body did not come whole.
    pub fn of_body(error: &PayloadError) -> Self {
        match error {
            PayloadError::Io(error) | PayloadError::Incomplete(Some(error)) => match error.kind() {
                // As awc's decoder of chunks says.
                io::ErrorKind::InvalidInput => Self::Chunks,
                _ => Self::of_io(error),
            },
            _ => Self::Cut,
        }
    }

    /// Why no connection was made.
    pub(super) fn of_connecting(error: &io::Error) -> Self {
        use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
        match error.kind() {
            ConnectionRefused => Self::Refused,
            HostUnreachable | NetworkUnreachable => Self::Unreachable,
            // The system has given up before this proxy.
            TimedOut => Self::Late(Stage::Connect),
            _ => Self::System(error.to_string()),
        }
    }

    /// Why a TLS handshake failed.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        match tls_error(error) {
            Some(error) => Self::of_tls(error),
            None => Self::TlsClosed,
        }
    }

    /// Whether TLS is what failed, and not the connection under it.
    pub(super) fn is_of_tls(error: &io::Error) -> bool {
        tls_error(error).is_some()
    }

    fn of_io(error: &io::Error) -> Self {
        let inner = error.get_ref();
        if let Some(fault) = inner.and_then(|inner| inner.downcast_ref::<Self>()) {
            return fault.clone();
        }
        tls_error(error).map_or(Self::Cut, Self::of_tls)
    }

    fn of_tls(error: &rustls::Error) -> Self {
        use CertificateError as Why;
        match error {
            rustls::Error::InvalidCertificate(why) => match why {
                Why::Expired | Why::ExpiredContext { .. } => Self::CertificateExpired,
                Why::NotValidYet | Why::NotValidYetContext { .. } => Self::CertificateNotYetValid,
                Why::NotValidForName | Why::NotValidForNameContext { .. } => Self::CertificateForAnotherHost,
                // A bad signature: a trusted authority has the name, and not the key, of the one that signed.
                Why::UnknownIssuer | Why::BadSignature => Self::CertificateAuthorityUnknown,
                Why::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                    Self::CertificateOfAuthority
                }
                other => Self::Certificate(other.to_string()),
            },
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::TlsSpokenToHttp,
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
                Self::TlsVersion
            }
            other => Self::Tls(other.to_string()),
        }
    }

    /// What the server says of the handshake (RFC 8446, 6.2). Its words about certificates mean the client's.
    fn of_alert(alert: AlertDescription) -> Self {
        use AlertDescription as Alert;
        match alert {
            Alert::CertificateRequired => Self::ClientCertificateRequired,
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied => Self::ClientCertificateRefused(format!("{alert:?}")),
            Alert::HandshakeFailure => Self::HandshakeRefused,
            Alert::ProtocolVersion => Self::TlsVersion,
            other => Self::Tls(rustls::Error::AlertReceived(other).to_string()),
        }
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests;
