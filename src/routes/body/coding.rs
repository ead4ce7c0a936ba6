//! Content codings of request bodies (RFC 9110 §8.4): gzip, or none.
//!
//! What a body decodes to is held to the same limit as a body that comes as it is, while it is decoded: a kilobyte of gzip
//! can stand for a megabyte, and for a gigabyte in a few steps more.
use std::io::Read as _;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};
use bytes::Bytes;
use flate2::bufread::GzDecoder;

use crate::error::ApiError;
use crate::routes::Services;

/// A worker decodes bodies of so many bytes itself, to so many bytes: some tenths of a millisecond. What is more waits for
/// a thread beside the workers, as heavy evaluations do.
const INLINE_BYTES: usize = 16 * 1024;
const INLINE_DECODED_BYTES: usize = 64 * 1024;

/// The most members of a gzip body. Each costs a decoder of 43 KiB, and an empty one has 20 bytes: a body of them alone would
/// take a tenth of a second. A file of `bgzip` has one for each 64 KiB.
const MEMBERS: usize = 64;

/// How a body was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// It comes as it is.
    Identity,
    /// It is gzip (RFC 1952).
    Gzip,
}

impl Coding {
    /// Reads `Content-Encoding`, of any number of lines. Empty elements and `identity` are no coding; `x-gzip` is gzip.
    ///
    /// # Errors
    /// 415 for any other coding, and for gzip within gzip.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut coding = Self::Identity;
        for line in headers.get_all(CONTENT_ENCODING) {
            // What is not ASCII names no coding that there is.
            let line = line.to_str().map_err(|_| ApiError::UnsupportedCoding)?;
            for name in line.split(',').map(str::trim) {
                if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                    continue;
                }
                let is_gzip = name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip");
                if !is_gzip || coding == Self::Gzip {
                    return Err(ApiError::UnsupportedCoding);
                }
                coding = Self::Gzip;
            }
        }
        Ok(coding)
    }
}

/// Decodes a whole gzip body to `limit` bytes at most. A body of no bytes is empty in every coding.
///
/// # Errors
/// 413 past the limit, 400 where the body is broken or incomplete, 503 where it is large and many are.
pub(super) async fn decode(request: &HttpRequest, body: Bytes, limit: usize) -> Result<Bytes, ApiError> {
    if body.is_empty() {
        return Ok(body);
    }
    if body.len() <= INLINE_BYTES {
        match gunzip(&body, limit.min(INLINE_DECODED_BYTES)) {
            Err(ApiError::BodyTooLarge) if limit > INLINE_DECODED_BYTES => {}
            decoded => return decoded,
        }
    }
    let heavy = &Services::of(request)?.shared.heavy;
    heavy.run(move || gunzip(&body, limit)).await?
}

/// Decodes all members of a gzip body.
fn gunzip(mut encoded: &[u8], limit: usize) -> Result<Bytes, ApiError> {
    let mut decoded = Vec::new();
    for _ in 0..MEMBERS {
        let room = limit - decoded.len();
        // One byte more shows a body that is too large; at its end a member's checksum is compared.
        let most = u64::try_from(room).unwrap_or(u64::MAX).saturating_add(1);
        let mut member = GzDecoder::new(&mut encoded).take(most);
        if member.read_to_end(&mut decoded).is_err() {
            return Err(ApiError::BrokenGzip);
        }
        if decoded.len() > limit {
            return Err(ApiError::BodyTooLarge);
        }
        drop(member);
        if encoded.is_empty() {
            return Ok(decoded.into());
        }
    }
    Err(ApiError::BrokenGzip)
}

/// What holds of every body: it decodes to what is allowed at most, and to the same where more is allowed.
#[cfg(any(test, feature = "fuzzing"))]
pub(in crate::routes) fn fuzz(data: &[u8]) {
    let (little, much) = (gunzip(data, 1_000), gunzip(data, 100_000));
    let is_so = match (&little, &much) {
        (Ok(little), Ok(much)) => little == much && little.len() <= 1_000,
        (Err(ApiError::BodyTooLarge), Ok(much)) => (1_001..=100_000).contains(&much.len()),
        (Err(ApiError::BodyTooLarge | ApiError::BrokenGzip), Err(_)) => true,
        _ => false,
    };
    assert!(is_so, "{little:?} and {much:?}");
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use actix_web::http::header::HeaderValue;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn coding(lines: &[&'static str]) -> Result<Coding, ApiError> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(line));
        }
        Coding::of(&headers)
    }

    #[test]
    fn gzip_is_one_coding_among_those_that_are_none() {
        for lines in [&[][..], &[""], &["identity"], &[" , Identity,"], &["", ""]] {
            assert_eq!(coding(lines), Ok(Coding::Identity), "{lines:?}");
        }
        for lines in [
            &["gzip"][..],
            &["GZip"],
            &["x-gzip"],
            &["identity, gzip,"],
            &["", "gzip"],
        ] {
            assert_eq!(coding(lines), Ok(Coding::Gzip), "{lines:?}");
        }
        for lines in [
            &["br"][..],
            &["deflate"],
            &["gzip, gzip"],
            &["gzip", "x-gzip"],
            &["gzip, br"],
            &["gzip;q=1"],
            &["*"],
        ] {
            assert_eq!(coding(lines), Err(ApiError::UnsupportedCoding), "{lines:?}");
        }
    }

    #[test]
    fn every_member_counts_towards_the_limit() {
        let (first, second) = (vec![b'a'; 600], vec![b'b'; 400]);
        let both = [gzip(&first), gzip(b""), gzip(&second)].concat();
        assert_eq!(gunzip(&both, 1000).unwrap(), [first, second].concat());
        assert_eq!(gunzip(&both, 999), Err(ApiError::BodyTooLarge));
        assert_eq!(gunzip(&both, 600), Err(ApiError::BodyTooLarge));
        assert_eq!(gunzip(&gzip(b""), 0).unwrap(), "");
    }

    #[test]
    fn what_is_not_whole_is_broken() {
        let whole = gzip(&b"flags ".repeat(100));
        for length in 1..whole.len() {
            assert_eq!(
                gunzip(&whole[..length], 1000),
                Err(ApiError::BrokenGzip),
                "{length}"
            );
        }
        for index in [0, 1, 2, whole.len() - 1, whole.len() - 8] {
            let mut broken = whole.clone();
            broken[index] ^= 0x55;
            assert_eq!(gunzip(&broken, 1000), Err(ApiError::BrokenGzip), "{index}");
        }
        let followed = [whole.as_slice(), b"rest"].concat();
        assert_eq!(gunzip(&followed, 1000), Err(ApiError::BrokenGzip));
    }

    #[test]
    fn members_are_bounded() {
        assert_eq!(gunzip(&gzip(b"").repeat(MEMBERS), 10).unwrap(), "");
        assert_eq!(
            gunzip(&gzip(b"").repeat(MEMBERS + 1), 10),
            Err(ApiError::BrokenGzip)
        );
    }
}
