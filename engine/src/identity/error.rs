use std::fmt;

/// Why a request names no identity that can be evaluated: each is a 400 with this text, which says the field and the
/// rule, never what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityError {
    /// The body is not JSON, or nested too deeply.
    NotJson,
    /// JSON, but not of the form that is expected.
    Form,
    /// `identifier` is a boolean, a list or an object.
    Identifier,
    /// The identifier is too long.
    IdentifierLength,
    /// `transient` is nothing that core takes for a boolean.
    Transient,
    /// There are too many traits.
    TraitCount,
    /// A `trait_key` is missing or neither a string nor a number.
    TraitKey,
    /// A `trait_key` is too long.
    TraitKeyLength,
    /// A `trait_value` is too long.
    TraitValueLength,
    /// A `trait_value` is nested too deeply.
    TraitValueDepth,
    /// A trait's `transient` is nothing that core takes for a boolean.
    TraitTransient,
    /// A number is too large, or there are too many large ones.
    Number,
    /// A string is no valid Unicode.
    Unicode,
}

/// The longest identifier without its outer blanks, in characters. Core's column holds no more, and every percentage hashes
/// the whole identifier.
pub(super) const LONGEST_IDENTIFIER: usize = 2000;
/// The most traits of one request: ten times what any SDK's identity is known to carry, and few enough to copy and search.
pub(super) const MOST_TRAITS: usize = 1000;
/// The most digits of integers past 64 bits in lists and objects, over all traits: their text takes quadratic time, 1 MiB of
/// them 18 ms, and so many 1 ms at most.
pub(super) const MOST_DIGITS: usize = 100_000;
/// The longest `trait_key`, in characters, as core has it.
pub(super) const LONGEST_TRAIT_KEY: usize = 200;
/// The longest `trait_value`, in characters, as core has it.
pub(super) const LONGEST_TRAIT_VALUE: usize = 2000;

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the body is not valid JSON"),
            Self::Form => {
                f.write_str("the body must be an object whose traits, where given, are a list of objects")
            }
            Self::Identifier => f.write_str("identifier must be a string"),
            Self::IdentifierLength => {
                write!(f, "identifier must have at most {LONGEST_IDENTIFIER} characters")
            }
            Self::Transient => f.write_str("transient must be a boolean"),
            Self::TraitCount => write!(f, "traits must be at most {MOST_TRAITS}"),
            Self::TraitKey => f.write_str("trait_key must be a string"),
            Self::TraitKeyLength => write!(f, "trait_key must have at most {LONGEST_TRAIT_KEY} characters"),
            Self::TraitValueLength => write!(
                f,
                "trait_value must have at most {LONGEST_TRAIT_VALUE} characters"
            ),
            Self::TraitValueDepth => f.write_str("trait_value is nested too deeply"),
            Self::TraitTransient => f.write_str("a trait's transient must be a boolean"),
            Self::Number => f.write_str("a number is too large"),
            Self::Unicode => f.write_str("a string is not valid Unicode"),
        }
    }
}

impl std::error::Error for IdentityError {}
