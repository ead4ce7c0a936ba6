//! The port of a URL. `Uri::port_u16` is `None` both where a URL names no port and where it names one that there is not, and
//! whoever took the scheme's own port in its place would send keys to a port that nobody meant.
use std::fmt;

use awc::http::Uri;

/// What a URL names as its port is none. It follows the name of what has the URL, and holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchPort;

impl std::error::Error for NoSuchPort {}

impl fmt::Display for NoSuchPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names a port that there is not")
    }
}

/// The port that a URL names; `None`: it names none, so that of its scheme is meant.
///
/// A colon with nothing behind it names none: RFC 3986, 3.2.3 has it so, every HTTP client reads it so, and the scheme's own
/// port is then what was written.
///
/// # Errors
/// Where it is no number from 1 to 65535, in digits alone.
pub fn named_port(url: &Uri) -> Result<Option<u16>, NoSuchPort> {
    let Some(authority) = url.authority() else {
        return Ok(None);
    };
    let text = authority.as_str();
    let address = text.rsplit_once('@').map_or(text, |(_, address)| address);
    match address.strip_prefix(authority.host()) {
        Some("" | ":") => Ok(None),
        // The number's own reader takes a sign, too.
        Some(rest) => match rest.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
                Ok(0) | Err(_) => Err(NoSuchPort),
                Ok(port) => Ok(Some(port)),
            },
            _ => Err(NoSuchPort),
        },
        None => Err(NoSuchPort),
    }
}

/// The port that requests to a URL go to; `None`: it names one that there is not, or its scheme is none of ours.
pub(super) fn port(url: &Uri) -> Option<u16> {
    named_port(url).ok()?.or_else(|| default_port(url))
}

/// The port of a URL's scheme.
pub(super) fn default_port(url: &Uri) -> Option<u16> {
    match url.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOSTS: [&str; 5] = ["host", "host.test", "127.0.0.1", "[::1]", "user:8000@host"];

    fn url(scheme: &str, host: &str, rest: &str) -> Option<Uri> {
        format!("{scheme}://{host}{rest}/x?y=:1").parse().ok()
    }

    #[test]
    fn a_port_is_named_or_not_or_there_is_no_such() {
        for host in HOSTS {
            for (rest, expected) in [
                ("", Ok(None)),
                (":", Ok(None)),
                (":1", Ok(Some(1))),
                (":0080", Ok(Some(80))),
                (":65535", Ok(Some(65535))),
                (":0", Err(NoSuchPort)),
                (":65536", Err(NoSuchPort)),
                (":80800", Err(NoSuchPort)),
                (":8x", Err(NoSuchPort)),
                (":-1", Err(NoSuchPort)),
                (":+80", Err(NoSuchPort)),
            ] {
                let read = url("https", host, rest).unwrap();
                assert_eq!(named_port(&read), expected, "{host}{rest}");
            }
        }
        assert_eq!(named_port(&Uri::from_static("/x")), Ok(None));
        assert_eq!(port(&Uri::from_static("ftp://host/")), None);
    }

    /// What can be told of a port by its text alone.
    fn meant(text: &str, own: u16) -> Option<u16> {
        if text.is_empty() {
            return Some(own);
        }
        let digits = text.trim_start_matches('0');
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() <= 5;
        let number = digits.bytes().fold(0_u32, |sum, digit| {
            sum.saturating_mul(10)
                .saturating_add(u32::from(digit.wrapping_sub(b'0')))
        });
        u16::try_from(number).ok().filter(|port| is_number && *port > 0)
    }

    proptest! {
        #[test]
        fn no_request_goes_to_a_port_that_was_not_written(
            text in prop_oneof!["[0-9]{0,7}", "[0-9+x-]{0,4}", "[!-~]{0,6}", any::<u16>().prop_map(|port| port.to_string())],
            host in prop::sample::select(&HOSTS[..]),
            (scheme, own) in prop::sample::select(&[("http", 80), ("https", 443)][..]),
        ) {
            // What ends the authority, or makes another host of it, is no text of a port.
            prop_assume!(!text.contains(['/', '?', '#', '@', '[', ']', '\\']));
            if let Some(url) = url(scheme, host, &format!(":{text}")) {
                prop_assert_eq!(port(&url), meant(&text, own), "{}", url);
            }
        }
    }
}
