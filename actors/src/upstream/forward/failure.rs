//! Why a request that was sent on has no answer.
use std::fmt;

use crate::upstream::{Fault, PROXY_VARIABLES};

/// Why a request that was sent on has no answer. The messages say what to do; they never hold a key or what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardFailure {
    /// `api_url` is no http or https URL.
    Unusable,
    /// The environment key holds characters that no header can carry.
    UnusableKey,
    /// No answer, or none that can be read; why.
    NoAnswer(Fault),
    /// A redirect to another origin, without a location, in a circle, or to the answer of another question.
    Redirect,
    /// The answer has more bytes than are read.
    TooLarge,
}

impl ForwardFailure {
    /// Whether upstream may have done what was asked all the same: its answer is missing, and not the way to it.
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Unusable | Self::UnusableKey | Self::Redirect => false,
            Self::NoAnswer(fault) => !fault.is_of_the_way(),
            Self::TooLarge => true,
        }
    }
}

impl std::error::Error for ForwardFailure {}

impl fmt::Display for ForwardFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable => f.write_str("api_url cannot be used; it must be an http or https URL"),
            Self::UnusableKey => f.write_str(
                "an environment key holds characters that no header can carry; correct the key pair",
            ),
            Self::NoAnswer(fault) if fault.is_of_proxy() => write!(f, "{fault}{PROXY_VARIABLES}"),
            Self::NoAnswer(fault @ Fault::TlsFile(_)) => fault.fmt(f),
            Self::NoAnswer(fault) => write!(f, "{fault} (api_url)"),
            Self::Redirect => f.write_str(
                "upstream redirects in a circle or to another origin, where keys are not sent; correct api_url",
            ),
            Self::TooLarge => f.write_str(
                "upstream's answer is longer than this proxy reads (2 MiB); check upstream and what is between",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{ProxyFault, Stage};

    #[test]
    fn what_never_reached_upstream_is_not_done() {
        let no_answer = ForwardFailure::NoAnswer;
        for (failure, may_be_done) in [
            (ForwardFailure::Unusable, false),
            (ForwardFailure::UnusableKey, false),
            (ForwardFailure::Redirect, false),
            (no_answer(Fault::Refused), false),
            (no_answer(Fault::Unreachable), false),
            (no_answer(Fault::NameUnknown(String::new())), false),
            (no_answer(Fault::Late(Stage::Connect)), false),
            (no_answer(Fault::Late(Stage::Handshake)), false),
            (no_answer(Fault::CertificateExpired), false),
            (no_answer(Fault::ClientCertificateRequired), false),
            (no_answer(Fault::Proxy(ProxyFault::Failed(502))), false),
            (no_answer(Fault::Late(Stage::Head)), true),
            (no_answer(Fault::Late(Stage::Body)), true),
            (no_answer(Fault::Closed), true),
            (no_answer(Fault::ClosedMeanwhile), true),
            (no_answer(Fault::Cut), true),
            (no_answer(Fault::NotHttp), true),
            (ForwardFailure::TooLarge, true),
        ] {
            assert_eq!(failure.may_be_done(), may_be_done, "{failure:?}");
        }
    }
}
