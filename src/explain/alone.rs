//! Documents as a configuration names them, without a running proxy.
use std::path::Path;
use std::sync::Arc;

use actors::environment::{DocumentSnapshot, DocumentSource, EnvironmentOptions};
use actors::upstream::{DocumentMemory, FetchFailure, Upstream};
use bytes::Bytes;
use engine::{Document, Environment};

use super::answer::{Content, Held, Source};
use super::asking::Asking;
use super::environments::Known;
use crate::application::upstream_options;
use crate::settings::Settings;

/// Gets the documents that it takes to find the environment that is meant, and to explain it: all where it is called by its name,
/// which its document has. Needs a running actix `System`.
pub(super) async fn hold(settings: &Settings, asking: &Asking) -> Vec<Held> {
    let memory = DocumentMemory::new(settings.upstream.document_memory);
    let upstream = Upstream::new(&upstream_options(settings, &memory), settings.api_poll_timeout);
    // Who has its client-side key needs no name.
    let by_key = settings
        .environments
        .iter()
        .position(|options| Some(options.client_side_key.reveal()) == asking.environment.as_deref());
    let mut held = Vec::new();
    for (place, options) in settings.environments.iter().enumerate() {
        let content = match by_key.is_none_or(|meant| meant == place) {
            true => get(settings, options, &upstream).await,
            false => Err("its document was not read".to_owned()),
        };
        held.push(Held {
            known: Known {
                // As the EnvironmentActor numbers them at the start.
                id: (place + 1).to_string(),
                name: name(&content),
                client_side_key: options.client_side_key.clone(),
            },
            content,
        });
    }
    held
}

fn name(content: &Result<Content, String>) -> Option<String> {
    let content = content.as_ref().ok()?;
    Some(content.environment.name().to_owned())
}

/// Gets one document: from its file; from upstream; where upstream gives none, what was stored of it; where nothing was, its
/// fallback.
async fn get(
    settings: &Settings,
    options: &EnvironmentOptions,
    upstream: &Result<Upstream, FetchFailure>,
) -> Result<Content, String> {
    if let DocumentSource::File(path) = &options.source {
        return from_file(path, "file", "its document_path").map_err(|failure| failure.to_string());
    }
    let fetched = match upstream {
        Ok(upstream) => DocumentSnapshot::fetch(upstream, &options.server_side_keys).await,
        Err(failure) => Err(failure.clone()),
    };
    let failure = match fetched {
        Ok(snapshot) => {
            let says = format!("upstream ({})", settings.api_url);
            return content(snapshot, "upstream", says);
        }
        Err(failure) => failure,
    };
    let directory = settings.persistence.directory.as_deref();
    let stored =
        directory.and_then(|directory| DocumentSnapshot::read_stored(directory, &options.client_side_key));
    if let Some(snapshot) = stored {
        let says = format!("the store (persistence.directory), because upstream gives none: {failure}");
        return content(snapshot, "store", says);
    }
    if let Some(path) = &options.fallback {
        let what = format!("its fallback_document_path, because upstream gives none: {failure}");
        if let Ok(content) = from_file(path, "fallback", &what) {
            return Ok(content);
        }
    }
    Err(failure.to_string())
}

fn from_file(path: &Path, kind: &'static str, what: &str) -> Result<Content, String> {
    let snapshot = DocumentSnapshot::read_file(path).map_err(|failure| failure.to_string())?;
    content(snapshot, kind, format!("{what}, {}", path.display()))
}

fn content(snapshot: DocumentSnapshot, kind: &'static str, says: String) -> Result<Content, String> {
    let document = Bytes::from(snapshot.json);
    let read = Document::from_pages(vec![document.clone()]);
    let compiled = read.and_then(|document| Environment::compile(&document));
    let (environment, _) = compiled.map_err(|error| error.to_string())?;
    Ok(Content {
        environment: Arc::new(environment),
        document,
        updated_at: snapshot.updated_at.to_rfc3339(),
        source: Source { kind, says },
    })
}
