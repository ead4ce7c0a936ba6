//! JSON as Python's `json.loads` reads it, which takes more than RFC 8259: `NaN`, `Infinity`, lone surrogates.
use serde_json::value::RawValue;

use super::{Integer, MAX_DIGITS, PyValue};

/// How deep lists and objects may nest; Python gives up at about twice that (its recursion limit).
const MAX_DEPTH: usize = 500;

/// Why a text is no JSON value that Python reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PyValueError {
    /// Not JSON, or an integer of more digits than Python converts (4300): Python raises ValueError.
    NotJson,
    /// Nested too deeply: Python raises RecursionError.
    TooDeep,
}

impl PyValue {
    /// Reads a value of a document or a request.
    ///
    /// # Errors
    /// Where it nests more than 500 deep, or holds an integer of more than 4300 digits.
    pub(crate) fn from_json(json: &RawValue) -> Result<Self, PyValueError> {
        let mut unbounded = usize::MAX;
        parse(json.get(), &mut unbounded)
    }

    /// Reads a value whose integers past 64 bits have no more digits together than are left: they take quadratic time.
    ///
    /// # Errors
    /// As [`Self::from_json`], and where the digits run out.
    pub(crate) fn from_json_within(json: &RawValue, digits_left: &mut usize) -> Result<Self, PyValueError> {
        parse(json.get(), digits_left)
    }

    /// Python's `json.loads(text)`.
    ///
    /// # Errors
    /// As [`Self::from_json`], and where the text is no JSON.
    pub(crate) fn from_json_text(text: &str) -> Result<Self, PyValueError> {
        let mut unbounded = usize::MAX;
        parse(text, &mut unbounded)
    }
}

fn parse(text: &str, digits_left: &mut usize) -> Result<PyValue, PyValueError> {
    let mut reader = Reader {
        text,
        at: 0,
        digits_left,
    };
    reader.skip_blanks();
    let value = reader.value(0)?;
    reader.skip_blanks();
    if reader.at == text.len() {
        Ok(value)
    } else {
        Err(PyValueError::NotJson)
    }
}

struct Reader<'t, 'd> {
    text: &'t str,
    at: usize,
    /// How many digits integers past 64 bits may yet have.
    digits_left: &'d mut usize,
}

/// An integer of more digits may not fit 64 bits.
const MOST_DIGITS_OF_64_BITS: usize = 18;

impl<'t> Reader<'t, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    fn expect(&mut self, expected: &str) -> Result<(), PyValueError> {
        if self.take(expected) {
            Ok(())
        } else {
            Err(PyValueError::NotJson)
        }
    }

    fn value(&mut self, depth: usize) -> Result<PyValue, PyValueError> {
        if depth > MAX_DEPTH {
            return Err(PyValueError::TooDeep);
        }
        match self.peek() {
            Some(b'"') => self.string().map(PyValue::String),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.dict(depth),
            _ => self.literal().map_or_else(|| self.number(), Ok),
        }
    }

    fn literal(&mut self) -> Option<PyValue> {
        const LITERALS: [(&str, PyValue); 6] = [
            ("null", PyValue::None),
            ("true", PyValue::Boolean(true)),
            ("false", PyValue::Boolean(false)),
            ("NaN", PyValue::Float(f64::NAN)),
            ("Infinity", PyValue::Float(f64::INFINITY)),
            ("-Infinity", PyValue::Float(f64::NEG_INFINITY)),
        ];
        LITERALS
            .into_iter()
            .find(|(text, _)| self.take(text))
            .map(|(_, value)| value)
    }

    fn list(&mut self, depth: usize) -> Result<PyValue, PyValueError> {
        let mut elements = Vec::new();
        self.expect("[")?;
        self.skip_blanks();
        if self.take("]") {
            return Ok(PyValue::List(elements));
        }
        loop {
            self.skip_blanks();
            elements.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.take("]") {
                return Ok(PyValue::List(elements));
            }
            self.expect(",")?;
        }
    }

    fn dict(&mut self, depth: usize) -> Result<PyValue, PyValueError> {
        let mut members = Members::default();
        self.expect("{")?;
        self.skip_blanks();
        if self.take("}") {
            return Ok(members.into());
        }
        loop {
            self.skip_blanks();
            let name = self.string()?;
            self.skip_blanks();
            self.expect(":")?;
            self.skip_blanks();
            members.insert(name, self.value(depth + 1)?);
            self.skip_blanks();
            if self.take("}") {
                return Ok(members.into());
            }
            self.expect(",")?;
        }
    }

    fn digits(&mut self) -> &'t str {
        let rest = self.rest();
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn number(&mut self) -> Result<PyValue, PyValueError> {
        let start = self.at;
        self.take("-");
        let whole = self.digits();
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
            return Err(PyValueError::NotJson);
        }
        let mut is_float = false;
        if self.take(".") {
            is_float = true;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            is_float = true;
            self.at += 1;
            let _sign = self.take("+") || self.take("-");
            self.some_digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if is_float {
            return text
                .parse()
                .map(PyValue::Float)
                .map_err(|_| PyValueError::NotJson);
        }
        if whole.len() > MOST_DIGITS_OF_64_BITS {
            let left = self.digits_left.checked_sub(whole.len());
            *self.digits_left = left.ok_or(PyValueError::NotJson)?;
        }
        debug_assert!(whole.len() > MAX_DIGITS || Integer::from_ascii(text).is_some());
        Integer::from_ascii(text)
            .map(PyValue::Integer)
            .ok_or(PyValueError::NotJson)
    }

    fn some_digits(&mut self) -> Result<(), PyValueError> {
        if self.digits().is_empty() {
            Err(PyValueError::NotJson)
        } else {
            Ok(())
        }
    }

    fn string(&mut self) -> Result<String, PyValueError> {
        self.expect("\"")?;
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let plain = rest
                .bytes()
                .take_while(|byte| !matches!(byte, b'"' | b'\\' | ..=0x1f))
                .count();
            string.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => {
                    self.at += 1;
                    string.push(self.escape()?);
                }
                _ => return Err(PyValueError::NotJson),
            }
        }
    }

    fn escape(&mut self) -> Result<char, PyValueError> {
        let escape = self.peek().ok_or(PyValueError::NotJson)?;
        self.at += 1;
        Ok(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.escaped_unit()?,
            _ => return Err(PyValueError::NotJson),
        })
    }

    /// `\uXXXX`, or a pair of them. A lone surrogate, which no Rust string holds, is U+FFFD.
    fn escaped_unit(&mut self) -> Result<char, PyValueError> {
        let unit = self.hex()?;
        if (0xd800..0xdc00).contains(&unit) && self.rest().starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                let character = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(character).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, PyValueError> {
        let digits = self.rest().get(..4).ok_or(PyValueError::NotJson)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(PyValueError::NotJson);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| PyValueError::NotJson)
    }
}

/// An object's members while it is read. The last value of a name counts, at the place of the first.
#[derive(Default)]
struct Members {
    members: Vec<(String, PyValue)>,
    places: std::collections::HashMap<String, usize>,
}

impl Members {
    fn insert(&mut self, name: String, value: PyValue) {
        match self
            .places
            .get(&name)
            .and_then(|place| self.members.get_mut(*place))
        {
            Some(member) => member.1 = value,
            None => {
                self.places.insert(name.clone(), self.members.len());
                self.members.push((name, value));
            }
        }
    }
}

impl From<Members> for PyValue {
    fn from(members: Members) -> Self {
        Self::Dict(members.members)
    }
}
