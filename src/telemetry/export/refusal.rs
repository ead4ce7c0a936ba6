use std::time::Duration;

use actors::upstream::Fault;

/// What to look at where the other side speaks something else: the commonest mistake is one protocol at the other's port.
pub(super) const WHICH_PROTOCOL: &str = "check the endpoint's port and OTEL_EXPORTER_OTLP_PROTOCOL: collectors take http/protobuf at \
                                         4318 as a rule, and grpc at 4317";

/// Why something was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// In words that hold nothing of what was sent, nor of the answer.
    pub(crate) why: String,
    /// Whether another attempt may have another outcome.
    pub(crate) may_be_retried: bool,
    /// What the collector asks to wait before it.
    pub(super) wait: Option<Duration>,
    /// Whether it may be this message alone that is not taken.
    pub(crate) is_of_message: bool,
}

impl Refusal {
    /// Another attempt would be refused, too.
    pub(crate) fn last(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            may_be_retried: false,
            wait: None,
            is_of_message: false,
        }
    }

    /// Another attempt may be taken.
    pub(crate) fn passing(why: impl Into<String>, wait: Option<Duration>) -> Self {
        Self {
            why: why.into(),
            may_be_retried: true,
            wait,
            is_of_message: false,
        }
    }

    /// Another message may be taken.
    pub(crate) fn of_message(why: impl Into<String>) -> Self {
        Self {
            is_of_message: true,
            ..Self::last(why)
        }
    }

    pub(super) fn late() -> Self {
        Self::passing("it does not answer in time (OTEL_EXPORTER_OTLP_TIMEOUT)", None)
    }
}

/// In a fault's own words, save where they name options that count for Flagsmith alone.
impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let why = match fault {
            Fault::CertificateAuthorityUnknown => {
                "the certificate is from an authority that is not trusted here; name a file with its root certificate in \
                 OTEL_EXPORTER_OTLP_CERTIFICATE"
                    .to_owned()
            }
            Fault::ClientCertificateRequired
            | Fault::ClientCertificateRefused(_)
            | Fault::HandshakeRefused => "the server refuses the TLS handshake; check whether it wants a client's certificate, \
                 which no collector is shown, and that it speaks TLS 1.2 or 1.3"
                .to_owned(),
            Fault::TlsFile(problem) => problem.replace("upstream.ca_file", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
            // An endpoint of gRPC without a scheme is asked with TLS.
            Fault::TlsSpokenToHttp | Fault::TlsClosed => "https is spoken to a port that does not speak it; write http:// in the \
                 endpoint, or OTEL_EXPORTER_OTLP_INSECURE=true where it has no scheme, or correct its port"
                .to_owned(),
            Fault::NotHttp => format!("what answers does not speak HTTP/1.1; {WHICH_PROTOCOL}"),
            Fault::Closed | Fault::ClosedMeanwhile => {
                format!("the connection ends without an answer; check whether it expects https; {WHICH_PROTOCOL}")
            }
            other => other.to_string(),
        };
        Self::passing(why, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_of_upstream_is_named() {
        for fault in [
            Fault::CertificateAuthorityUnknown,
            Fault::ClientCertificateRequired,
            Fault::ClientCertificateRefused("unknown_ca".to_owned()),
            Fault::HandshakeRefused,
            Fault::TlsFile("upstream.ca_file names a file that cannot be read".to_owned()),
        ] {
            let refusal = Refusal::from(fault);
            assert!(
                refusal.may_be_retried && !refusal.why.contains("upstream."),
                "{refusal:?}"
            );
        }
    }
}
