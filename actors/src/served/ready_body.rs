use std::fmt;
use std::sync::{Arc, OnceLock};

use awc::http::header::HeaderValue;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::Encoding;

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
    slot: Arc<Slot>,
}

struct Slot {
    bytes: OnceLock<Bytes>,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Idle,
    Working,
    Done,
}

/// The work on one form. It belongs to the blocking thread, not to the request that asked first: that one may give up
/// waiting, and the next would have to begin again.
struct Work {
    slot: Arc<Slot>,
}

impl Work {
    fn run(self, encoding: Encoding, plain: &[u8]) {
        if let Ok(compressed) = encoding.compress(plain) {
            let _ = self.slot.bytes.set(Bytes::from(compressed));
        }
    }
}

impl Drop for Work {
    /// Also where the thread pool drops the work unrun, as it does when its worker stops: another may take it up.
    fn drop(&mut self) {
        let progress = if self.slot.bytes.get().is_some() {
            Progress::Done
        } else {
            Progress::Idle
        };
        self.slot.progress.send_replace(progress);
    }
}

impl ReadyBody {
    /// Makes a body whose compressed forms are made at their first demand.
    pub fn new(plain: Vec<u8>) -> Self {
        let plain = Bytes::from(plain);
        let etag = entity_tag(&plain);
        let encoded = |encoding: Encoding| EncodedBody {
            tag: quoted(&etag, Some(encoding)),
            slot: Arc::new(Slot {
                bytes: OnceLock::new(),
                progress: watch::Sender::new(Progress::Idle),
            }),
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
        let body = Self::new(plain);
        if body.is_compressible() {
            Work {
                slot: Arc::clone(&body.gzip.slot),
            }
            .run(Encoding::Gzip, &body.plain);
        }
        body
    }

    /// Whether compressing it is worth it.
    pub fn is_compressible(&self) -> bool {
        self.plain.len() >= Encoding::THRESHOLD
    }

    /// The compressed body where it is ready; shared bytes, no copy.
    pub fn encoded(&self, encoding: Encoding) -> Option<Bytes> {
        self.form(encoding).slot.bytes.get().cloned()
    }

    /// The compressed body, made on a blocking thread at the first demand and kept; those who ask meanwhile wait for
    /// the same work, which goes on if they give up. `None` where the body is too small, or compressing failed: send
    /// it plain.
    pub async fn encode(&self, encoding: Encoding) -> Option<Bytes> {
        if !self.is_compressible() {
            return None;
        }
        let slot = &self.form(encoding).slot;
        if let Some(bytes) = slot.bytes.get() {
            return Some(bytes.clone());
        }
        let mut progress = slot.progress.subscribe();
        let is_first = slot.progress.send_if_modified(|progress| {
            let is_idle = *progress == Progress::Idle;
            if is_idle {
                *progress = Progress::Working;
            }
            is_idle
        });
        if is_first {
            let (work, plain) = (
                Work {
                    slot: Arc::clone(slot),
                },
                self.plain.clone(),
            );
            tokio::task::spawn_blocking(move || work.run(encoding, &plain));
        }
        progress
            .wait_for(|progress| *progress != Progress::Working)
            .await
            .ok()?;
        slot.bytes.get().cloned()
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

    use futures::FutureExt;

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
    async fn work_goes_on_when_those_who_asked_give_up() {
        let body = ReadyBody::new(long_body());
        let mut progress = body.zstd.slot.progress.subscribe();
        assert!(
            body.encode(Encoding::Zstd).now_or_never().is_none(),
            "not on this thread"
        );
        progress
            .wait_for(|progress| *progress == Progress::Done)
            .await
            .unwrap();
        assert!(body.encoded(Encoding::Zstd).is_some());
    }

    #[tokio::test]
    async fn work_that_was_dropped_is_taken_up_by_the_next() {
        let body = ReadyBody::new(long_body());
        body.zstd.slot.progress.send_replace(Progress::Working);
        let waiting = body.encode(Encoding::Zstd);
        let dropping = async {
            drop(Work {
                slot: Arc::clone(&body.zstd.slot),
            })
        };
        assert!(
            futures::join!(waiting, dropping).0.is_none(),
            "sent plain this once"
        );
        assert!(body.encode(Encoding::Zstd).await.is_some());
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
