//! Protobuf's wire format (<https://protobuf.dev/programming-guides/encoding/>), as far as spans need it. The messages of
//! `opentelemetry-proto` would own a copy of every name and every value, thousands of them in each batch.

/// How a field's value is written.
#[derive(Debug, Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    LengthDelimited = 2,
    Fixed32 = 5,
}

/// A message that is being written. Fields are to come in the order of their tags.
#[derive(Debug)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// A number, whatever it is.
    pub(super) fn number(&mut self, tag: u32, number: u64) {
        self.key(tag, Wire::Varint);
        self.varint(number);
    }

    pub(super) fn fixed64(&mut self, tag: u32, number: u64) {
        self.key(tag, Wire::Fixed64);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn fixed32(&mut self, tag: u32, number: u32) {
        self.key(tag, Wire::Fixed32);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Bytes, a text, or a message that is written already; also where they are none.
    pub(super) fn bytes(&mut self, tag: u32, bytes: &[u8]) {
        self.key(tag, Wire::LengthDelimited);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// The same, unless they are none, which is what a reader takes for granted.
    pub(super) fn bytes_if_any(&mut self, tag: u32, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.bytes(tag, bytes);
        }
    }

    /// A message within this one.
    pub(super) fn message(&mut self, tag: u32, write: impl FnOnce(&mut Self)) {
        self.key(tag, Wire::LengthDelimited);
        // Its length, which stands before it, is known behind it, and takes one byte as a rule.
        let start = self.0.len();
        self.0.push(0);
        write(self);
        let end = self.0.len();
        let length = end - start - 1;
        if let (true, Some(place)) = (length < 0x80, self.0.get_mut(start)) {
            *place = length as u8;
            return;
        }
        self.varint(length as u64);
        let bytes = self.0.len() - end;
        if let Some(written) = self.0.get_mut(start..) {
            written.rotate_right(bytes);
        }
        self.0.remove(start + bytes);
    }

    fn key(&mut self, tag: u32, wire: Wire) {
        self.varint(u64::from(tag << 3 | wire as u32));
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}
