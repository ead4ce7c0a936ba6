//! Environment variables by name without regard to case.
use std::collections::BTreeMap;

use actors::in_line::in_line;

use super::Notice;
use super::schema::{Known, OPTIONS, nearest};

/// One variable that is not empty.
#[derive(Clone)]
pub(super) struct Variable {
    pub name: String,
    pub text: String,
}

/// Variables by their lower-case names. An empty one counts as unset: compose files pass `API_URL=${API_URL}`.
pub(super) struct Variables(BTreeMap<String, Vec<Variable>>);

impl Variables {
    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut by_name: BTreeMap<String, Vec<Variable>> = BTreeMap::new();
        for (name, text) in variables {
            if !text.trim().is_empty() {
                by_name
                    .entry(name.to_lowercase())
                    .or_default()
                    .push(Variable { name, text });
            }
        }
        // The upper-case spelling comes first, whatever order the system lists them in.
        by_name
            .values_mut()
            .for_each(|same| same.sort_by(|a, b| a.name.cmp(&b.name)));
        Self(by_name)
    }

    /// Finds a variable by its lower-case name; of several spellings the upper-case one counts.
    pub(super) fn get(&self, name: &str) -> Option<&Variable> {
        self.0.get(name)?.first()
    }

    /// Finds a variable by its lower-case name; of several spellings the lower-case one counts, as HTTP clients read
    /// the `*_proxy` variables.
    pub(super) fn get_lower_first(&self, name: &str) -> Option<&Variable> {
        self.0.get(name)?.last()
    }

    /// Warns of variables one or two letters off an option. It looks at long names only, because short ones meet those
    /// of other programs.
    pub(super) fn warn_of_misspelt(&self, notices: &mut Vec<Notice>) {
        let known = || {
            OPTIONS
                .iter()
                .flat_map(Known::spellings)
                .filter(|name| name.len() >= 12)
        };
        for (name, same) in &self.0 {
            let Some(near) = nearest(name, known()) else {
                continue;
            };
            let (distance, Some(variable)) = (strsim::damerau_levenshtein(name, near), same.first()) else {
                continue;
            };
            if (1..=2).contains(&distance) && known().all(|known| known != name) {
                notices.push(Notice::warning(format!(
                    "environment variable {} is not known: did you mean {}?",
                    in_line(&variable.name),
                    near.to_uppercase()
                )));
            }
        }
    }
}
