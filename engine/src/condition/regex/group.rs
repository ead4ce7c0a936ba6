//! Groups: `(…)`, `(?…)`.
use super::RegexError;
use super::parse::{Flags, Parser, Token};
use super::syntax::{Node, Width};
use crate::python::{Integer, parse_int};

const UNEXPECTED_END: RegexError = RegexError("unexpected end of pattern");
const UNKNOWN_EXTENSION: RegexError = RegexError("unknown extension");
const UNTERMINATED: RegexError = RegexError("missing ), unterminated subpattern");

impl Parser {
    /// A group, after its `(`. `None`: a comment, or flags for the whole pattern.
    pub(super) fn group(&mut self, flags: Flags, is_start: bool) -> Result<Option<Node>, RegexError> {
        if !self.take('?') {
            return self.capture(None, flags).map(Some);
        }
        let Token::Plain(kind) = self.next().ok_or(UNEXPECTED_END)? else {
            return Err(UNKNOWN_EXTENSION);
        };
        match kind {
            ':' => self.closed(flags).map(Some),
            'P' => self.named(flags).map(Some),
            '#' => {
                while self.next().ok_or(RegexError("missing ), unterminated comment"))? != Token::Plain(')') {
                }
                Ok(None)
            }
            '=' => self.around(flags, false, false).map(Some),
            '!' => self.around(flags, false, true).map(Some),
            '<' => match self.next().ok_or(UNEXPECTED_END)? {
                Token::Plain('=') => self.around(flags, true, false).map(Some),
                Token::Plain('!') => self.around(flags, true, true).map(Some),
                _ => Err(UNKNOWN_EXTENSION),
            },
            '(' => self.conditional(flags).map(Some),
            '>' => Ok(Some(Node::Atomic(Box::new(self.closed(flags)?)))),
            ')' => Err(UNKNOWN_EXTENSION),
            _ => match self.flags_of_group(kind, flags, is_start)? {
                Some(flags) => self.closed(flags).map(Some),
                None => Ok(None),
            },
        }
    }

    fn closed(&mut self, flags: Flags) -> Result<Node, RegexError> {
        let node = self.alternatives(flags, false)?;
        if self.take(')') {
            Ok(node)
        } else {
            Err(UNTERMINATED)
        }
    }

    fn capture(&mut self, name: Option<String>, flags: Flags) -> Result<Node, RegexError> {
        let group = self.widths.len();
        self.widths.push(None);
        if let Some(name) = name {
            if self.group_named(&name).is_some() {
                return Err(RegexError("redefinition of group name"));
            }
            self.names.push((name, group));
        }
        let node = self.closed(flags)?;
        let width = node.width(&self.widths);
        if let Some(place) = self.widths.get_mut(group) {
            *place = Some(width);
        }
        Ok(Node::Capture {
            group,
            node: Box::new(node),
        })
    }

    fn named(&mut self, flags: Flags) -> Result<Node, RegexError> {
        match self.next().ok_or(UNEXPECTED_END)? {
            Token::Plain('<') => {
                let name = self.name_until('>')?;
                if !is_identifier(&name) {
                    return Err(RegexError("bad character in group name"));
                }
                self.capture(Some(name), flags)
            }
            Token::Plain('=') => {
                let name = self.name_until(')')?;
                let group = self.group_named(&name).ok_or(RegexError("unknown group name"))?;
                self.reference(group, flags)
            }
            _ => Err(UNKNOWN_EXTENSION),
        }
    }

    fn name_until(&mut self, end: char) -> Result<String, RegexError> {
        let mut name = String::new();
        loop {
            match self.next().ok_or(RegexError("unterminated name"))? {
                Token::Plain(character) if character == end => break,
                Token::Plain(character) => name.push(character),
                Token::Escaped(escaped) => name.extend(['\\', escaped]),
            }
        }
        if name.is_empty() {
            Err(RegexError("missing group name"))
        } else {
            Ok(name)
        }
    }

