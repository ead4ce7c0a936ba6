use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::kept_encoders;

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

/// log2 of brotli's window: 4 MiB, which is what browsers decode at least.
const BROTLI_WINDOW: i32 = 22;

/// The levels of bodies that are kept and sent often: seconds for the largest documents. gzip's own default is the best of its curve
/// between time and size for JSON; brotli's highest that takes no longer (11 would take a hundred times as long); zstd's own default.
const KEPT_GZIP: u32 = 6;
const KEPT_BROTLI: i32 = 5;
const KEPT_ZSTD: i32 = 3;
/// That of bodies that are sent once, while someone waits.
const QUICK_BROTLI: i32 = 2;

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

    /// Compresses a body that is kept and sent often, on this thread.
    ///
    /// # Errors
    /// Where the encoder fails; the body can be sent as it is.
    pub fn compress(self, plain: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => {
                // JSON shrinks to a quarter and less: one allocation mostly.
                let compressed = Vec::with_capacity(plain.len() / 4);
                let mut encoder = GzEncoder::new(compressed, Compression::new(KEPT_GZIP));
                encoder.write_all(plain)?;
                encoder.finish()
            }
            Self::Brotli => brotli(plain, KEPT_BROTLI),
            Self::Zstd => zstd::bulk::compress(plain, KEPT_ZSTD),
        }
    }

    /// Compresses a body that is sent once, quickly, on this thread, which keeps the encoders. (Brotli's cannot be used again.)
    ///
    /// # Errors
    /// As [`Self::compress`].
    pub fn compress_once(self, plain: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => kept_encoders::gzip(plain),
            Self::Brotli => brotli(plain, QUICK_BROTLI),
            Self::Zstd => kept_encoders::zstd(plain),
        }
    }
}

fn brotli(plain: &[u8], quality: i32) -> io::Result<Vec<u8>> {
    let mut compressed = Vec::with_capacity(plain.len() / 4);
    let parameters = brotli::enc::BrotliEncoderParams {
        quality,
        lgwin: BROTLI_WINDOW,
        size_hint: plain.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut io::Cursor::new(plain), &mut compressed, &parameters)?;
    Ok(compressed)
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
            for compressed in [encoding.compress(&body), encoding.compress_once(&body)] {
                let compressed = compressed.unwrap();
                assert_eq!(
                    decompressed(encoding, &compressed, body.len()),
                    body,
                    "{encoding:?}"
                );
                assert!(compressed.len() < body.len() / 10, "{encoding:?}");
            }
        }
    }

    #[test]
    fn a_kept_encoder_starts_anew_for_each_body() {
        let noise: Vec<u8> = (0..100_000_u32)
            .map(|place| (place.wrapping_mul(place) >> 9) as u8)
            .collect();
        let bodies = [
            &b"flags ".repeat(1000),
            &noise,
            &Vec::new(),
            &b"flags ".repeat(1000),
        ];
        for encoding in Encoding::ALL {
            let compressed = bodies.map(|body| encoding.compress_once(body).unwrap());
            for (body, compressed) in bodies.iter().zip(&compressed) {
                let plain = decompressed(encoding, compressed, body.len());
                assert!(plain == **body, "{encoding:?} {} bytes", body.len());
            }
            assert_eq!(compressed[0], compressed[3], "{encoding:?}");
        }
    }
}
