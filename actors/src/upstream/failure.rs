use std::fmt;
use std::time::Duration;

use super::{Fault, PROXY_VARIABLES, Stage};

/// Why a fetch gave no document. The messages say what to do; they never hold a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchFailure {
    /// `api_url` is no http or https URL.
    Unusable,
    /// No answer, or none that can be read; why.
    NoAnswer(Fault),
    /// The server-side key holds characters that no header can carry.
    UnusableKey,
    /// 401 or 403, and what upstream says about it.
    KeyRejected(u16, Option<String>),
    /// 429, with what `Retry-After` asks for.
    RateLimited(Option<Duration>),
    /// A redirect to another origin, without a location, or in a circle.
    Redirect,
    /// The next page is said to be of another origin, or at no URL.
    PageElsewhere,
    /// Another status than 200 and 304.
    Status(u16),
    /// More bytes than are read.
    TooLarge,
    /// A body that decodes to far more than its size.
    Inflated,
    /// More memory than a document may take while it is fetched and applied.
    TooMuchMemory,
    /// A content coding that was not asked for.
    UnknownCoding,
    /// More pages than are read.
    TooManyPages,
    /// Not JSON; where it stops being it.
    NotJson(String),
    /// JSON, but no environment document; why.
    NotADocument(String),
    /// A document's file cannot be used; why.
    File(String),
    /// The document could not be applied: a defect of this proxy.
    Apply,
}

/// Kinds of failures, beside those that are about the key or the rate: what an operator looks at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// Nothing came in time.
    Late,
    /// Upstream was not reached, or the connection broke.
    Unreachable,
    /// What upstream answered is no document.
    BadAnswer,
    /// What was asked for cannot be had.
    Unusable,
}

impl FetchFailure {
    /// The status of upstream's answer, where that is what failed.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::KeyRejected(status, _) | Self::Status(status) => Some(*status),
            Self::RateLimited(_) => Some(429),
            _ => None,
        }
    }

    /// Of which kind it is.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            // Room that other documents take is nothing of upstream's.
            Self::NoAnswer(Fault::Late(Stage::Memory)) => FailureKind::Unusable,
            Self::NoAnswer(Fault::Late(_)) => FailureKind::Late,
            Self::NoAnswer(fault) if fault.is_of_the_answer() => FailureKind::BadAnswer,
            Self::NoAnswer(_) => FailureKind::Unreachable,
            Self::KeyRejected(..)
            | Self::RateLimited(_)
            | Self::Redirect
            | Self::PageElsewhere
            | Self::Status(_)
            | Self::TooLarge
            | Self::Inflated
            | Self::UnknownCoding
            | Self::TooManyPages
            | Self::NotJson(_)
            | Self::NotADocument(_) => FailureKind::BadAnswer,
            Self::Unusable | Self::UnusableKey | Self::TooMuchMemory | Self::File(_) | Self::Apply => {
                FailureKind::Unusable
            }
        }
    }

    /// Whether two failures are the same state of affairs, so that the second one is no news.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::KeyRejected(..), Self::KeyRejected(..)) => self == other,
            (Self::Status(a), Self::Status(b)) => a == b,
            // The file was touched in between.
            (Self::File(a), Self::File(b)) => a == b,
            (Self::NoAnswer(a), Self::NoAnswer(b)) => a == b,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl std::error::Error for FetchFailure {}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable => f.write_str("api_url cannot be used; it must be an http or https URL"),
            Self::NoAnswer(fault) => {
                write!(f, "no document from upstream: {fault}")?;
                match fault {
                    Fault::Late(Stage::Head | Stage::Body) => f.write_str(" (api_poll_timeout_seconds)"),
                    Fault::Late(Stage::Memory) | Fault::TlsFile(_) => Ok(()),
                    fault if fault.is_of_proxy() => f.write_str(PROXY_VARIABLES),
                    _ => f.write_str(" (api_url)"),
                }
            }
            Self::KeyRejected(status, Some(said)) => write!(
                f,
                "upstream refuses the server-side key ({status}) and says {said:?}; where that is about the key, check the key \
                 pair's server_side_key, and that it belongs to the API at api_url"
            ),
            Self::KeyRejected(status, None) => write!(
                f,
                "upstream rejects the server-side key ({status}); check the key pair's server_side_key, and that it \
                 belongs to the API at api_url"
            ),
            Self::UnusableKey => {
                f.write_str("a server-side key holds characters that no header can carry; correct the key pair")
            }
            Self::RateLimited(_) => f.write_str("upstream limits the rate (429); raise api_poll_frequency_seconds"),
            Self::Redirect => {
                f.write_str("upstream redirects in a circle or to another origin, where keys are not sent; correct api_url")
            }
            Self::PageElsewhere => f.write_str(
                "the next page of identity overrides is said to be at another address (Link: rel=\"next\"), which is not followed, \
                 for keys are not sent there; check what is between, and that api_url has the scheme, host and port which \
                 upstream calls itself by",
            ),
            Self::Status(status) => write!(f, "upstream answers {status}; check upstream, and the path of api_url"),
            Self::TooLarge => f.write_str(
                "upstream's document is larger than this proxy reads (256 MiB), which no option raises; check that api_url names \
                 Flagsmith's API, and delete what the environment does not need: features, segments, identity overrides",
            ),
            Self::Inflated => f.write_str(
                "upstream's answer decodes to more than 100 times its size, as no document does; check upstream and what is between",
            ),
            Self::TooMuchMemory => f.write_str(
                "the document takes more memory than one may while it is fetched and applied; raise upstream.document_memory_bytes",
            ),
            Self::UnknownCoding => f.write_str(
                "upstream's answer comes in a content coding that was not asked for (gzip was); check what is between",
            ),
            Self::TooManyPages => f.write_str(
                "upstream's document has more pages than this proxy reads (10,000), which no option raises; check what is between, \
                 and delete identity overrides that are not needed",
            ),
            Self::NotJson(why) => {
                write!(f, "the answer is not JSON ({why}); check that api_url names Flagsmith's API")
            }
            Self::NotADocument(why) => {
                write!(f, "the answer is no environment document ({why}); check that api_url names Flagsmith's API")
            }
            Self::File(why) => write!(f, "the document's file cannot be used ({why}); check document_path"),
            Self::Apply => f.write_str("the document could not be applied; please report this as a defect"),
        }
    }
}
