//! Pattern → tree, as Python's `re` reads it.
use std::rc::Rc;

use regex_syntax::hir::ClassUnicode;

use super::RegexError;
use super::characters::{fold, range};
use super::syntax::{Case, Look, Node, Pattern, RepeatKind, Width};

/// How deep groups may nest. Python's own bound is its recursion limit, at some 300.
const MAX_DEPTH: usize = 200;
/// The count from which on Python raises OverflowError.
const MAX_REPEAT: u64 = u32::MAX as u64;

/// A character, or one after a backslash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Plain(char),
    Escaped(char),
}

/// The flags of `(?…)` that hold at a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) multi_line: bool,
    pub(super) dot_all: bool,
    pub(super) verbose: bool,
    pub(super) ascii: bool,
}

impl Flags {
    pub(super) fn case(self) -> Case {
        match (self.ignore_case, self.ascii) {
            (false, _) => Case::Exact,
            (true, false) => Case::Ignored,
            (true, true) => Case::IgnoredInAscii,
        }
    }
}

pub(super) struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// The flags set for the whole pattern.
    pub(super) flags: Flags,
    /// Of each group, the whole match among them, the width once it is closed.
    pub(super) widths: Vec<Option<Width>>,
    pub(super) names: Vec<(String, usize)>,
    /// Within look-behind: how many groups there were before it.
    pub(super) groups_before_behind: Option<usize>,
    /// The largest group that a condition asks for; it may come later.
    pub(super) last_condition: usize,
}

pub(super) fn parse(pattern: &str) -> Result<Pattern, RegexError> {
    let mut parser = Parser {
        tokens: tokens(pattern)?,
        at: 0,
        depth: 0,
        flags: Flags::default(),
        widths: vec![None],
        names: Vec::new(),
        groups_before_behind: None,
        last_condition: 0,
    };
    let tree = parser.alternatives(Flags::default(), true)?;
    if parser.peek().is_some() {
        return Err(RegexError("unbalanced parenthesis"));
    }
    if parser.last_condition >= parser.widths.len() {
        return Err(RegexError("invalid group reference"));
    }
    Ok(Pattern {
        tree,
        groups: parser.widths.len(),
    })
}

fn tokens(pattern: &str) -> Result<Vec<Token>, RegexError> {
    let mut tokens = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '\\' => Token::Escaped(
                characters
                    .next()
                    .ok_or(RegexError("bad escape (end of pattern)"))?,
            ),
            plain => Token::Plain(plain),
        });
    }
    Ok(tokens)
}

impl Parser {
    pub(super) fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    pub(super) fn take(&mut self, character: char) -> bool {
        let found = self.peek() == Some(Token::Plain(character));
        self.at += usize::from(found);
        found
    }

    /// Up to so many characters of a kind.
    pub(super) fn take_while(&mut self, most: usize, belongs: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(Token::Plain(character)) = self.peek()
            && belongs(character)
            && taken.len() < most
        {
            self.at += 1;
            taken.push(character);
        }
        taken
    }

