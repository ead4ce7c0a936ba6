use std::fmt;

use awc::http::header::{HeaderName, HeaderValue};

use super::confided;

/// What requests may not carry by configuration: what frames a message or belongs to one connection (RFC 9110, 7.6.1), and
/// what this proxy sends by itself, for upstream and for whom it speaks for.
const RESERVED: [&str; 23] = [
    "accept",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-environment-key",
];

/// Names with this beginning label evaluation counts, with what SDKs say of themselves.
const LABELS: &str = "flagsmith-";

/// `upstream.headers`: fields that every request to upstream carries beside its own, as gateways before Flagsmith ask for. The
/// debug format shows no value.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExtraHeaders(Vec<(HeaderName, HeaderValue)>);

/// Why a field cannot be sent. The messages follow the option's name, and hold nothing of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAHeader {
    /// No field can have this name.
    Name,
    /// The field is not the configuration's to set.
    Reserved,
    /// It is given already, perhaps in other case.
    Twice,
    /// No field can have this value.
    Value,
}

impl ExtraHeaders {
    /// Adds a field.
    ///
    /// # Errors
    /// Why it cannot be sent.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), NotAHeader> {
        let name = HeaderName::try_from(name).map_err(|_| NotAHeader::Name)?;
        if RESERVED.contains(&name.as_str()) || name.as_str().starts_with(LABELS) {
            return Err(NotAHeader::Reserved);
        }
        if self.0.iter().any(|(known, _)| *known == name) {
            return Err(NotAHeader::Twice);
        }
        let is_visible = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
        if value.is_empty() || !value.bytes().all(is_visible) {
            return Err(NotAHeader::Value);
        }
        let mut value = HeaderValue::try_from(value).map_err(|_| NotAHeader::Value)?;
        value.set_sensitive(true);
        self.0.push((name, value));
        Ok(())
    }

    /// The names, in lower case, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// All of them. Their values are not for a log.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Whether a text repeats one of the values, or a part of one.
    pub(super) fn is_secret_in(&self, text: &str) -> bool {
        let mut values = self.0.iter().filter_map(|(_, value)| value.to_str().ok());
        values.any(|value| confided::is_repeated_in(text, value))
    }
}

impl std::error::Error for NotAHeader {}

impl fmt::Display for NotAHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "is no name of a header field; give letters, digits and hyphens",
            Self::Reserved => {
                "cannot be set: it frames the request, or this proxy sends its own; leave it out"
            }
            Self::Twice => "is given twice (case does not count); give it once",
            Self::Value => {
                "has a value that no header field can carry; give visible characters of ASCII, with blanks only between them"
            }
        })
    }
}

impl fmt::Debug for ExtraHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_taken_once_and_their_values_are_not_shown() {
        let mut headers = ExtraHeaders::default();
        headers.add("Authorization", "Basic secret").unwrap();
        headers.add("X-Gateway_Key.v2", "a secret\tof blanks").unwrap();
        assert_eq!(headers.add("AUTHORIZATION", "x"), Err(NotAHeader::Twice));
        let names: Vec<_> = headers.names().collect();
        assert_eq!(names, ["authorization", "x-gateway_key.v2"]);
        let shown = format!("{headers:?} {:?}", headers.iter().collect::<Vec<_>>());
        assert!(!shown.contains("secret"), "{shown}");
        assert!(headers.is_secret_in("you sent Basic secret") && !headers.is_secret_in("Basic"));
    }

    #[test]
    fn what_no_configuration_can_set_is_refused() {
        let refused = |name: &str, value: &str| ExtraHeaders::default().add(name, value);
        for name in RESERVED
            .iter()
            .chain(&["Host", "X-ENVIRONMENT-KEY", "Flagsmith-Application-Name"])
        {
            assert_eq!(refused(name, "x"), Err(NotAHeader::Reserved), "{name}");
        }
        for name in ["", "a b", "a:b", "ä", "a\r\nb"] {
            assert_eq!(refused(name, "x"), Err(NotAHeader::Name), "{name}");
        }
        for value in ["", "a\r\nHost: b", "a\n", "\0", "ä", "\u{7f}"] {
            assert_eq!(refused("X-Key", value), Err(NotAHeader::Value), "{value:?}");
        }
    }
}
