//! Sets: `[…]`.
use std::rc::Rc;

use regex_syntax::hir::ClassUnicode;

use super::RegexError;
use super::characters::{fold, range};
use super::escape::category;
use super::parse::{Flags, Parser, Token};
use super::syntax::Node;

/// A part of a set.
enum Item {
    Literal(u32),
    Category(ClassUnicode),
}

impl Parser {
    /// A set, after its `[`. Everything but `]`, `\`, a leading `^` and a `-` between two characters is itself.
    pub(super) fn class(&mut self, flags: Flags) -> Result<Node, RegexError> {
        const UNTERMINATED: RegexError = RegexError("unterminated character set");
        let is_negated = self.take('^');
        let mut literals = ClassUnicode::empty();
        let mut categories = ClassUnicode::empty();
        let mut is_empty = true;
        loop {
            let token = self.next().ok_or(UNTERMINATED)?;
            if token == Token::Plain(']') && !is_empty {
                break;
            }
            is_empty = false;
            let item = self.item(token, flags)?;
            if self.take('-') {
                match self.next().ok_or(UNTERMINATED)? {
                    Token::Plain(']') => {
                        add(item, &mut literals, &mut categories);
                        add(Item::Literal('-'.into()), &mut literals, &mut categories);
                        break;
                    }
                    end => match (item, self.item(end, flags)?) {
                        (Item::Literal(start), Item::Literal(end)) if start <= end => {
                            literals.union(&range(start, end));
                        }
                        _ => return Err(RegexError("bad character range")),
                    },
                }
            } else {
                add(item, &mut literals, &mut categories);
            }
        }
        // Case counts for characters and ranges alone: categories hold both cases of a letter.
        fold(&mut literals, flags.case());
        literals.union(&categories);
        if is_negated {
            literals.negate();
        }
        Ok(Node::Class(Rc::new(literals)))
    }

    fn item(&mut self, token: Token, flags: Flags) -> Result<Item, RegexError> {
        Ok(match token {
            Token::Plain(character) => Item::Literal(character.into()),
            Token::Escaped(escaped) => match category(escaped, flags) {
                Some(category) => Item::Category(category),
                None => Item::Literal(self.code_point(escaped)?),
            },
        })
    }
}

fn add(item: Item, literals: &mut ClassUnicode, categories: &mut ClassUnicode) {
    match item {
        Item::Literal(code) => literals.union(&range(code, code)),
        Item::Category(category) => categories.union(&category),
    }
}
