//! JSON as a tree whose leaves keep their text: numbers of any size and precision survive.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Clone)]
pub(crate) enum Tree {
    /// Anything but an array or an object, as it was written.
    Leaf(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl Tree {
    /// Reads JSON.
    ///
    /// # Panics
    /// Where it is none.
    pub(crate) fn parse(json: &str) -> Self {
        let json = json.trim();
        match json.as_bytes().first() {
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(json).expect("a JSON array");
                Self::List(
                    elements
                        .into_iter()
                        .map(|element| Self::parse(element.get()))
                        .collect(),
                )
            }
            Some(b'{') => {
                let Members(members) = serde_json::from_str(json).expect("a JSON object");
                Self::Object(
                    members
                        .into_iter()
                        .map(|(name, value)| (name, Self::parse(value.get())))
                        .collect(),
                )
            }
            _ => Self::Leaf(json.to_owned()),
        }
    }

    /// The member of that name; `None` for an array, a leaf, and null as value.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.members()
            .iter()
            .find(|(member, _)| member == name)
            .map(|(_, value)| value)
            .filter(|value| !value.is_null())
    }

    pub(crate) fn members(&self) -> &[(String, Self)] {
        if let Self::Object(members) = self {
            members
        } else {
            &[]
        }
    }

    pub(crate) fn elements(&self) -> &[Self] {
        if let Self::List(elements) = self {
            elements
        } else {
            &[]
        }
    }

    /// The string that this is.
    pub(crate) fn string(&self) -> Option<String> {
        if let Self::Leaf(json) = self {
            serde_json::from_str(json).ok()
        } else {
            None
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Leaf(json) if json == "null")
    }

    pub(crate) fn to_json(&self) -> String {
        let mut json = String::new();
        self.write(&mut json);
        json
    }

    fn write(&self, json: &mut String) {
        match self {
            Self::Leaf(text) => json.push_str(text),
            Self::List(elements) => {
                json.push('[');
                for (number, element) in elements.iter().enumerate() {
                    json.push_str(if number == 0 { "" } else { "," });
                    element.write(json);
                }
                json.push(']');
            }
            Self::Object(members) => {
                json.push('{');
                for (number, (name, value)) in members.iter().enumerate() {
                    let name = serde_json::to_string(name).expect("strings are JSON");
                    let _ = write!(json, "{}{name}:", if number == 0 { "" } else { "," });
                    value.write(json);
                }
                json.push('}');
            }
        }
    }

    /// The parts of this value, itself first, in the order of the text.
    pub(crate) fn count(&self) -> usize {
        1 + self.children().map(Self::count).sum::<usize>()
    }

    /// The part of that number, in the order of [`Self::count`].
    pub(crate) fn part(&mut self, number: usize) -> Option<&mut Self> {
        if number == 0 {
            return Some(self);
        }
        let mut left = number - 1;
        let children: Vec<&mut Self> = match self {
            Self::Leaf(_) => Vec::new(),
            Self::List(elements) => elements.iter_mut().collect(),
            Self::Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
        };
        for child in children {
            let size = child.count();
            if left < size {
                return child.part(left);
            }
            left -= size;
        }
        None
    }

    fn children(&self) -> impl Iterator<Item = &Self> {
        let (elements, members): (&[Self], &[(String, Self)]) = match self {
            Self::Leaf(_) => (&[], &[]),
            Self::List(elements) => (elements, &[]),
            Self::Object(members) => (&[], members),
        };
        elements.iter().chain(members.iter().map(|(_, value)| value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
