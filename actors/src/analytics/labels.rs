//! The labels by which Flagsmith's core tells applications and SDKs apart.
use std::fmt;

use awc::http::header::{HeaderMap, HeaderName};
use hashbrown::Equivalent;

/// The headers that core makes labels of (`TRACK_HEADERS` of its `app_analytics/constants.py`), in the order of their
/// values here.
pub(super) const HEADERS: [HeaderName; LABELS] = [
    HeaderName::from_static("flagsmith-application-name"),
    HeaderName::from_static("flagsmith-application-version"),
    HeaderName::from_static("flagsmith-sdk-user-agent"),
    HeaderName::from_static("user-agent"),
];

/// How many there are.
pub(super) const LABELS: usize = 4;

/// What is kept of a value: browsers' `User-Agent` takes 80 to 200 bytes, with the additions of apps up to 500. What is
/// longer is cut, so that whoever writes something new into each request takes no more memory than others.
const LONGEST: usize = 512;

/// The labels of a request, as it carries them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct LabelsRef<'r>(pub(super) [Option<&'r [u8]>; LABELS]);

/// The same, kept. Application names are the business of whoever runs them, so `Debug` shows none.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Labels(pub(super) [Option<Box<[u8]>>; LABELS]);

impl<'r> LabelsRef<'r> {
    /// Reads them from a request's headers; of repeated ones the first counts. Allocates nothing.
    pub fn of(headers: &'r HeaderMap) -> Self {
        Self(HEADERS.each_ref().map(|name| {
            let value = headers.get(name)?.as_bytes();
            (!value.is_empty()).then(|| cut(value))
        }))
    }
}

impl LabelsRef<'_> {
    pub(super) fn bytes(self) -> usize {
        self.0.iter().flatten().map(|value| value.len()).sum()
    }
}

impl Labels {
    pub(super) fn borrowed(&self) -> LabelsRef<'_> {
        LabelsRef(self.0.each_ref().map(|value| value.as_deref()))
    }
}

impl From<LabelsRef<'_>> for Labels {
    fn from(labels: LabelsRef<'_>) -> Self {
        Self(labels.0.map(|value| value.map(Box::from)))
    }
}

impl Equivalent<Labels> for LabelsRef<'_> {
    fn equivalent(&self, kept: &Labels) -> bool {
        *self == kept.borrowed()
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Labels({})", self.0.iter().flatten().count())
    }
}

impl fmt::Debug for LabelsRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LabelsRef({})", self.0.iter().flatten().count())
    }
}

/// The beginning of a value, without half a character at its end.
fn cut(value: &[u8]) -> &[u8] {
    let Some(beginning) = value.get(..LONGEST).filter(|_| value.len() > LONGEST) else {
        return value;
    };
    let is_inner = |byte: &u8| byte & 0xC0 == 0x80;
    let is_split = value.get(LONGEST).is_some_and(is_inner);
    let first = beginning.iter().rposition(|byte| !is_inner(byte)).unwrap_or(0);
    if is_split && first > 0 {
        beginning.get(..first).unwrap_or(beginning)
    } else {
        beginning
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher as _;

    use awc::http::header::HeaderValue;

    use super::*;

    fn headers(fields: &[(&'static str, &[u8])]) -> HeaderMap {
        let fields = fields.iter();
        fields
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_bytes(value).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn labels_are_the_four_headers_as_they_come() {
        let headers = headers(&[
            ("user-agent", b"python-requests/2.34.2"),
            ("flagsmith-application-name", b"sh\xf6p"),
            ("flagsmith-sdk-user-agent", b""),
            ("accept", b"*/*"),
        ]);
        let labels = LabelsRef::of(&headers);
        let expected: [Option<&[u8]>; LABELS] =
            [Some(b"sh\xf6p"), None, None, Some(b"python-requests/2.34.2")];
        assert_eq!(labels.0, expected);
        assert_eq!(labels.bytes(), 26);
    }

    #[test]
    fn what_is_kept_is_found_by_what_comes() {
        let headers = headers(&[
            ("user-agent", b"agent"),
            ("flagsmith-application-version", b"1.2"),
        ]);
        let came = LabelsRef::of(&headers);
        let kept = Labels::from(came);
        assert!(came.equivalent(&kept));
        assert!(!LabelsRef::default().equivalent(&kept));
        let hasher = hashbrown::DefaultHashBuilder::default();
        assert_eq!(hasher.hash_one(came), hasher.hash_one(&kept));
        assert!(!format!("{kept:?} {came:?}").contains("agent"));
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let ascii = [b'a'; LONGEST + 1];
        assert_eq!(cut(&ascii).len(), LONGEST);
        assert_eq!(cut(&ascii[1..]).len(), LONGEST);
        let umlauts = format!("a{}", "\u{e4}".repeat(LONGEST)).into_bytes();
        let kept = cut(&umlauts);
        assert_eq!(kept.len(), LONGEST - 1);
        assert!(std::str::from_utf8(kept).is_ok());
        // What is no UTF-8 is cut anywhere.
        assert!(cut(&[0x80; 2 * LONGEST]).len() <= LONGEST);
    }
}
