use std::fmt;

use super::Fault;

/// Why there is no way through the proxy that leads to the server. What is asked of the server has not been sent then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyFault {
    /// The proxy itself is not reached; why.
    NotReached(Box<Fault>),
    /// It wants credentials and was given none (407).
    CredentialsMissing,
    /// It does not take those that it was given (407).
    CredentialsRefused,
    /// It wants to know who asks in another way than by Basic credentials (407).
    AnotherAuthentication,
    /// It does not connect to the server; with this status.
    Refused(u16),
    /// It cannot connect to the server; with this status.
    Failed(u16),
    /// It does not answer in time.
    Late,
    /// It ends the connection in an answer's place.
    Closed,
    /// Its answer is no HTTP/1.
    NotHttp,
    /// Its answer's head is longer than what is read.
    HeadTooLarge,
}

impl ProxyFault {
    /// Whether it is about what it was given to know who asks.
    pub(in crate::upstream) fn is_of_credentials(&self) -> bool {
        matches!(
            self,
            Self::CredentialsMissing | Self::CredentialsRefused | Self::AnotherAuthentication
        )
    }
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NotReached(fault) => return write!(f, "the proxy before it is not reached: {fault}"),
            Self::CredentialsMissing => {
                "the proxy before it wants credentials (407); write them into its URL, as http://name:password@host:port"
            }
            Self::CredentialsRefused => {
                "the proxy before it does not take the credentials (407); correct them in its URL, percent-encoded. They are sent \
                 once a minute at most, lest it lock the account"
            }
            Self::AnotherAuthentication => {
                "the proxy before it wants another kind of credentials than Basic (407); let it take Basic, or exempt this machine"
            }
            Self::Refused(status) => {
                return write!(
                    f,
                    "the proxy before it refuses the way there ({status}); allow CONNECT to upstream's host and port in the \
                     proxy, or name the host in NO_PROXY"
                );
            }
            Self::Failed(status) => {
                return write!(
                    f,
                    "the proxy before it finds no way there ({status}); check upstream's host and port, and the proxy's DNS \
                     and network"
                );
            }
            Self::Late => {
                "the proxy before it makes no connection in time; check whether it reaches upstream's host and port"
            }
            Self::Closed => {
                "the proxy before it ends the connection without an answer; check that its URL names a proxy, and whether it \
                 expects https"
            }
            Self::NotHttp => {
                "the proxy before it does not speak HTTP/1.1; check that its URL names a proxy, and whether it expects https"
            }
            Self::HeadTooLarge => {
                "the proxy's answer has a longer head than is read (16 KiB, 128 fields); check that its URL names a proxy"
            }
        };
        f.write_str(text)
    }
}
