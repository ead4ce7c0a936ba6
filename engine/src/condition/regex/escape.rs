//! What stands after a backslash.
use std::rc::Rc;

use regex_syntax::hir::ClassUnicode;

use super::RegexError;
use super::characters::{ASCII_DIGIT, ASCII_SPACE, ASCII_WORD, DIGIT, SPACE, WORD};
use super::parse::{Flags, Parser, Token, literal};
use super::syntax::{Look, Node};

/// Longer than every name in Unicode.
const LONGEST_NAME: usize = 256;

impl Parser {
    /// An escape outside a set.
    pub(super) fn escape(&mut self, escaped: char, flags: Flags) -> Result<Node, RegexError> {
        let boundary = |is_negated| {
            Node::Look(Look::Boundary {
                is_ascii: flags.ascii,
                is_negated,
            })
        };
        if let Some(category) = category(escaped, flags) {
            return Ok(Node::Class(Rc::new(category)));
        }
        match escaped {
            'A' => Ok(Node::Look(Look::Start)),
            'Z' => Ok(Node::Look(Look::End)),
            'b' => Ok(boundary(false)),
            'B' => Ok(boundary(true)),
            '1'..='9' => self.reference_or_octal(escaped, flags),
            _ => Ok(literal(self.code_point(escaped)?, flags)),
        }
    }

    /// The code point that an escape stands for, in a set and elsewhere.
    pub(super) fn code_point(&mut self, escaped: char) -> Result<u32, RegexError> {
        const INCOMPLETE: RegexError = RegexError("incomplete escape");
        Ok(match escaped {
            'a' => 0x07,
            'b' => 0x08,
            't' => 0x09,
            'n' => 0x0a,
            'v' => 0x0b,
            'f' => 0x0c,
            'r' => 0x0d,
            'x' => self.hex(2).ok_or(INCOMPLETE)?,
            'u' => self.hex(4).ok_or(INCOMPLETE)?,
            'U' => self
                .hex(8)
                .filter(|code| *code <= u32::from(char::MAX))
                .ok_or(INCOMPLETE)?,
            'N' => self.character_in_braces()?.into(),
            '0'..='7' => {
                let rest = self.take_while(2, |character| character.is_digit(8));
                octal(&format!("{escaped}{rest}"))?
            }
            '8' | '9' => return Err(RegexError("bad escape")),
            letter if letter.is_ascii_alphabetic() => return Err(RegexError("bad escape")),
            other => other.into(),
        })
    }

    /// The character whose name stands in braces.
    fn character_in_braces(&mut self) -> Result<char, RegexError> {
        if !self.take('{') {
            return Err(RegexError("missing {"));
        }
        let name = self.take_while(LONGEST_NAME, |character| character != '}');
        if !self.take('}') {
            return Err(RegexError("missing }, unterminated name"));
        }
        character_named(&name).ok_or(RegexError("undefined character name"))
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let taken = self.take_while(digits, |character| character.is_ascii_hexdigit());
        u32::from_str_radix(&taken, 16)
            .ok()
            .filter(|_| taken.len() == digits)
    }

    /// One or two digits are a group, three octal ones a character.
    fn reference_or_octal(&mut self, first: char, flags: Flags) -> Result<Node, RegexError> {
        let mut digits = first.to_string();
        if let Some(Token::Plain(second @ '0'..='9')) = self.peek() {
            self.next();
            digits.push(second);
            if let Some(Token::Plain(third @ '0'..='7')) = self.peek()
                && digits.bytes().all(|digit| digit < b'8')
            {
                self.next();
                digits.push(third);
                return Ok(literal(octal(&digits)?, flags));
            }
        }
        let group = digits
            .parse()
            .map_err(|_| RegexError("invalid group reference"))?;
        self.reference(group, flags)
    }

    /// A back-reference to a group, which must be closed by now.
    pub(super) fn reference(&mut self, group: usize, flags: Flags) -> Result<Node, RegexError> {
        match self.widths.get(group) {
            None => return Err(RegexError("invalid group reference")),
            Some(None) => return Err(RegexError("cannot refer to an open group")),
            Some(Some(_)) => {}
        }
        self.check_group_behind(group)?;
        Ok(Node::Reference {
            group,
            case: flags.case(),
        })
    }

    /// Within look-behind only groups before it may be asked for.
    pub(super) fn check_group_behind(&self, group: usize) -> Result<(), RegexError> {
        let Some(groups_before) = self.groups_before_behind else {
            return Ok(());
        };
        if self.widths.get(group).copied().flatten().is_none() {
            return Err(RegexError("cannot refer to an open group"));
        }
        if group >= groups_before {
            return Err(RegexError(
                "cannot refer to group defined in the same lookbehind subpattern",
            ));
        }
        Ok(())
    }
}

/// The set of `\d`, `\D`, `\s`, `\S`, `\w` or `\W`.
pub(super) fn category(escaped: char, flags: Flags) -> Option<ClassUnicode> {
    let set = match (escaped.to_ascii_lowercase(), flags.ascii) {
        ('d', false) => &DIGIT,
        ('d', true) => &ASCII_DIGIT,
        ('s', false) => &SPACE,
        ('s', true) => &ASCII_SPACE,
        ('w', false) => &WORD,
        ('w', true) => &ASCII_WORD,
        _ => return None,
    };
    let mut set = ClassUnicode::clone(set);
    if escaped.is_ascii_uppercase() {
        set.negate();
    }
    Some(set)
}

/// As Python's `unicodedata.lookup`: names and aliases in any case, but with their blanks and hyphens just so.
fn character_named(name: &str) -> Option<char> {
    // No name begins so, and the lookup subtracts beyond zero where one does.
    if name.starts_with('-') {
        return None;
    }
    // This lookup is a loose one (UAX44-LM2).
    let character = unicode_names2::character(name)?;
    let is_exact = match unicode_names2::name(character).map(|own| own.to_string()) {
        // Python composes these two kinds of names itself, and only in capitals.
        Some(own) if own.starts_with("HANGUL SYLLABLE ") || own.starts_with("CJK UNIFIED IDEOGRAPH-") => {
            name == own
        }
        Some(own) if loose(&own) == loose(name) => name.eq_ignore_ascii_case(&own),
        // An alias.
        _ => !name.contains('_') && name.split(' ').all(|word| !word.is_empty()),
    };
    is_exact.then_some(character)
}

fn loose(name: &str) -> String {
    let significant = name
        .chars()
        .filter(|character| !matches!(character, ' ' | '-' | '_'));
    significant
        .map(|character| character.to_ascii_uppercase())
        .collect()
}

fn octal(digits: &str) -> Result<u32, RegexError> {
    let code = u32::from_str_radix(digits, 8).ok().filter(|code| *code <= 0o377);
    code.ok_or(RegexError("octal escape value outside of range 0-0o377"))
}
