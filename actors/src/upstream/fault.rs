//! Why no usable answer came, by name, each with what to do about it.
use std::error::Error;
use std::io;

use awc::error::{ConnectError, PayloadError, SendRequestError};
use rustls::{CertificateError, InvalidMessage};

mod message;

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
    /// Whether it lies on the way to the server, which no part of a request has reached.
    pub(super) fn is_of_the_way(&self) -> bool {
        match self {
            Self::NameUnknown(_)
            | Self::Refused
            | Self::Unreachable
            | Self::Late(Stage::Name | Stage::Connect | Stage::Handshake)
            | Self::CertificateExpired
            | Self::CertificateNotYetValid
            | Self::CertificateForAnotherHost
            | Self::CertificateAuthorityUnknown
            | Self::CertificateOfAuthority
            | Self::Certificate(_)
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
    pub(crate) fn of_body(error: &PayloadError) -> Self {
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
            other => Self::Tls(other.to_string()),
        }
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_in_the_errors_that_carry_it() {
        let io = || io::Error::from(Fault::TooManyFields);
        for error in [
            SendRequestError::Connect(ConnectError::Io(io())),
            SendRequestError::Send(io()),
            SendRequestError::Response(io().into()),
        ] {
            assert_eq!(Fault::of_sending(&error), Fault::TooManyFields, "{error:?}");
        }
        for error in [PayloadError::Io(io()), PayloadError::Incomplete(Some(io()))] {
            assert_eq!(Fault::of_body(&error), Fault::TooManyFields, "{error:?}");
        }
    }

    #[test]
    fn every_message_says_what_to_do() {
        let why = || "why".to_owned();
        for fault in [
            Fault::NameUnknown(why()),
            Fault::Refused,
            Fault::Unreachable,
            Fault::System(why()),
            Fault::Late(Stage::Name),
            Fault::Late(Stage::Connect),
            Fault::Late(Stage::Handshake),
            Fault::Late(Stage::Head),
            Fault::Late(Stage::Body),
            Fault::Late(Stage::Memory),
            Fault::CertificateExpired,
            Fault::CertificateNotYetValid,
            Fault::CertificateForAnotherHost,
            Fault::CertificateAuthorityUnknown,
            Fault::CertificateOfAuthority,
            Fault::Certificate(why()),
            Fault::TlsSpokenToHttp,
            Fault::HttpSpokenToTls,
            Fault::TlsClosed,
            Fault::Tls(why()),
            Fault::Closed,
            Fault::ClosedMeanwhile,
            Fault::Cut,
            Fault::NotHttp,
            Fault::HeadTooLarge,
            Fault::TooManyFields,
            Fault::UnreadableLength,
            Fault::TransferCoding,
            Fault::Chunks,
            Fault::ContentCoding,
        ] {
            let message = fault.to_string();
            let (what, to_do) = message.split_once("; ").unwrap();
            assert!(!what.is_empty() && !to_do.is_empty(), "{message}");
        }
    }
}
