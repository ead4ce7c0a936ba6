//! Documents as a configuration names them, without a running proxy.
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use actix_web::web::block;
use actors::environment::{DocumentSnapshot, DocumentSource, EnvironmentOptions, Warnings};
use actors::upstream::{DocumentMemory, FetchFailure, Upstream};
use bytes::Bytes;
use engine::{Document, Environment};
use futures::stream::{self, StreamExt as _};

use super::answer::{Content, Held, Source};
use super::asking::Asking;
use super::environments::{Known, without_name};
use crate::application::upstream_options;
use crate::settings::Settings;

/// So many documents are got at once.
const AT_ONCE: usize = 8;

/// Gets the documents that it takes to find the environment that is meant, and to explain it: all where it is called by its name,
/// which its document has. Needs a running actix `System`.
pub(super) async fn hold(settings: &Settings, asking: &Asking) -> Vec<Held> {
    let memory = DocumentMemory::new(settings.upstream.document_memory);
    let upstream = Upstream::new(&upstream_options(settings, &memory), settings.api_poll_timeout);
    let mut known: Vec<Known> = (1..)
        .zip(&settings.environments)
        .map(|(number, options)| Known {
            // As the EnvironmentActor numbers them at the start.
            id: i32::to_string(&number),
            name: None,
            client_side_key: options.client_side_key.clone(),
        })
        .collect();
    let asked = asking.environment.as_deref();
    let only = asked.and_then(|asked| without_name(&known, asked));
    let got = (0..).zip(&settings.environments).map(|(place, options)| {
        let is_needed = only.is_none_or(|only| only == place);
        let upstream = &upstream;
        async move {
            match is_needed {
                true => get(settings, options, upstream).await,
                false => Err("its document was not read".to_owned()),
            }
        }
    });
    let contents: Vec<_> = stream::iter(got).buffered(AT_ONCE).collect().await;
    for (known, content) in known.iter_mut().zip(&contents) {
        known.name = name(content);
    }
    let held = known.into_iter().zip(contents);
    held.map(|(known, content)| Held { known, content }).collect()
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
        return from_file(path, "file", format!("its document_path, {}", path.display())).await;
    }
    let fetched = match upstream {
        Ok(upstream) => DocumentSnapshot::fetch(upstream, &options.server_side_keys).await,
        Err(failure) => Err(failure.clone()),
    };
    let failure = match fetched {
        Ok(snapshot) => {
            let says = format!("upstream ({})", settings.api_url);
            return compiled(snapshot, "upstream", says).await;
        }
        Err(failure) => failure,
    };
    if let Some(snapshot) = stored(settings, options).await {
        let says = format!("the store (persistence.directory), because upstream gives none: {failure}");
        return compiled(snapshot, "store", says).await;
    }
    if let Some(path) = &options.fallback {
        let file = format!("its fallback_document_path, {}", path.display());
        let says = format!("{file}, because upstream gives none: {failure}");
        let read = from_file(path, "fallback", says).await;
        return read.map_err(|why| format!("{failure}; and {file}: {why}"));
    }
    Err(failure.to_string())
}

/// What was stored of it; `None`: nothing that can be served.
async fn stored(settings: &Settings, options: &EnvironmentOptions) -> Option<DocumentSnapshot> {
    let directory = settings.persistence.directory.clone()?;
    let key = options.client_side_key.clone();
    let read = block(move || DocumentSnapshot::read_stored(&directory, &key));
    read.await.ok().flatten()
}

async fn from_file(path: &Path, kind: &'static str, says: String) -> Result<Content, String> {
    let path = path.to_owned();
    let read = block(move || DocumentSnapshot::read_file(&path).map_err(|failure| failure.to_string()));
    compiled(read.await.map_err(|error| error.to_string())??, kind, says).await
}

/// Compiles a document, on a thread for blocking work: others may be on their way meanwhile.
async fn compiled(snapshot: DocumentSnapshot, kind: &'static str, says: String) -> Result<Content, String> {
    let compiled = block(move || content(snapshot, Source { kind, says }));
    compiled.await.map_err(|error| error.to_string())?
}

fn content(snapshot: DocumentSnapshot, source: Source) -> Result<Content, String> {
    let document = Bytes::from(snapshot.json);
    let read = Document::from_pages(vec![document.clone()]);
    let compiled = read.and_then(|document| Environment::compile(&document));
    let (environment, warnings) = compiled.map_err(|error| error.to_string())?;
    // As the running proxy tells them: each once.
    let warnings: BTreeSet<String> = warnings.iter().map(ToString::to_string).collect();
    Ok(Content {
        // The source says why it is not upstream's.
        standing: None,
        warnings: Warnings {
            count: warnings.len(),
            first: warnings.into_iter().collect(),
        },
        environment: Arc::new(environment),
        document,
        updated_at: snapshot.updated_at.to_rfc3339(),
        source,
    })
}
