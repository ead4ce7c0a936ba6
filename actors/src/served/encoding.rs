use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// gzip's own default: the best of its curve between time and size for JSON.
const GZIP_LEVEL: u32 = 6;
/// The highest level of brotli that takes no longer than gzip's default; 11 would take a hundred times as long.
const BROTLI_LEVEL: i32 = 5;
/// log2 of brotli's window: 4 MiB, which is what browsers decode at least.
const BROTLI_WINDOW: i32 = 22;
/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;

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

impl Encoding {
    /// The coding's name in `Content-Encoding`; also what an entity tag ends in.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Compresses; seconds for the largest documents, so never on a request thread.
    pub(super) fn compress(self, plain: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
                encoder.write_all(plain)?;
                encoder.finish()
            }
            Self::Brotli => {
                let parameters = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_LEVEL,
                    lgwin: BROTLI_WINDOW,
                    size_hint: plain.len(),
                    ..Default::default()
                };
                let mut compressed = Vec::new();
                brotli::BrotliCompress(&mut io::Cursor::new(plain), &mut compressed, &parameters)?;
                Ok(compressed)
            }
            Self::Zstd => zstd::bulk::compress(plain, ZSTD_LEVEL),
        }
    }
}
