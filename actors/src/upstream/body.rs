//! The body of one answer: decoded within its bounds.
use std::cell::Cell;
use std::io::{self, Write};

use awc::ClientResponse;
use awc::error::PayloadError;
use awc::http::header::{self, HeaderMap};
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures::{Stream, StreamExt};

use super::memory::Claim;
use super::{Fault, FetchFailure, Stage};

/// A body may decode to so many times its size: JSON documents come to ten to fifty, a bomb to a thousand.
const MOST_INFLATION: usize = 100;
/// Below so many decoded bytes it does not count: the first bytes of a body may decode to a lot.
const SMALL: usize = 1024 * 1024;
/// What is decoded at a time: with [`MOST_INFLATION`], a millisecond's work of the thread that fetches.
const PIECE: usize = 4 * 1024;

/// How the body comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
}

/// What is left of a document's bytes, over all its pages.
pub(super) struct Room<'c> {
    /// Decoded bytes that may still come.
    pub(super) bytes: usize,
    pub(super) memory: &'c mut Claim,
    /// What the fetch waits for.
    pub(super) stage: &'c Cell<Stage>,
}

impl Room<'_> {
    async fn take(&mut self, bytes: usize) -> Result<(), FetchFailure> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(FetchFailure::TooLarge)?;
        self.stage.set(Stage::Memory);
        let grown = self.memory.grow(bytes).await;
        self.stage.set(Stage::Body);
        grown.map_err(|_| FetchFailure::TooMuchMemory)
    }
}

/// Reads a body within what is left of the document's room. A `Vec` is grown in place by the allocator where it is large, and
/// made in its full size at once where that is known: no second copy of 50 MB.
pub(super) async fn read<S>(
    response: &mut ClientResponse<S>,
    room: &mut Room<'_>,
) -> Result<Bytes, FetchFailure>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let coding = coding(response.headers())?;
    let declared = declared_length(response.headers());
    match coding {
        Coding::Identity => read_plain(response, declared, room).await,
        Coding::Gzip => read_gzip(response, declared, room).await,
    }
}

/// Reads a body that nobody needs, as it comes, so that its connection can be kept: to its end, to a fault, or to so many bytes.
pub(super) async fn discard<S>(response: &mut ClientResponse<S>, most: usize)
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let mut read = 0_usize;
    while read <= most
        && let Some(Ok(chunk)) = response.next().await
    {
        read = read.saturating_add(chunk.len());
    }
}

async fn read_plain<S>(
    response: &mut ClientResponse<S>,
    declared: Option<usize>,
    room: &mut Room<'_>,
) -> Result<Bytes, FetchFailure>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    if declared.is_some_and(|declared| declared > room.bytes) {
        return Err(FetchFailure::TooLarge);
    }
    // Taken at once, so that no two half-read bodies wait for each other's room.
    room.take(declared.unwrap_or(0)).await?;
    let mut body = Vec::with_capacity(declared.unwrap_or(0));
    while let Some(chunk) = response.next().await {
        let chunk = chunk.map_err(|error| FetchFailure::NoAnswer(Fault::of_body(&error)))?;
        if declared.is_none() {
            room.take(chunk.len()).await?;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(body))
}

async fn read_gzip<S>(
    response: &mut ClientResponse<S>,
    declared: Option<usize>,
    room: &mut Room<'_>,
) -> Result<Bytes, FetchFailure>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let mut decoder = MultiGzDecoder::new(Bounded::default());
    let (mut received, mut taken) = (0_usize, 0_usize);
    while let Some(chunk) = response.next().await {
        let chunk = chunk.map_err(|error| FetchFailure::NoAnswer(Fault::of_body(&error)))?;
        for piece in chunk.chunks(PIECE) {
            received = received.saturating_add(piece.len());
            // Of a body whose length is known, all of it counts, wherever it inflates the most.
            let compressed = declared.map_or(received, |declared| declared.max(received));
            decoder.get_mut().most = compressed.saturating_mul(MOST_INFLATION).max(SMALL);
            decoder.write_all(piece).map_err(|error| refused(&error))?;
            let decoded = decoder.get_ref().bytes.len();
            room.take(decoded - taken).await?;
            taken = decoded;
            tokio::task::yield_now().await;
        }
    }
    decoder.try_finish().map_err(|error| refused(&error))?;
    let bytes = std::mem::take(&mut decoder.get_mut().bytes);
    room.take(bytes.len() - taken).await?;
    Ok(Bytes::from(bytes))
}

fn refused(error: &io::Error) -> FetchFailure {
    if error.kind() == io::ErrorKind::FileTooLarge {
        FetchFailure::Inflated
    } else {
        FetchFailure::NoAnswer(Fault::ContentCoding)
    }
}

/// Takes so many bytes and no more.
#[derive(Debug, Default)]
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Bounded {
    fn write(&mut self, decoded: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(decoded.len()) > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(decoded);
        Ok(decoded.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn coding(headers: &HeaderMap) -> Result<Coding, FetchFailure> {
    let fields = headers.get_all(header::CONTENT_ENCODING);
    let codings = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    let mut codings = codings
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"));
    match (codings.next(), codings.next()) {
        (None, _) => Ok(Coding::Identity),
        (Some(one), None) if one.eq_ignore_ascii_case(b"gzip") || one.eq_ignore_ascii_case(b"x-gzip") => {
            Ok(Coding::Gzip)
        }
        _ => Err(FetchFailure::UnknownCoding),
    }
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok())
}

/// How much of an answer that is no document is looked into: nginx's page for a plain request to its https port is 250
/// bytes long, core's refusals take some fifty.
const BEGINNING: usize = 4 * 1024;

/// Reads the beginning of an answer that is no document, decoded as far as it comes. Callers bound the time.
pub(super) async fn beginning<S>(answer: &mut ClientResponse<S>) -> Vec<u8>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let is_gzip = matches!(coding(answer.headers()), Ok(Coding::Gzip));
    let mut body = Vec::new();
    while body.len() < BEGINNING
        && let Some(Ok(piece)) = answer.next().await
    {
        body.extend_from_slice(&piece);
    }
    if is_gzip { decoded_beginning(&body) } else { body }
}

/// What the beginning of a gzip body decodes to, which is at most a thousand times as much.
fn decoded_beginning(body: &[u8]) -> Vec<u8> {
    let mut decoder = MultiGzDecoder::new(Vec::new());
    // An error is the end of what came.
    let _ = decoder.write_all(body).and_then(|()| decoder.flush());
    std::mem::take(decoder.get_mut())
}
