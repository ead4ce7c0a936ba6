//! Which environment is meant.
use std::fmt;

use actors::keys::EnvironmentKey;

/// A list of names is cut behind so many.
const MOST_NAMED: usize = 20;

/// An environment that may be meant.
pub(crate) struct Known {
    /// As logs have it.
    pub id: String,
    /// `None`: it has no document, which would name it.
    pub name: Option<String>,
    pub client_side_key: EnvironmentKey,
}

/// Why none is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoneMeant {
    /// There are several, and none was named.
    Unnamed(Vec<String>),
    /// None is called so. These are there.
    Unknown(Vec<String>),
    /// Several are called so.
    Ambiguous(Vec<String>),
}

impl fmt::Display for NoneMeant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed(known) => {
                f.write_str("which environment? Name one by its name, its id or its client-side key: ")?;
                write_list(f, known)
            }
            Self::Unknown(known) => {
                f.write_str("no environment has this name, id or client-side key; there are ")?;
                write_list(f, known)
            }
            Self::Ambiguous(same) => {
                f.write_str("several environments have this name; say the id of one: ")?;
                write_list(f, same)
            }
        }
    }
}

impl NoneMeant {
    /// Whether none is called so.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether one that has no document may be meant, which would name it.
    pub(crate) fn may_lack_a_name(&self) -> bool {
        matches!(self, Self::Unknown(_) | Self::Unnamed(_))
    }

    /// Whether a longer name would tell which of several is meant.
    pub(crate) fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Ambiguous(_) | Self::Unnamed(_))
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, labels: &[String]) -> fmt::Result {
    let shown: Vec<&str> = labels.iter().take(MOST_NAMED).map(String::as_str).collect();
    f.write_str(&shown.join(", "))?;
    match labels.len().saturating_sub(MOST_NAMED) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

impl Known {
    /// What logs call it.
    pub(crate) fn label(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({name:?})", self.id),
            None => format!("{} (without a document yet)", self.id),
        }
    }

    fn has_id(&self, asked: &str) -> bool {
        self.id == asked
    }

    fn has_key(&self, asked: &str) -> bool {
        self.client_side_key.reveal() == asked
    }

    fn is_exactly(&self, asked: &str) -> bool {
        self.name.as_deref() == Some(asked)
    }

    fn is_in_any_case(&self, asked: &str) -> bool {
        let name = self.name.as_deref().map(str::to_lowercase);
        name.as_deref() == Some(asked.to_lowercase().trim())
    }
}

/// Finds the environment that is meant: by its id, by its client-side key, by its exact name, by its name in other upper and lower
/// case; in this order. A name may be another environment's id, and whoever reads an id in a log or in a list must get that one.
/// Gives its place.
pub(crate) fn meant(known: &[Known], asked: Option<&str>) -> Result<usize, NoneMeant> {
    let labels = || known.iter().map(Known::label).collect();
    let Some(asked) = asked else {
        return match known.len() {
            1 => Ok(0),
            _ => Err(NoneMeant::Unnamed(labels())),
        };
    };
    if let Some(place) = without_name(known, asked) {
        return Ok(place);
    }
    for is_meant in [Known::is_exactly, Known::is_in_any_case] {
        let found: Vec<usize> = (0..)
            .zip(known)
            .filter_map(|(place, known)| is_meant(known, asked).then_some(place))
            .collect();
        match &*found {
            [] => {}
            [place] => return Ok(*place),
            several => {
                let same = several.iter().filter_map(|place| known.get(*place));
                return Err(NoneMeant::Ambiguous(same.map(Known::label).collect()));
            }
        }
    }
    Err(NoneMeant::Unknown(labels()))
}

/// Finds the environment that is meant where that takes no document, for these name it: by its id, or by its client-side key. Gives
/// its place.
pub(crate) fn without_name(known: &[Known], asked: &str) -> Option<usize> {
    let find = |is_meant: fn(&Known, &str) -> bool| known.iter().position(|known| is_meant(known, asked));
    find(Known::has_id).or_else(|| find(Known::has_key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(names: &[Option<&str>]) -> Vec<Known> {
        (1..)
            .zip(names)
            .map(|(id, name)| Known {
                id: i32::to_string(&id),
                name: name.map(str::to_owned),
                client_side_key: EnvironmentKey::new(format!("key-{id}")),
            })
            .collect()
    }

    #[test]
    fn an_environment_is_known_by_name_id_and_key() {
        let environments = known(&[
            Some("Production"),
            Some("Staging"),
            Some("1"),
            None,
            Some("staging EU"),
        ]);
        for (asked, place) in [
            ("Production", 0),
            ("production", 0),
            (" STAGING ", 1),
            // An id goes before a name.
            ("1", 0),
            ("2", 1),
            ("3", 2),
            ("4", 3),
            ("key-4", 3),
            ("Staging eu", 4),
        ] {
            assert_eq!(meant(&environments, Some(asked)), Ok(place), "{asked}");
        }
    }

    #[test]
    fn who_names_none_hears_of_all() {
        let environments = known(&[Some("Production"), Some("Production"), None]);
        let says = |asked| meant(&environments, asked).unwrap_err().to_string();
        let all = "1 (\"Production\"), 2 (\"Production\"), 3 (without a document yet)";
        assert!(says(None).ends_with(all), "{}", says(None));
        assert!(says(Some("Development")).ends_with(all));
        let ambiguous = says(Some("production"));
        assert!(
            ambiguous.ends_with("say the id of one: 1 (\"Production\"), 2 (\"Production\")"),
            "{ambiguous}"
        );
        assert!(!says(Some("key-9")).contains("key-"), "no key is told");
        assert_eq!(meant(&known(&[None]), None), Ok(0));
        let many: Vec<Option<&str>> = vec![Some("a"); 50];
        let many = meant(&known(&many), Some("b")).unwrap_err().to_string();
        assert!(many.ends_with("20 (\"a\") and 30 more"), "{many}");
    }
}
