//! Walking over valid JSON without building it.
use super::DocumentError;
use crate::json::string_literal_length;

/// Decodes the inside of a string literal. Lone surrogates are kept apart as three bytes each.
pub(super) fn decode(literal: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(literal.len());
    let mut rest = literal;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            decoded.push(byte);
            continue;
        }
        let Some((&escape, tail)) = rest.split_first() else {
            break;
        };
        rest = tail;
        match escape {
            b'b' => decoded.push(0x08),
            b'f' => decoded.push(0x0c),
            b'n' => decoded.push(b'\n'),
            b'r' => decoded.push(b'\r'),
            b't' => decoded.push(b'\t'),
            b'u' => rest = decode_unicode(rest, &mut decoded),
            other => decoded.push(other),
        }
    }
    decoded
}

/// Decodes what follows `\u`; gives what is left.
fn decode_unicode<'a>(rest: &'a [u8], decoded: &mut Vec<u8>) -> &'a [u8] {
    let Some((first, rest)) = hex(rest) else {
        return &[];
    };
    if let 0xd800..=0xdbff = first
        && let Some((second @ 0xdc00..=0xdfff, rest)) = rest.strip_prefix(b"\\u").and_then(hex)
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        push_char(code, decoded);
        return rest;
    }
    push_char(first, decoded);
    rest
}

fn push_char(code: u32, decoded: &mut Vec<u8>) {
    match char::from_u32(code) {
        Some(character) => decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => {
            let [.., high, low] = code.to_be_bytes();
            decoded.extend_from_slice(&[0xff, high, low]);
        }
    }
}

fn hex(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some((code, rest))
}

/// Walks over JSON that is known to be valid.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(json: &'a str) -> Self {
        Self {
            rest: json.as_bytes(),
        }
    }

    pub(super) fn step(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// The next byte that is no blank.
    pub(super) fn peek(&mut self) -> Result<u8, DocumentError> {
        while let Some((&byte, rest)) = self.rest.split_first() {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(byte);
            }
            self.rest = rest;
        }
        Err(DocumentError::NotJson("it ends too early".to_owned()))
    }

    /// Steps over the comma before the next element, or over the closing bracket.
    pub(super) fn more(&mut self, close: u8) -> Result<bool, DocumentError> {
        let next = self.peek()?;
        if next == close {
            self.step();
            return Ok(false);
        }
        if next == b',' {
            self.step();
            self.peek()?;
        }
        Ok(true)
    }

    pub(super) fn colon(&mut self) -> Result<(), DocumentError> {
        self.peek()?;
        self.step();
        Ok(())
    }

    /// The inside of the string literal that is next.
    pub(super) fn string(&mut self) -> Result<&'a [u8], DocumentError> {
        self.peek()?;
        let (literal, rest) = self.rest.split_at(string_literal_length(self.rest));
        self.rest = rest;
        Ok(literal
            .get(1..literal.len().saturating_sub(1))
            .unwrap_or_default())
    }

    /// The number, boolean or null that is next.
    pub(super) fn plain(&mut self) -> &'a [u8] {
        let end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
        let length = self
            .rest
            .iter()
            .position(end)
            .unwrap_or(self.rest.len())
            .max(1)
            .min(self.rest.len());
        let (plain, rest) = self.rest.split_at(length);
        self.rest = rest;
        plain
    }
}
