//! Reads a query's text: blanks, literals, names.
use crate::condition::jsonpath::PathError;
use crate::condition::regex::Room;

/// How deep filters and parentheses may nest.
const MAX_DEPTH: usize = 50;

/// A place in a query's text.
pub(super) struct Cursor<'t, 'r> {
    text: &'t str,
    room: &'r mut Room,
    at: usize,
    depth: usize,
    has_raised: bool,
}

impl<'t, 'r> Cursor<'t, 'r> {
    pub(super) fn new(text: &'t str, room: &'r mut Room) -> Self {
        Self {
            text,
            room,
            at: 0,
            depth: 0,
            has_raised: false,
        }
    }

    /// How much the document's automata may still take.
    pub(super) fn room(&mut self) -> &mut Room {
        self.room
    }

    /// Notes what the library raises for; a syntax error elsewhere in the text comes first.
    pub(super) fn raise(&mut self) {
        self.has_raised = true;
    }

    pub(super) fn has_raised(&self) -> bool {
        self.has_raised
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    pub(super) fn expect(&mut self, expected: &str) -> Result<(), PathError> {
        if self.take(expected) {
            Ok(())
        } else {
            Err(PathError::Syntax)
        }
    }

    pub(super) fn skip_blanks(&mut self) -> bool {
        !self
            .take_while(|character| matches!(character, ' ' | '\n' | '\r' | '\t'))
            .is_empty()
    }

    pub(super) fn take_while(&mut self, mut belongs: impl FnMut(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|character| !belongs(character)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// Where the text read since `start` ends here.
    pub(super) fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn place(&self) -> usize {
        self.at
    }

    pub(super) fn return_to(&mut self, place: usize) {
        self.at = place;
    }

    /// Reads what is nested one level deeper. Python's parser gives up by RecursionError, later than here.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, PathError>,
    ) -> Result<T, PathError> {
        if self.depth >= MAX_DEPTH {
            return Err(PathError::Raised);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// A name without quotes: letters, `_` and everything of the basic plane past ASCII; then digits and hyphens too.
    pub(super) fn name(&mut self) -> Option<String> {
        let is_first = |character: char| {
            character.is_ascii_alphabetic()
                || character == '_'
                || ('\u{80}'..='\u{ffff}').contains(&character)
        };
        self.peek().filter(|first| is_first(*first))?;
        let name = self
            .take_while(|character| is_first(character) || character.is_ascii_digit() || character == '-');
        Some(name.to_owned())
    }

    /// A string after its opening quote.
    pub(super) fn quoted(&mut self, quote: char) -> Result<String, PathError> {
        let mut string = String::new();
        loop {
            match self.next().ok_or(PathError::Syntax)? {
                end if end == quote => return Ok(string),
                '\\' => string.push(self.escape(quote)?),
                '\0'..='\u{1f}' => return Err(PathError::Syntax),
                plain => string.push(plain),
            }
        }
    }

    fn escape(&mut self, quote: char) -> Result<char, PathError> {
        match self.next().ok_or(PathError::Syntax)? {
            escaped if escaped == quote => Ok(quote),
            escaped @ ('\\' | '/') => Ok(escaped),
            'b' => Ok('\u{8}'),
            'f' => Ok('\u{c}'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'u' => self.escaped_unit(),
            _ => Err(PathError::Syntax),
        }
    }

    fn escaped_unit(&mut self) -> Result<char, PathError> {
        let unit = self.hex()?;
        let code = if (0xd800..0xdc00).contains(&unit) {
            self.expect("\\u")?;
            let low = self.hex()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(PathError::Syntax);
            }
            0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
        } else {
            unit
        };
        char::from_u32(code)
            .filter(|character| *character > '\u{1f}')
            .ok_or(PathError::Syntax)
    }

    fn hex(&mut self) -> Result<u32, PathError> {
        let digits = self.rest().get(..4).ok_or(PathError::Syntax)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(PathError::Syntax);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| PathError::Syntax)
    }
}
