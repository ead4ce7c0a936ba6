//! `edge-proxy snapshot`: what the configuration's environments hold now, as files that serve as a `fallback_document_path` or
//! a `document_path`.
use std::collections::HashSet;
use std::path::Path;

use actors::environment::{DocumentSnapshot, DocumentSource, EnvironmentOptions};
use actors::store::write_whole;
use actors::upstream::{DocumentMemory, FetchFailure, Upstream};

use crate::application::upstream_options;
use crate::settings::Settings;

/// What a file's name takes of an environment's, at most.
const NAME_BYTES: usize = 60;

/// Fetches every environment, one after the other, with the client that the proxy itself uses, and writes its file. `tell` hears
/// a line for each as it comes, and whether it is a failure. Gives whether all went well. Needs a running actix `System`.
pub async fn take(settings: &Settings, directory: &Path, mut tell: impl FnMut(bool, &str)) -> bool {
    let memory = DocumentMemory::new(settings.upstream.document_memory);
    let upstream = Upstream::new(&upstream_options(settings, &memory), settings.api_poll_timeout);
    let (mut names, mut is_whole) = (HashSet::new(), true);
    for (place, environment) in (1..).zip(&settings.environments) {
        match take_one(environment, &upstream, directory, &mut names).await {
            Ok(line) => tell(false, &format!("key pair {place}: {line}")),
            Err(line) => {
                is_whole = false;
                tell(true, &format!("key pair {place}: {line}"));
            }
        }
    }
    is_whole
}

async fn take_one(
    environment: &EnvironmentOptions,
    upstream: &Result<Upstream, FetchFailure>,
    directory: &Path,
    names: &mut HashSet<String>,
) -> Result<String, String> {
    if let DocumentSource::File(path) = &environment.source {
        return Ok(format!("is read from a file already, {}", path.display()));
    }
    let upstream = upstream.as_ref().map_err(ToString::to_string)?;
    let snapshot = DocumentSnapshot::fetch(upstream, &environment.server_side_keys).await;
    let snapshot = snapshot.map_err(|failure| failure.to_string())?;
    let name = free_name(&snapshot, names);
    write_whole(directory, &name, &snapshot.json)
        .map_err(|trouble| format!("{}: {trouble}", directory.display()))?;
    Ok(format!(
        "{:?}, of {}, is in {}",
        snapshot.name,
        snapshot.updated_at.to_rfc3339(),
        directory.join(&name).display()
    ))
}

/// A name that people know the environment by, and no other one of this run has.
fn free_name(snapshot: &DocumentSnapshot, names: &mut HashSet<String>) -> String {
    let (name, id) = (plain(&snapshot.name), plain(&snapshot.id));
    let stem = [name, id].into_iter().filter(|part| !part.is_empty());
    let stem = stem.collect::<Vec<_>>().join("-");
    let stem = if stem.is_empty() {
        "environment".to_owned()
    } else {
        stem
    };
    let further = (2_u32..).map(|number| format!("{stem}-{number}.json"));
    let mut candidates = std::iter::once(format!("{stem}.json")).chain(further);
    let free = candidates.find(|name| !names.contains(name)).unwrap_or_default();
    names.insert(free.clone());
    free
}

/// Letters and digits in lower case, hyphens for the rest.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() {
            plain.push(letter);
        } else if !plain.is_empty() && !plain.ends_with('-') {
            plain.push('-');
        }
        if plain.len() >= NAME_BYTES {
            break;
        }
    }
    plain.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use engine::UpdatedAt;

    use super::*;

    #[test]
    fn files_are_named_as_people_know_the_environments() {
        let mut names = HashSet::new();
        let mut name = |name: &str, id: &str| {
            let snapshot = DocumentSnapshot {
                name: name.to_owned(),
                id: id.to_owned(),
                updated_at: UpdatedAt::from_micros(0),
                json: Vec::new(),
            };
            free_name(&snapshot, &mut names)
        };
        assert_eq!(name("Production", "12"), "production-12.json");
        assert_eq!(name("Production", "12"), "production-12-2.json");
        assert_eq!(name("  EU / \u{dc}bung!", "\"a-b\""), "eu-\u{fc}bung-a-b.json");
        assert_eq!(name("../../etc/passwd", "1"), "etc-passwd-1.json");
        assert_eq!(name("", "null"), "null.json");
        assert_eq!(name("..", "-"), "environment.json");
        assert!(name(&"x".repeat(500), "1").len() < 80);
    }
}
