//! The body of `POST identities/` as SDKs write it, read in one pass.
//!
//! Reading any JSON and then looking at each part costs twice as much as the evaluation. What is written as SDKs write
//! it (known fields, each once; strings without escapes; plain numbers) is read here; anything else, every mistake
//! included, is left to the general reader, which alone knows errors. Where both read a body they agree (see the tests).
use std::borrow::Cow;

use super::error::{LONGEST_TRAIT_KEY, LONGEST_TRAIT_VALUE};
use super::traits::{Trait, TraitValue};

/// What a body holds.
pub(super) struct Quick<'a> {
    /// Without outer blanks; `None`: blank or missing.
    pub identifier: Option<&'a str>,
    pub traits: Vec<Trait<'a>>,
}

/// The shortest trait and its comma: `{"trait_key":"","trait_value":0},`.
const SHORTEST_TRAIT: usize = 33;
/// Room for more traits is made when they come.
const USUAL_TRAITS: usize = 32;
/// More digits may not fit 64 bits, or may be too many.
const MOST_PLAIN_DIGITS: usize = 18;

/// Reads a body; `None`: the general reader is to be asked.
pub(super) fn read(body: &[u8]) -> Option<Quick<'_>> {
    let body = std::str::from_utf8(body).ok()?;
    let mut cursor = Cursor { body, at: 0 };
    let (mut identifier, mut traits, mut transient) = (None, None, false);
    cursor.expect(b'{')?;
    if !cursor.next_is(b'}') {
        loop {
            match cursor.key()? {
                "identifier" if identifier.is_none() => identifier = Some(cursor.string()?),
                "traits" if traits.is_none() => traits = Some(cursor.traits()?),
                "transient" if !transient => {
                    cursor.boolean()?;
                    transient = true;
                }
                _ => return None,
            }
            if !cursor.more(b'}')? {
                break;
            }
        }
    }
    cursor.end()?;
    let identifier = identifier.map(|literal| super::trim(inside(literal)));
    Some(Quick {
        identifier: identifier.filter(|identifier| !identifier.is_empty()),
        traits: traits.unwrap_or_default(),
    })
}

/// A string literal without its quotes.
fn inside(literal: &str) -> &str {
    literal
        .get(1..literal.len().saturating_sub(1))
        .unwrap_or_default()
}

