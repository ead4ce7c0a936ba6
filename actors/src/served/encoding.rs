use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// log2 of brotli's window: 4 MiB, which is what browsers decode at least.
const BROTLI_WINDOW: i32 = 22;

/// A content coding that bodies are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// `gzip`
    Gzip,
    /// `br`
    Brotli,
    /// `zstd`
    Zstd,
}

/// How much time a body is worth: what it saves depends on how often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// It is sent once: the quickest levels, and a wait of the one who asks.
    Once,
    /// It is kept and sent often. Seconds for the largest documents.
    Kept,
}

impl Effort {
    /// 6 is gzip's own default: the best of its curve between time and size for JSON.
    fn gzip_level(self) -> u32 {
        match self {
            Self::Once => 1,
            Self::Kept => 6,
        }
    }

    /// 5 is the highest that takes no longer than gzip's default; 11 would take a hundred times as long.
    fn brotli_level(self) -> i32 {
        match self {
            Self::Once => 2,
            Self::Kept => 5,
        }
    }

    /// 3 is zstd's own default.
    fn zstd_level(self) -> i32 {
        match self {
            Self::Once => 1,
            Self::Kept => 3,
        }
    }
}

impl Encoding {
    /// Bodies below this many bytes are sent as they are: they fit a packet, and compressing them saves nothing.
    pub const THRESHOLD: usize = 1000;

    /// All of them.
    pub const ALL: [Self; 3] = [Self::Gzip, Self::Brotli, Self::Zstd];

    /// The coding's name in `Content-Encoding`; also what an entity tag ends in.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Compresses a body, on this thread.
    ///
    /// # Errors
    /// Where the encoder fails; the body can be sent as it is.
    pub fn compress(self, plain: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
        // JSON shrinks to a quarter and less: one allocation mostly.
        let mut compressed = Vec::with_capacity(plain.len() / 4);
        match self {
            Self::Gzip => {
                let level = Compression::new(effort.gzip_level());
                let mut encoder = GzEncoder::new(compressed, level);
                encoder.write_all(plain)?;
                encoder.finish()
            }
            Self::Brotli => {
                let parameters = brotli::enc::BrotliEncoderParams {
                    quality: effort.brotli_level(),
                    lgwin: BROTLI_WINDOW,
                    size_hint: plain.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut io::Cursor::new(plain), &mut compressed, &parameters)?;
                Ok(compressed)
            }
            Self::Zstd => zstd::bulk::compress(plain, effort.zstd_level()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn decompressed(encoding: Encoding, compressed: &[u8], length: usize) -> Vec<u8> {
        let mut plain = Vec::new();
        match encoding {
            Encoding::Gzip => {
                flate2::read::GzDecoder::new(compressed)
                    .read_to_end(&mut plain)
                    .unwrap();
            }
            Encoding::Brotli => brotli::BrotliDecompress(&mut &compressed[..], &mut plain).unwrap(),
            Encoding::Zstd => plain = zstd::bulk::decompress(compressed, length).unwrap(),
        }
        plain
    }

    #[test]
    fn every_coding_can_be_undone_at_every_effort() {
        let body = b"flags ".repeat(1000);
        for encoding in Encoding::ALL {
            for effort in [Effort::Once, Effort::Kept] {
                let compressed = encoding.compress(&body, effort).unwrap();
                assert_eq!(
                    decompressed(encoding, &compressed, body.len()),
                    body,
                    "{encoding:?}"
                );
                assert!(compressed.len() < body.len() / 10, "{encoding:?} {effort:?}");
            }
        }
    }
}
