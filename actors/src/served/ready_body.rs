use std::fmt;

use awc::http::header::HeaderValue;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::Encoding;

/// Bodies below this are sent as they are: compressed they save no packet (http.md).
pub const COMPRESSION_THRESHOLD: usize = 1000;

/// A body made once, when its document is applied, in the forms that clients accept.
pub struct ReadyBody {
    /// Uncompressed.
    pub plain: Bytes,
    /// The strong entity tag's opaque part, without quotes: `h`; encodings append `-gzip`, `-br`, `-zstd`.
    pub etag: String,
    plain_tag: HeaderValue,
    gzip: EncodedBody,
    brotli: EncodedBody,
    zstd: EncodedBody,
}

/// One compressed form, made at most once.
struct EncodedBody {
    tag: HeaderValue,
    bytes: OnceCell<Bytes>,
}

impl ReadyBody {
    /// Makes a body whose compressed forms are made at their first demand.
    pub fn new(plain: Vec<u8>) -> Self {
        let plain = Bytes::from(plain);
        let etag = entity_tag(&plain);
        let encoded = |encoding: Encoding| EncodedBody {
            tag: quoted(&etag, Some(encoding)),
            bytes: OnceCell::new(),
        };
        Self {
            plain_tag: quoted(&etag, None),
            gzip: encoded(Encoding::Gzip),
            brotli: encoded(Encoding::Brotli),
            zstd: encoded(Encoding::Zstd),
            plain,
            etag,
        }
    }

    /// Makes a body and its gzip form, where that pays. Takes its time: not for a request thread.
    pub fn with_gzip(plain: Vec<u8>) -> Self {
        let mut body = Self::new(plain);
        if body.is_compressible()
            && let Ok(compressed) = Encoding::Gzip.compress(&body.plain)
        {
            body.gzip.bytes = OnceCell::new_with(Some(Bytes::from(compressed)));
        }
        body
    }

    /// Whether compressing it is worth it.
    pub fn is_compressible(&self) -> bool {
        self.plain.len() >= COMPRESSION_THRESHOLD
    }

    /// The compressed body where it is ready; shared bytes, no copy.
    pub fn encoded(&self, encoding: Encoding) -> Option<Bytes> {
        self.form(encoding).bytes.get().cloned()
    }

    /// The compressed body, made on a blocking thread at the first demand and kept; those who ask meanwhile wait for
    /// the same work. `None` where the body is too small, or compressing failed: send it plain.
    pub async fn encode(&self, encoding: Encoding) -> Option<Bytes> {
        if !self.is_compressible() {
            return None;
        }
        let made = self.form(encoding).bytes.get_or_try_init(|| async {
            let plain = self.plain.clone();
            let compressing = tokio::task::spawn_blocking(move || encoding.compress(&plain));
            compressing
                .await
                .ok()
                .and_then(Result::ok)
                .map(Bytes::from)
                .ok_or(())
        });
        made.await.ok().cloned()
    }

    /// The value of `ETag`: the body as it is, or in an encoding.
    pub fn etag_header(&self, encoding: Option<Encoding>) -> &HeaderValue {
        encoding.map_or(&self.plain_tag, |encoding| &self.form(encoding).tag)
    }

    fn form(&self, encoding: Encoding) -> &EncodedBody {
        match encoding {
            Encoding::Gzip => &self.gzip,
            Encoding::Brotli => &self.brotli,
            Encoding::Zstd => &self.zstd,
        }
    }
}

impl fmt::Debug for ReadyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyBody")
            .field("bytes", &self.plain.len())
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

/// 16 hexadecimal digits of the body's SHA-256: 64 bits tell the versions of one answer apart.
fn entity_tag(plain: &[u8]) -> String {
    Sha256::digest(plain)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn quoted(etag: &str, encoding: Option<Encoding>) -> HeaderValue {
    let tag = match encoding {
        None => format!("\"{etag}\""),
        Some(encoding) => format!("\"{etag}-{}\"", encoding.name()),
    };
    // Hexadecimal digits and a coding's name are always a header value.
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn long_body() -> Vec<u8> {
        br#"{"feature":"checkout"}"#.repeat(500)
    }

    fn decoded(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        match encoding {
            Encoding::Gzip => {
                flate2::read::GzDecoder::new(bytes)
                    .read_to_end(&mut plain)
                    .unwrap();
            }
            Encoding::Brotli => {
                brotli::Decompressor::new(bytes, 4096)
                    .read_to_end(&mut plain)
                    .unwrap();
            }
            Encoding::Zstd => plain = zstd::bulk::decompress(bytes, 1 << 20).unwrap(),
        }
        plain
    }

    #[tokio::test]
    async fn each_encoding_is_made_once_and_gives_the_body_back() {
        let body = ReadyBody::new(long_body());
        for encoding in [Encoding::Gzip, Encoding::Brotli, Encoding::Zstd] {
            assert!(body.encoded(encoding).is_none());
            let (first, second) = futures::join!(body.encode(encoding), body.encode(encoding));
            let (first, second) = (first.unwrap(), second.unwrap());
            assert_eq!(first.as_ptr(), second.as_ptr(), "the same bytes, made once");
            assert_eq!(body.encoded(encoding).unwrap().as_ptr(), first.as_ptr());
            assert!(first.len() < body.plain.len() / 4);
            assert_eq!(decoded(encoding, &first), body.plain);
        }
    }

    #[tokio::test]
    async fn gzip_is_ready_from_a_thousand_bytes_on() {
        assert!(
            ReadyBody::with_gzip(vec![b'1'; 1000])
                .encoded(Encoding::Gzip)
                .is_some()
        );
        let small = ReadyBody::with_gzip(vec![b'1'; 999]);
        assert!(small.encoded(Encoding::Gzip).is_none());
        assert!(small.encode(Encoding::Zstd).await.is_none());
    }

    #[test]
    fn entity_tags_differ_by_body_and_by_encoding() {
        let (body, same, other) = (
            ReadyBody::new(long_body()),
            ReadyBody::with_gzip(long_body()),
            ReadyBody::new(b"[]".to_vec()),
        );
        assert_eq!(body.etag, same.etag);
        assert_ne!(body.etag, other.etag);
        assert_eq!(body.etag.len(), 16);
        assert_eq!(body.etag_header(None), &format!("\"{}\"", body.etag));
        assert_eq!(
            body.etag_header(Some(Encoding::Brotli)),
            &format!("\"{}-br\"", body.etag)
        );
    }
}