/// How many bytes come before the first that is no plain part of a string: a quote, a backslash, a control character.
/// Eight at a time, by borrows of a subtraction; of those the lowest is exact.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let below = |eight: u64, limit: u8| eight.wrapping_sub(ONES * u64::from(limit)) & !eight & (ONES << 7);
    let equal = |eight: u64, byte: u8| below(eight ^ (ONES * u64::from(byte)), 1);
    let mut rest = bytes;
    while let Some((eight, tail)) = rest.split_first_chunk() {
        let eight = u64::from_le_bytes(*eight);
        let found = below(eight, b' ') | equal(eight, b'"') | equal(eight, b'\\');
        if found != 0 {
            return bytes.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = tail;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
    bytes.len() - rest.len() + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// What a trait is made of.
enum Member {
    Key,
    Value,
    Transient,
}

struct Cursor<'a> {
    body: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.body.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[inline]
    fn next_is(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.next_is(byte).then_some(())
    }

    /// Steps over the comma before the next member or element, or over the closing bracket.
    fn more(&mut self, close: u8) -> Option<bool> {
        if self.next_is(b',') {
            return Some(true);
        }
        self.expect(close).map(|()| false)
    }

    fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    /// A member's name, with its colon behind.
    fn key(&mut self) -> Option<&'a str> {
        let literal = self.string()?;
        self.expect(b':')?;
        Some(inside(literal))
    }

    /// A string literal with its quotes: one that stands for what it says, without escapes.
    #[inline]
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let start = self.at - 1;
        let rest = self.body.as_bytes().get(self.at..)?;
        let length = plain_length(rest);
        if rest.get(length) != Some(&b'"') {
            return None;
        }
        self.at += length + 1;
        self.body.get(start..self.at)
    }

    /// Steps over a text where it is next.
    #[inline]
    fn skip(&mut self, text: &str) -> bool {
        let rest = self.body.as_bytes().get(self.at..);
        let found = rest.is_some_and(|rest| rest.starts_with(text.as_bytes()));
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.skip(word).then_some(())
    }

    fn boolean(&mut self) -> Option<bool> {
        match self.peek()? {
            b't' => self.word("true").map(|()| true),
            b'f' => self.word("false").map(|()| false),
            _ => None,
        }
    }

    fn traits(&mut self) -> Option<Vec<Trait<'a>>> {
        self.expect(b'[')?;
        if self.next_is(b']') {
            return Some(Vec::new());
        }
        let left = self.body.len().saturating_sub(self.at);
        let mut traits = Vec::with_capacity((left / SHORTEST_TRAIT).min(USUAL_TRAITS));
        loop {
            traits.push(self.sent_trait()?);
            if !self.more(b']')? {
                return Some(traits);
            }
        }
    }

    #[inline]
    fn sent_trait(&mut self) -> Option<Trait<'a>> {
        let (mut key, mut value, mut transient) = (None, None, None);
        self.expect(b'{')?;
        loop {
            match self.trait_member()? {
                Member::Key if key.is_none() => key = Some(self.string()?),
                Member::Value if value.is_none() => value = Some(self.value()?),
                Member::Transient if transient.is_none() => transient = Some(self.boolean()?),
                _ => return None,
            }
            if !self.more(b'}')? {
                break;
            }
        }
        let key_json = key?;
        let key = inside(key_json);
        // Bytes are at least as many as characters.
        (key.len() <= LONGEST_TRAIT_KEY).then_some(())?;
        Some(Trait {
            key: Cow::Borrowed(key),
            key_json,
            value: value?,
            transient: transient.unwrap_or(false),
        })
    }

    /// The name of a trait's member, with its colon behind.
    #[inline]
    fn trait_member(&mut self) -> Option<Member> {
        self.peek()?;
        let member = if self.skip(r#""trait_key""#) {
            Member::Key
        } else if self.skip(r#""trait_value""#) {
            Member::Value
        } else {
            self.word(r#""transient""#)?;
            Member::Transient
        };
        self.expect(b':').map(|()| member)
    }

    #[inline]
    fn value(&mut self) -> Option<TraitValue<'a>> {
        match self.peek()? {
            b'"' => {
                let json = self.string()?;
                let text = inside(json);
                (text.len() <= LONGEST_TRAIT_VALUE).then_some(())?;
                Some(TraitValue::String {
                    json,
                    text: Cow::Borrowed(text),
                })
            }
            b't' | b'f' => self.boolean().map(TraitValue::Boolean),
            b'n' => self.word("null").map(|()| TraitValue::Unset),
            _ => self.number().map(TraitValue::Number),
        }
    }

    /// An integer, or one with a fraction, of few digits and without an exponent.
    #[inline]
    fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.at += usize::from(self.body.as_bytes().get(start) == Some(&b'-'));
        let whole = self.digits()?;
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        if self.body.as_bytes().get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        let ends = match self.body.as_bytes().get(self.at) {
            Some(byte) => matches!(byte, b',' | b'}' | b' ' | b'\n' | b'\r' | b'\t'),
            None => false,
        };
        self.body.get(start..self.at).filter(|_| ends)
    }

    #[inline]
    fn digits(&mut self) -> Option<&'a str> {
        let rest = self.body.as_bytes().get(self.at..)?;
        let length = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        (1..=MOST_PLAIN_DIGITS).contains(&length).then_some(())?;
        let start = self.at;
        self.at += length;
        self.body.get(start..self.at)
    }
}

#[cfg(test)]
mod tests;
