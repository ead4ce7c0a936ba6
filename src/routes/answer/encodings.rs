//! Content codings: which one a request accepts best, and compressing answers that exist only for one request.
use std::io;

use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use actors::served::Encoding;
use bytes::Bytes;

/// The blocking pool compresses bodies above this many bytes. At some 100 MB/s a worker would else stand still for
/// longer than the two changes of thread cost.
const INLINE_BYTES: usize = 16 * 1024;

/// The server's order where a request leaves the choice, for bodies that are kept: the smallest first.
pub(super) const FOR_READY_BODIES: [Encoding; 3] = [Encoding::Brotli, Encoding::Zstd, Encoding::Gzip];

/// The same for bodies that exist for one request: the quickest first. Identities' gzip is put together from ready pieces, which takes
/// a tenth of what zstd does.
pub(super) const FOR_SINGLE_ANSWERS: [Encoding; 3] = [Encoding::Gzip, Encoding::Zstd, Encoding::Brotli];

/// Tells whether a body that exists for this request only should be gzip.
pub(in crate::routes) fn prefers_gzip(request: &HttpRequest) -> bool {
    negotiate(request.headers(), FOR_SINGLE_ANSWERS) == Some(Encoding::Gzip)
}

/// Gives the value of `Content-Encoding`.
pub(super) fn content_encoding(encoding: Encoding) -> HeaderValue {
    HeaderValue::from_static(encoding.name())
}

/// Finds the coding to which `Accept-Encoding` gives the highest weight, in `preferred` order among equals (RFC 9110,
/// 12.5.3). `None`: the body goes out as it is.
///
/// It goes out so where the request prefers that to every coding, and where the request accepts nothing at all, as the
/// RFC advises.
pub(super) fn negotiate(headers: &HeaderMap, preferred: [Encoding; 3]) -> Option<Encoding> {
    let mut values = headers.get_all(ACCEPT_ENCODING).peekable();
    if values.len() == 1
        && let Some(accepted) = usual(values.peek()?.as_bytes())
    {
        let mut preferred = preferred.into_iter();
        return preferred.find(|encoding| accepted.contains(encoding));
    }
    values.peek()?;
    let mut weights = Weights::default();
    for value in values {
        // A value that is not ASCII names no coding that we know.
        value
            .to_str()
            .unwrap_or_default()
            .split(',')
            .for_each(|element| weights.read(element));
    }
    let mut best: Option<(Encoding, u16)> = None;
    for encoding in preferred {
        let weight = weights.of(encoding);
        let least = best.map_or(weights.identity.unwrap_or(0).max(1), |(_, weight)| weight + 1);
        if weight >= least {
            best = Some((encoding, weight));
        }
    }
    best.map(|(encoding, _)| encoding)
}

/// What browsers and SDKs send, which costs less to compare than to read.
fn usual(value: &[u8]) -> Option<&'static [Encoding]> {
    match value {
        b"gzip" | b"gzip, deflate" | b"gzip,deflate" => Some(&[Encoding::Gzip]),
        b"gzip, deflate, br" => Some(&[Encoding::Gzip, Encoding::Brotli]),
        b"gzip, deflate, br, zstd" => Some(&[Encoding::Gzip, Encoding::Brotli, Encoding::Zstd]),
        _ => None,
    }
}

/// Weights in thousandths: a `q` has three digits.
#[derive(Debug, Default)]
struct Weights {
    identity: Option<u16>,
    gzip: Option<u16>,
    brotli: Option<u16>,
    zstd: Option<u16>,
    rest: Option<u16>,
}

