//! Where pieces of buffers are in an answer.
use super::runs::Far;
use super::tokens::FARTHEST;

/// So many are remembered, to which runs may refer back.
const REMEMBERED: usize = 8;

/// A piece of a buffer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Piece<'c> {
    pub buffer: &'c [u8],
    pub start: usize,
    pub end: usize,
    /// Where its start is in the answer.
    pub place: usize,
}

/// The last pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces<'c> {
    list: [Piece<'c>; REMEMBERED],
    /// How many there were.
    count: usize,
}

impl<'c> Pieces<'c> {
    pub(super) fn remember(&mut self, piece: Piece<'c>) {
        if let Some(oldest) = self.list.get_mut(self.count % REMEMBERED) {
            *oldest = piece;
        }
        self.count += 1;
    }

    /// How far back what a reference of a run refers to is in the answer, where the run is `here`. `None`: it is not there.
    pub(super) fn distance(&self, far: &Far, here: Piece<'c>) -> Option<usize> {
        let (source, length) = (far.source as usize, far.length as usize);
        let earlier = self.list.iter().find(|earlier| {
            std::ptr::eq(earlier.buffer, here.buffer)
                && earlier.start <= source
                && source + length <= earlier.end
                && earlier.place < here.place
        })?;
        let place = here.place + (far.target as usize - here.start);
        Some(place - (earlier.place + (source - earlier.start))).filter(|distance| *distance <= FARTHEST)
    }
}
