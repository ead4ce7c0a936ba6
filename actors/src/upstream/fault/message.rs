//! What the operator reads: what failed, why, and what to do.
use std::fmt;

use super::{Fault, Stage};

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NameUnknown(why) => {
                return write!(
                    f,
                    "the host's name is not found ({why}); check the URL's host, and this machine's DNS"
                );
            }
            Self::Refused => {
                "the connection is refused; check the URL's host and port, and that the service runs there"
            }
            Self::Unreachable => "there is no route to the host's addresses; check this machine's network",
            Self::System(why) => return write!(f, "no connection can be made ({why}); check this machine"),
            Self::Proxy(fault) => return fault.fmt(f),
            Self::Late(stage) => return stage.fmt(f),
            Self::CertificateExpired => {
                "the certificate has expired; renew it there, or set this machine's clock right"
            }
            Self::CertificateNotYetValid => {
                "the certificate is not valid yet; set this machine's clock right"
            }
            Self::CertificateForAnotherHost => {
                "the certificate is for another host; check the URL's host, or add it to the certificate"
            }
            Self::CertificateAuthorityUnknown => {
                "the certificate is from an authority that is not trusted here; name a file with its root certificate in \
                 upstream.ca_file, or all that are to be trusted in SSL_CERT_FILE"
            }
            Self::CertificateOfAuthority => {
                "the certificate is an authority's own (CA:TRUE), which no server may use; issue one for the host"
            }
            Self::Certificate(why) => {
                return write!(f, "the certificate cannot be used ({why}); correct it there");
            }
            Self::TlsFile(problem) => problem,
            Self::ClientCertificateRequired => {
                "the server wants a client's certificate; name it in upstream.client_certificate, and its key in \
                 upstream.client_key"
            }
            Self::ClientCertificateRefused(alert) => {
                return write!(
                    f,
                    "the server does not take this client's certificate, or the lack of one ({alert}); check \
                     upstream.client_certificate, its dates, and whom the server trusts"
                );
            }
            Self::HandshakeRefused => {
                "the server refuses the TLS handshake; check whether it wants a client's certificate \
                 (upstream.client_certificate), and that it speaks TLS 1.2 or 1.3"
            }
            Self::TlsVersion => {
                "the server speaks neither TLS 1.2 nor TLS 1.3, and this proxy speaks these alone; have one of them allowed there, or on \
                 what is between"
            }
            Self::TlsSpokenToHttp => {
                "https is spoken to a port that does not speak it; write http:// in the URL, or correct its port"
            }
            Self::HttpSpokenToTls => {
                "http is spoken to a port that expects https; write https:// in the URL, or correct its port"
            }
            Self::TlsClosed => {
                "the connection ends within the TLS handshake; check that the URL's port speaks https, and what is between"
            }
            Self::Tls(why) => {
                return write!(
                    f,
                    "TLS fails ({why}); check how https is set up there, and what is between"
                );
            }
            Self::Closed | Self::ClosedMeanwhile => {
                "the connection ends without an answer; check the service, and whether the URL's port expects https"
            }
            Self::Cut => "the answer breaks off; check the service, and what is between",
            Self::NotHttp => "what answers does not speak HTTP/1.1; check the URL's host and port",
            Self::HeadTooLarge => {
                "the answer's head is longer than this proxy reads (64 KiB); check what is between"
            }
            Self::TooManyFields => {
                "the answer has more header fields than this proxy reads (512); check what is between"
            }
            Self::UnreadableLength => "the answer's Content-Length cannot be read; check what is between",
            Self::TransferCoding => "the answer's Transfer-Encoding is not known; check what is between",
            Self::Chunks => "the answer's chunks are malformed; check what is between",
            Self::ContentCoding => "the answer's body is not in its Content-Encoding; check what is between",
        };
        f.write_str(text)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the name service does not answer in time; check this machine's DNS",
            Self::Connect => {
                "nothing answers the attempt to connect; check the URL's host and port, and the firewalls between"
            }
            Self::Handshake => {
                "the TLS handshake does not end in time; check that the URL's port speaks https, and what is between"
            }
            Self::Head => "the connection is made, and no answer begins in time; check the service's load, and the time allowed",
            Self::Body => "the answer begins, and does not end in time; check the service's load, and the time allowed",
            Self::Memory => {
                "other documents took the memory for this one all the time; raise upstream.document_memory_bytes"
            }
        })
    }
}