impl Weights {
    fn read(&mut self, element: &str) {
        let (name, parameters) = element.split_once(';').unwrap_or((element, ""));
        let name = name.trim();
        let slot = if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            &mut self.gzip
        } else if name.eq_ignore_ascii_case("br") {
            &mut self.brotli
        } else if name.eq_ignore_ascii_case("zstd") {
            &mut self.zstd
        } else if name.eq_ignore_ascii_case("identity") {
            &mut self.identity
        } else if name == "*" {
            &mut self.rest
        } else {
            return;
        };
        *slot = Some(weight(parameters));
    }

    fn of(&self, encoding: Encoding) -> u16 {
        let named = match encoding {
            Encoding::Gzip => self.gzip,
            Encoding::Brotli => self.brotli,
            Encoding::Zstd => self.zstd,
        };
        named.or(self.rest).unwrap_or(0)
    }
}

fn weight(parameters: &str) -> u16 {
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let Some(value) = value else {
        return 1000;
    };
    match value.parse::<f32>() {
        // Clamping leaves 1000 at most, and a NaN becomes 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(weight) => (weight.clamp(0.0, 1.0) * 1000.0) as u16,
        Err(_) => 0,
    }
}

/// Compresses a body that exists for one request only; the blocking pool compresses a large one.
///
/// # Errors
/// Where the encoder fails or the blocking pool is gone; the caller then sends the body as it is.
pub(super) async fn compress(encoding: Encoding, body: Bytes) -> io::Result<Bytes> {
    if body.len() <= INLINE_BYTES {
        return encoding.compress_once(&body).map(Bytes::from);
    }
    let compressed = actix_web::web::block(move || encoding.compress_once(&body)).await;
    compressed.map_err(io::Error::other)?.map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    use Encoding::{Brotli, Gzip, Zstd};

    fn negotiated(accept: &str) -> Option<Encoding> {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_str(accept).unwrap())]);
        negotiate(&headers, FOR_READY_BODIES)
    }

    #[test]
    fn the_highest_weight_wins() {
        for (accept, expected) in [
            ("gzip", Some(Gzip)),
            ("GZIP", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("gzip, deflate", Some(Gzip)),
            ("gzip, deflate, br", Some(Brotli)),
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("gzip;q=1.0, br;q=0.5", Some(Gzip)),
            ("gzip; q=0.1, zstd ; q=0.2", Some(Zstd)),
            ("br;q=0, gzip;q=0.001", Some(Gzip)),
            ("identity", None),
            ("identity;q=0.5, gzip;q=0.4", None),
            ("identity;q=0.5, gzip;q=0.5", Some(Gzip)),
            ("identity;q=0", None),
            ("identity;q=0, gzip;q=0", None),
            ("identity;q=0, *", Some(Brotli)),
            ("*", Some(Brotli)),
            ("*;q=0", None),
            ("*;q=0, gzip", Some(Gzip)),
            ("br;q=0, *", Some(Zstd)),
            ("deflate, compress", None),
            ("", None),
            (";;,=,q", None),
            ("gzip;q=nan", None),
            ("gzip;q=x, br;q=2", Some(Brotli)),
            ("gzip;level=1;q=0", None),
        ] {
            assert_eq!(negotiated(accept), expected, "{accept}");
        }
        assert_eq!(negotiate(&HeaderMap::new(), FOR_READY_BODIES), None);
    }

    #[test]
    fn single_answers_are_gzip_unless_another_coding_weighs_more() {
        for (accept, expected) in [
            ("gzip", Some(Gzip)),
            ("gzip, deflate", Some(Gzip)),
            ("gzip, deflate, br, zstd", Some(Gzip)),
            ("br, zstd, x-gzip", Some(Gzip)),
            ("gzip;q=1.0,deflate;q=0.6,identity;q=0.3", Some(Gzip)),
            ("*", Some(Gzip)),
            ("gzip;q=0.9, br", Some(Brotli)),
            ("br, zstd", Some(Zstd)),
            ("deflate", None),
            ("gzip;q=0.4, identity;q=0.5", None),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accept))]);
            assert_eq!(negotiate(&headers, FOR_SINGLE_ANSWERS), expected, "{accept}");
        }
    }

    #[test]
    fn several_lines_count_as_one() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.5"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("zstd"));
        assert_eq!(negotiate(&headers, FOR_READY_BODIES), Some(Zstd));
    }
}
