//! The watch over what comes: it reads the header of every frame (RFC 9113 §4.1) as it passes, and nothing behind it.

/// The bytes of a frame's header.
const HEADER: usize = 9;

/// The bytes of what a client sends first (RFC 9113 §3.4): `PRI * HTTP/2.0`, and what follows it.
pub(in crate::server) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const END_HEADERS: u8 = 0x4;

/// A frame of the client, as far as its header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHead {
    /// Its type (RFC 9113 §11.2).
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// The bytes behind its header.
    pub length: u32,
}

impl FrameHead {
    pub(super) const DATA: u8 = 0;
    pub(super) const HEADERS: u8 = 1;
    pub(super) const RST_STREAM: u8 = 3;
    pub(super) const SETTINGS: u8 = 4;
    pub(super) const PING: u8 = 6;
    pub(super) const GOAWAY: u8 = 7;
    pub(super) const WINDOW_UPDATE: u8 = 8;
    pub(super) const CONTINUATION: u8 = 9;

    fn read(header: [u8; HEADER]) -> Self {
        let [high, middle, low, kind, flags, ..] = header;
        Self {
            kind,
            flags,
            length: u32::from_be_bytes([0, high, middle, low]),
        }
    }

    fn is_of_a_request_head(self) -> bool {
        matches!(self.kind, Self::HEADERS | Self::CONTINUATION)
    }

    fn ends_a_request_head(self) -> bool {
        self.flags & END_HEADERS != 0
    }
}

/// The watch over one connection.
#[derive(Debug)]
pub(super) struct Watch {
    header: [u8; HEADER],
    /// How much of the header has come.
    has: usize,
    /// How many bytes come before the next header.
    left: usize,
    /// The frame that these belong to; `None`: the preface.
    frame: Option<FrameHead>,
    /// How many heads of requests have begun.
    heads: u64,
}

impl Watch {
    /// Begins before the client's preface.
    pub(super) fn new() -> Self {
        Self {
            header: [0; HEADER],
            has: 0,
            left: PREFACE.len(),
            frame: None,
            heads: 0,
        }
    }

    /// Looks at the next bytes, and tells of each frame whose header has become whole.
    pub(super) fn look(&mut self, mut bytes: &[u8], mut seen: impl FnMut(FrameHead)) {
        while !bytes.is_empty() {
            let passing = self.left.min(bytes.len());
            self.left -= passing;
            bytes = bytes.split_at(passing).1;
            let (header, behind) = bytes.split_at(bytes.len().min(HEADER - self.has));
            for (byte, place) in header.iter().zip(self.header.iter_mut().skip(self.has)) {
                *place = *byte;
            }
            self.has += header.len();
            bytes = behind;
            if self.has == HEADER {
                let frame = FrameHead::read(self.header);
                self.has = 0;
                self.left = usize::try_from(frame.length).unwrap_or(usize::MAX);
                self.frame = Some(frame);
                self.heads += u64::from(frame.kind == FrameHead::HEADERS);
                seen(frame);
            }
        }
    }

    /// The number of the head that has begun and is not whole. Nothing else may come meanwhile (RFC 9113 §6.2).
    pub(super) fn partial_head(&self) -> Option<u64> {
        let is_partial = self.frame.is_some_and(|frame| {
            frame.is_of_a_request_head() && (self.left > 0 || !frame.ends_a_request_head())
        });
        is_partial.then_some(self.heads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        [
            &[0, 0, length, kind, flags, 0, 0, 0, 1][..],
            &vec![0xff; length.into()],
        ]
        .concat()
    }

    #[test]
    fn frames_are_seen_however_the_bytes_come() {
        let frames = [
            (4, 0, 0),
            (1, 0, 200),
            (9, 4, 7),
            (0, 1, 255),
            (6, 0, 8),
            (0, 0, 0),
        ];
        let mut bytes = PREFACE.to_vec();
        for (kind, flags, length) in frames {
            bytes.extend(frame(kind, flags, length));
        }
        let expected = frames.map(|(kind, flags, length)| FrameHead {
            kind,
            flags,
            length: length.into(),
        });
        for size in [1, 2, 5, 9, 10, 31, bytes.len()] {
            let (mut watch, mut seen) = (Watch::new(), Vec::new());
            for part in bytes.chunks(size) {
                watch.look(part, |frame| seen.push(frame));
            }
            assert_eq!(seen, expected, "by {size}");
        }
    }

    #[test]
    fn a_head_is_partial_until_the_last_byte_of_its_last_frame() {
        let bytes = [frame(4, 0, 6), frame(1, 1, 5), frame(9, 0, 0), frame(9, 4, 3)].concat();
        let mut watch = Watch::new();
        watch.look(PREFACE, |_| ());
        let begin = HEADER + 6 + HEADER;
        for (at, byte) in bytes.iter().enumerate() {
            watch.look(&[*byte], |_| ());
            let is_partial = (begin..bytes.len()).contains(&(at + 1));
            assert_eq!(watch.partial_head(), is_partial.then_some(1), "at {at}");
        }
        watch.look(&frame(1, 4, 0), |_| ());
        assert_eq!(watch.partial_head(), None);
        watch.look(&frame(1, 0, 0), |_| ());
        assert_eq!(watch.partial_head(), Some(3));
    }
}