    fn group_named(&self, name: &str) -> Option<usize> {
        self.names
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, group)| *group)
    }

    fn around(&mut self, flags: Flags, is_behind: bool, is_negative: bool) -> Result<Node, RegexError> {
        let outer = self.groups_before_behind;
        if is_behind {
            self.groups_before_behind = outer.or(Some(self.widths.len()));
        }
        let node = self.alternatives(flags, false)?;
        self.groups_before_behind = outer;
        if !self.take(')') {
            return Err(UNTERMINATED);
        }
        let behind = if is_behind {
            let Width { min, max } = node.width(&self.widths);
            let width = u32::try_from(min).ok().filter(|_| min == max);
            Some(width.ok_or(RegexError("look-behind requires fixed-width pattern"))?)
        } else {
            None
        };
        Ok(Node::Around {
            node: Box::new(node),
            behind,
            is_negative,
        })
    }

    fn conditional(&mut self, flags: Flags) -> Result<Node, RegexError> {
        let name = self.name_until(')')?;
        let group = if is_identifier(&name) {
            self.group_named(&name).ok_or(RegexError("unknown group name"))?
        } else {
            let number = match parse_int(&name) {
                Some(Integer::Small(number)) => usize::try_from(number).ok(),
                _ => None,
            };
            number
                .filter(|number| *number > 0)
                .ok_or(RegexError("bad group number"))?
        };
        self.last_condition = self.last_condition.max(group);
        self.check_group_behind(group)?;
        let yes = Box::new(self.sequence(flags, false)?);
        let no = if self.take('|') {
            self.sequence(flags, false)?
        } else {
            Node::Concat(Vec::new())
        };
        if self.peek() == Some(Token::Plain('|')) {
            return Err(RegexError("conditional backref with more than two branches"));
        }
        if !self.take(')') {
            return Err(UNTERMINATED);
        }
        Ok(Node::Conditional {
            group,
            yes,
            no: Box::new(no),
        })
    }

    /// `i-s:` or `i)`: the flags of a group, or (`None`) of the whole pattern.
    fn flags_of_group(
        &mut self,
        first: char,
        outer: Flags,
        is_start: bool,
    ) -> Result<Option<Flags>, RegexError> {
        let mut change = Change::default();
        let mut next = first;
        while next != '-' && next != ':' && next != ')' {
            change.add(next)?;
            next = self.flag_character()?;
        }
        if next == ')' {
            if !is_start {
                return Err(RegexError("global flags not at the start of the expression"));
            }
            self.flags = change.global(self.flags)?;
            return Ok(None);
        }
        if next == '-' {
            next = self.flag_character()?;
            loop {
                change.remove(next)?;
                next = self.flag_character()?;
                if next == ':' {
                    break;
                }
            }
        }
        change.local(outer).map(Some)
    }

    fn flag_character(&mut self) -> Result<char, RegexError> {
        match self.next() {
            Some(Token::Plain(character)) => Ok(character),
            _ => Err(RegexError("missing -, : or )")),
        }
    }
}

/// What a group's flags turn on and off.
#[derive(Default)]
struct Change {
    on: Vec<char>,
    off: Vec<char>,
}

impl Change {
    fn add(&mut self, flag: char) -> Result<(), RegexError> {
        match flag {
            'i' | 'm' | 's' | 'x' => {}
            'a' if !self.on.contains(&'u') => {}
            'u' if !self.on.contains(&'a') => {}
            'a' | 'u' => return Err(RegexError("flags 'a' and 'u' are incompatible")),
            'L' => return Err(RegexError("cannot use 'L' flag with a str pattern")),
            _ if self.on.is_empty() => return Err(UNKNOWN_EXTENSION),
            _ => return Err(RegexError("unknown flag")),
        }
        self.on.push(flag);
        Ok(())
    }

    fn remove(&mut self, flag: char) -> Result<(), RegexError> {
        if !matches!(flag, 'i' | 'm' | 's' | 'x') {
            return Err(RegexError("cannot turn off this flag"));
        }
        self.off.push(flag);
        Ok(())
    }

    fn local(&self, mut flags: Flags) -> Result<Flags, RegexError> {
        if self.on.iter().any(|flag| self.off.contains(flag)) {
            return Err(RegexError("flag turned on and off"));
        }
        for (letters, value) in [(&self.on, true), (&self.off, false)] {
            for letter in letters {
                match letter {
                    'i' => flags.ignore_case = value,
                    'm' => flags.multi_line = value,
                    's' => flags.dot_all = value,
                    'x' => flags.verbose = value,
                    'a' => flags.ascii = true,
                    _ => flags.ascii = false,
                }
            }
        }
        Ok(flags)
    }

    fn global(&self, flags: Flags) -> Result<Flags, RegexError> {
        if flags.ascii && self.on.contains(&'u') {
            return Err(RegexError("ASCII and UNICODE flags are incompatible"));
        }
        self.local(flags)
    }
}

/// Python's `str.isidentifier`, nearly: letters, digits but not first, `_`.
fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|character| character.is_alphanumeric() || character == '_')
}
