//! Encoders for bodies that are sent once. Each thread keeps its own: to make one takes longer than to compress some kilobytes.
use std::cell::RefCell;
use std::io;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use zstd::bulk::Compressor;

/// The quickest levels.
const GZIP_LEVEL: u32 = 1;
const ZSTD_LEVEL: i32 = 1;

/// Deflate, no flags, no time, no hint, an unknown system (RFC 1952, section 2.3).
const GZIP_HEADER: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];

#[derive(Default)]
struct KeptEncoders {
    deflate: Option<Compress>,
    zstd: Option<Compressor<'static>>,
}

thread_local! {
    static OF_THIS_THREAD: RefCell<KeptEncoders> = RefCell::default();
}

/// Compresses a body to gzip, quickly.
///
/// # Errors
/// Where the encoder fails.
pub(super) fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    // JSON shrinks to a quarter and less: one allocation mostly.
    let mut out = Vec::with_capacity(GZIP_HEADER.len() + plain.len() / 4);
    out.extend_from_slice(&GZIP_HEADER);
    OF_THIS_THREAD.with_borrow_mut(|kept| {
        let new = || Compress::new(Compression::new(GZIP_LEVEL), false);
        deflate(kept.deflate.get_or_insert_with(new), plain, &mut out)
    })?;
    let mut crc = Crc::new();
    crc.update(plain);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    // The length counts modulo 2^32 (RFC 1952, section 2.3.1), as the CRC does.
    out.extend_from_slice(&crc.amount().to_le_bytes());
    Ok(out)
}

fn deflate(encoder: &mut Compress, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    encoder.reset();
    loop {
        let rest = usize::try_from(encoder.total_in())
            .ok()
            .and_then(|taken| plain.get(taken..));
        let status = encoder.compress_vec(rest.unwrap_or_default(), out, FlushCompress::Finish)?;
        if status == Status::StreamEnd {
            return Ok(());
        }
        // It stops where there is no room.
        out.reserve(out.len());
    }
}

/// Compresses a body to zstd, quickly.
///
/// # Errors
/// Where the encoder fails.
pub(super) fn zstd(plain: &[u8]) -> io::Result<Vec<u8>> {
    OF_THIS_THREAD.with_borrow_mut(|kept| {
        let mut encoder = match kept.zstd.take() {
            Some(encoder) => encoder,
            None => Compressor::new(ZSTD_LEVEL)?,
        };
        // One that has failed is not kept.
        let compressed = encoder.compress(plain)?;
        kept.zstd = Some(encoder);
        Ok(compressed)
    })
}