    /// Reads what is nested one level deeper.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, RegexError>,
    ) -> Result<T, RegexError> {
        if self.depth >= MAX_DEPTH {
            return Err(RegexError("groups are nested too deeply"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// The content of a group, or of the whole pattern: alternatives up to a `)` or the end.
    pub(super) fn alternatives(&mut self, flags: Flags, is_whole: bool) -> Result<Node, RegexError> {
        let mut alternatives = Vec::new();
        loop {
            let flags = if is_whole { self.flags } else { flags };
            alternatives.push(self.sequence(flags, is_whole && alternatives.is_empty())?);
            if !self.take('|') {
                break;
            }
        }
        Ok(if alternatives.len() == 1 {
            Node::Concat(alternatives)
        } else {
            Node::Alternate(alternatives)
        })
    }

    /// One alternative. Only at the start of the first one may flags for the whole pattern stand.
    pub(super) fn sequence(&mut self, mut flags: Flags, is_first: bool) -> Result<Node, RegexError> {
        let mut nodes: Vec<Node> = Vec::new();
        while let Some(token) = self.peek() {
            if matches!(token, Token::Plain('|' | ')')) {
                break;
            }
            self.at += 1;
            if flags.verbose && self.skips(token) {
                continue;
            }
            let node = match token {
                Token::Escaped(escaped) => self.escape(escaped, flags)?,
                Token::Plain('.') => any(flags),
                Token::Plain('[') => self.class(flags)?,
                Token::Plain('^') => Node::Look(if flags.multi_line {
                    Look::StartOfLine
                } else {
                    Look::Start
                }),
                Token::Plain('$') => Node::Look(if flags.multi_line {
                    Look::EndOfLine
                } else {
                    Look::EndOrFinalNewline
                }),
                Token::Plain('(') => {
                    match self.nested(|parser| parser.group(flags, is_first && nodes.is_empty()))? {
                        Some(node) => node,
                        None => {
                            flags = if is_first { self.flags } else { flags };
                            continue;
                        }
                    }
                }
                Token::Plain(quantifier @ ('*' | '+' | '?' | '{')) => match self.counts(quantifier)? {
                    Some((min, max)) => {
                        let repeated = self.repeated(nodes.pop(), min, max)?;
                        nodes.push(repeated);
                        continue;
                    }
                    None => literal('{'.into(), flags),
                },
                Token::Plain(character) => literal(character.into(), flags),
            };
            nodes.push(node);
        }
        Ok(Node::Concat(nodes))
    }

    /// In verbose mode: blanks, and comments to the end of the line.
    fn skips(&mut self, token: Token) -> bool {
        match token {
            Token::Plain(' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}') => true,
            Token::Plain('#') => {
                while self.next().is_some_and(|token| token != Token::Plain('\n')) {}
                true
            }
            _ => false,
        }
    }

    /// The bounds that a quantifier gives. `None`: a `{` that is none and stands for itself.
    fn counts(&mut self, quantifier: char) -> Result<Option<(u32, Option<u32>)>, RegexError> {
        match quantifier {
            '*' => return Ok(Some((0, None))),
            '+' => return Ok(Some((1, None))),
            '?' => return Ok(Some((0, Some(1)))),
            _ => {}
        }
        if self.peek() == Some(Token::Plain('}')) {
            return Ok(None);
        }
        let start = self.at;
        let least = self.take_while(usize::MAX, |character| character.is_ascii_digit());
        let most = if self.take(',') {
            self.take_while(usize::MAX, |character| character.is_ascii_digit())
        } else {
            least.clone()
        };
        if !self.take('}') {
            self.at = start;
            return Ok(None);
        }
        let (least, most) = (count(&least)?, count(&most)?);
        let min = least.unwrap_or(0);
        if most.is_some_and(|most| most < min) {
            return Err(RegexError("min repeat greater than max repeat"));
        }
        Ok(Some((min, most)))
    }

    fn repeated(&mut self, node: Option<Node>, min: u32, max: Option<u32>) -> Result<Node, RegexError> {
        let node = match node {
            None | Some(Node::Look(_)) => return Err(RegexError("nothing to repeat")),
            Some(Node::Repeat { .. }) => return Err(RegexError("multiple repeat")),
            Some(node) => Box::new(node),
        };
        let kind = if self.take('?') {
            RepeatKind::Lazy
        } else if self.take('+') {
            RepeatKind::Possessive
        } else {
            RepeatKind::Greedy
        };
        Ok(Node::Repeat { node, min, max, kind })
    }
}

fn count(digits: &str) -> Result<Option<u32>, RegexError> {
    if digits.is_empty() {
        return Ok(None);
    }
    match digits.parse::<u64>() {
        Ok(count) if count < MAX_REPEAT => Ok(u32::try_from(count).ok()),
        _ => Err(RegexError("the repetition number is too large")),
    }
}

/// A character by its code point; a surrogate matches nothing.
pub(super) fn literal(code: u32, flags: Flags) -> Node {
    let mut set = range(code, code);
    fold(&mut set, flags.case());
    Node::Class(Rc::new(set))
}

fn any(flags: Flags) -> Node {
    let mut set = if flags.dot_all {
        ClassUnicode::empty()
    } else {
        range('\n'.into(), '\n'.into())
    };
    set.negate();
    Node::Class(Rc::new(set))
}
