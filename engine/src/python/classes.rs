//! Sets of characters by Unicode's categories.
use regex_syntax::hir::{Class as HirClass, ClassUnicode, HirKind};

/// A set of characters as sorted, separate ranges.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Class(Vec<(char, char)>);

impl Class {
    /// The range that holds a character.
    pub(crate) fn range_of(&self, character: char) -> Option<(char, char)> {
        let after = self.0.partition_point(|(start, _)| *start <= character);
        self.0
            .get(after.checked_sub(1)?)
            .copied()
            .filter(|(_, end)| character <= *end)
    }

    /// Whether the set holds a character.
    pub(crate) fn contains(&self, character: char) -> bool {
        self.range_of(character).is_some()
    }
}

impl From<&ClassUnicode> for Class {
    fn from(class: &ClassUnicode) -> Self {
        Self(
            class
                .ranges()
                .iter()
                .map(|range| (range.start(), range.end()))
                .collect(),
        )
    }
}

/// The set that a character class of the `regex` crate's syntax means (`\p{Nd}`). Only classes written in the source may be given; of
/// Unicode's properties general categories alone are compiled in.
pub(crate) fn unicode(class: &str) -> ClassUnicode {
    match regex_syntax::parse(class).map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(HirClass::Unicode(class))) => class,
        other => {
            debug_assert!(false, "{class} is no class: {other:?}");
            ClassUnicode::empty()
        }
    }
}

/// As [`unicode`], to ask for characters.
pub(crate) fn named(class: &str) -> Class {
    Class::from(&unicode(class))
}
