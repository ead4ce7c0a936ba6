//! Content codings: which one a request accepts best, and compressing answers that exist only for one request.
use std::io::{self, Write};

use actix_web::http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Bodies below this many bytes are sent as they are: they fit a packet, and compressing them saves nothing.
pub const MINIMUM_BYTES: usize = 1000;

/// Bodies above this many bytes are compressed on the blocking pool: at some 100 MB/s a worker would else stand still
/// for longer than the two thread changes cost.
const INLINE_BYTES: usize = 16 * 1024;

/// A content coding that answers are given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// gzip (RFC 1952).
    Gzip,
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878).
    Zstd,
}

/// Codings in the server's order where a request leaves the choice, for bodies compressed once: the smallest first.
pub const FOR_READY_BODIES: [Encoding; 3] = [Encoding::Brotli, Encoding::Zstd, Encoding::Gzip];

/// The same for bodies that are compressed for one request: the quickest first.
pub const FOR_SINGLE_ANSWERS: [Encoding; 3] = [Encoding::Zstd, Encoding::Gzip, Encoding::Brotli];

impl Encoding {
    /// Every coding, identity first.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Brotli, Self::Zstd];

    /// The value of `Content-Encoding`; none for identity.
    pub fn content_encoding(self) -> Option<HeaderValue> {
        self.name().map(HeaderValue::from_static)
    }

    /// What an entity tag ends with in this coding, so that each representation has a tag of its own.
    pub fn tag_suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gzip",
            Self::Brotli => "-br",
            Self::Zstd => "-zstd",
        }
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// The coding that `Accept-Encoding` gives the highest weight, in `preferred` order among equals (RFC 9110, 12.5.3).
    ///
    /// Identity only where no coding has a weight above it; where nothing at all is acceptable, identity too, as the
    /// RFC advises.
    pub fn negotiate(headers: &HeaderMap, preferred: [Self; 3]) -> Self {
        let mut values = headers.get_all(ACCEPT_ENCODING).peekable();
        if values.peek().is_none() {
            return Self::Identity;
        }
        let mut weights = Weights::default();
        for value in values {
            // Accept-Encoding is ASCII; a value that is not accepts nothing we know.
            value.to_str().unwrap_or_default().split(',').for_each(|element| weights.read(element));
        }
        let mut best = (Self::Identity, weights.of_identity());
        for coding in preferred {
            let weight = weights.of(coding);
            let wins = if best.0 == Self::Identity { weight >= best.1 } else { weight > best.1 };
            if weight > 0 && wins {
                best = (coding, weight);
            }
        }
        best.0
    }
}

/// Weights in thousandths, which is all that a `q` can express.
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

    fn of(&self, coding: Encoding) -> u16 {
        let named = match coding {
            Encoding::Identity => self.identity,
            Encoding::Gzip => self.gzip,
            Encoding::Brotli => self.brotli,
            Encoding::Zstd => self.zstd,
        };
        named.or(self.rest).unwrap_or(0)
    }

    /// Identity is acceptable unless it is ruled out, and then the least of the choices unless it is named.
    fn of_identity(&self) -> u16 {
        self.identity.unwrap_or(0)
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
        // At most 1000 after clamping; a NaN becomes 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(weight) => (weight.clamp(0.0, 1.0) * 1000.0) as u16,
        Err(_) => 0,
    }
}

/// Compresses an answer that exists for one request only, at the fastest level; a large one on the blocking pool.
///
/// # Errors
/// Where the encoder fails or the blocking pool is gone; the caller then sends the body as it is.
pub async fn compress(encoding: Encoding, body: Bytes) -> io::Result<Bytes> {
    if body.len() <= INLINE_BYTES {
        return compress_now(encoding, &body);
    }
    actix_web::web::block(move || compress_now(encoding, &body)).await.map_err(io::Error::other)?
}

fn compress_now(encoding: Encoding, body: &Bytes) -> io::Result<Bytes> {
    let capacity = body.len() / 4;
    match encoding {
        Encoding::Identity => Ok(body.clone()),
        Encoding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::with_capacity(capacity), Compression::fast());
            encoder.write_all(body)?;
            encoder.finish().map(Bytes::from)
        }
        Encoding::Brotli => {
            let mut compressed = Vec::with_capacity(capacity);
            let parameters = brotli::enc::BrotliEncoderParams { quality: 2, ..Default::default() };
            brotli::BrotliCompress(&mut body.as_ref(), &mut compressed, &parameters)?;
            Ok(compressed.into())
        }
        Encoding::Zstd => zstd::bulk::compress(body, 1).map(Bytes::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &str) -> Encoding {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_str(accept).unwrap())]);
        Encoding::negotiate(&headers, FOR_READY_BODIES)
    }

    #[test]
    fn the_highest_weight_wins() {
        for (accept, expected) in [
            ("gzip", Encoding::Gzip),
            ("GZIP", Encoding::Gzip),
            ("x-gzip", Encoding::Gzip),
            ("gzip, deflate", Encoding::Gzip),
            ("gzip, deflate, br", Encoding::Brotli),
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip;q=1.0, br;q=0.5", Encoding::Gzip),
            ("gzip; q=0.1, zstd ; q=0.2", Encoding::Zstd),
            ("br;q=0, gzip;q=0.001", Encoding::Gzip),
            ("identity", Encoding::Identity),
            ("identity;q=0.5, gzip;q=0.4", Encoding::Identity),
            ("identity;q=0.5, gzip;q=0.5", Encoding::Gzip),
            ("identity;q=0", Encoding::Identity),
            ("identity;q=0, gzip;q=0", Encoding::Identity),
            ("identity;q=0, *", Encoding::Brotli),
            ("*", Encoding::Brotli),
            ("*;q=0", Encoding::Identity),
            ("*;q=0, gzip", Encoding::Gzip),
            ("br;q=0, *", Encoding::Zstd),
            ("deflate, compress", Encoding::Identity),
            ("", Encoding::Identity),
            (";;,=,q", Encoding::Identity),
            ("gzip;q=nan", Encoding::Identity),
            ("gzip;q=x, br;q=2", Encoding::Brotli),
            ("gzip;level=1;q=0", Encoding::Identity),
        ] {
            assert_eq!(negotiated(accept), expected, "{accept}");
        }
        assert_eq!(Encoding::negotiate(&HeaderMap::new(), FOR_READY_BODIES), Encoding::Identity);
    }

    #[test]
    fn several_lines_count_as_one() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.5"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("zstd"));
        assert_eq!(Encoding::negotiate(&headers, FOR_READY_BODIES), Encoding::Zstd);
    }

    #[test]
    fn every_coding_can_be_undone() {
        let body = Bytes::from("flags ".repeat(1000));
        for encoding in Encoding::ALL {
            let compressed = compress_now(encoding, &body).unwrap();
            let mut plain = Vec::new();
            match encoding {
                Encoding::Identity => plain.extend_from_slice(&compressed),
                Encoding::Gzip => {
                    io::copy(&mut flate2::read::GzDecoder::new(&compressed[..]), &mut plain).unwrap();
                }
                Encoding::Brotli => brotli::BrotliDecompress(&mut &compressed[..], &mut plain).unwrap(),
                Encoding::Zstd => plain = zstd::bulk::decompress(&compressed, body.len()).unwrap(),
            }
            assert_eq!(plain, body);
            assert!(encoding == Encoding::Identity || compressed.len() < body.len() / 10);
        }
    }
}
