//! From a question and the environments that are held to an explanation.
use std::fmt;
use std::sync::Arc;

use actors::environment::Warnings;
use bytes::Bytes;
use engine::explain::{ExplainError, Explanation, Question};
use engine::{Document, Environment, Identity, IdentityError};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::asking::{Asking, read_identity};
use super::environments::{Known, NoneMeant, meant};

/// More environments that override an identity are not named.
const MOST_ELSEWHERE: usize = 10;

/// More warnings about a document are counted.
const MOST_WARNINGS: usize = 3;

/// An environment that may be asked about.
pub(crate) struct Held {
    pub known: Known,
    /// What there is of it, or why there is nothing.
    pub content: Result<Content, String>,
}

/// What is explained.
#[derive(Clone)]
pub(crate) struct Content {
    pub environment: Arc<Environment>,
    /// The document that it was compiled from, or that is served of it.
    pub document: Bytes,
    /// When the document changed, RFC 3339.
    pub updated_at: String,
    /// What is wrong with it beside, as health has it; `None`: nothing that is known.
    pub standing: Option<String>,
    /// What of it could not be understood, and so may be why.
    pub warnings: Warnings,
    pub source: Source,
}

/// Where a document comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Source {
    /// `running_proxy`, `upstream`, `file`, `store` or `fallback`.
    pub kind: &'static str,
    /// The same in words.
    pub says: String,
}

/// An explanation, and what it was made from.
#[derive(Serialize)]
pub(crate) struct Answer {
    /// The environment's id, as logs have it.
    environment_id: String,
    source: Source,
    document_updated_at: String,
    /// Other environments that have overrides of the same identity, which do not count here: their ids and names.
    overridden_elsewhere: Vec<String>,
    #[serde(flatten)]
    explanation: Explanation,
}

/// Why nothing is explained. Displays as one line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// None is meant. Beside it, where a document would name another one: the first environment without, its label and why.
    Environment(NoneMeant, Option<(String, String)>),
    /// The environment has no document: its label, and why.
    NoDocument(String, String),
    Identity(IdentityError),
    Feature(ExplainError),
    Document(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(none, None) => none.fmt(f),
            Self::Environment(none, Some((label, why))) => write!(f, "{none}; environment {label}: {why}"),
            Self::NoDocument(label, why) => write!(f, "environment {label}: {why}"),
            Self::Identity(error) => error.fmt(f),
            Self::Feature(error) => error.fmt(f),
            Self::Document(error) => write!(f, "the document cannot be read: {error}"),
        }
    }
}

impl Refusal {
    /// No environment is meant. Where none has a document, which would name it, that is why.
    fn of_environment(none: NoneMeant, known: &[Known], contents: &[Result<Content, String>]) -> Self {
        let mut nameless = known
            .iter()
            .zip(contents)
            .filter_map(|(known, content)| Some((known.label(), content.as_ref().err()?.clone())));
        match nameless.next() {
            Some((label, why)) if none.is_unknown() && contents.iter().all(Result::is_err) => {
                Self::NoDocument(label, why)
            }
            first => {
                let first = first.filter(|_| none.may_lack_a_name());
                Self::Environment(none, first)
            }
        }
    }

    /// What of the question cannot be answered, in a word for tools.
    pub(crate) fn about(&self) -> &'static str {
        match self {
            Self::Environment(..) => "environment",
            Self::NoDocument(..) | Self::Document(_) => "document",
            Self::Identity(_) => "identity",
            Self::Feature(_) => "feature",
        }
    }
}

/// Explains what is asked. Blocks, as long as the document takes to be read and some tenths of a second beside.
pub(crate) fn explain(asking: &Asking, held: Vec<Held>) -> Result<Answer, Refusal> {
    let (known, contents): (Vec<Known>, Vec<_>) =
        held.into_iter().map(|held| (held.known, held.content)).unzip();
    let place = meant(&known, asking.environment.as_deref())
        .map_err(|none| Refusal::of_environment(none, &known, &contents))?;
    let label = known.get(place).map(Known::label).unwrap_or_default();
    let content = match contents.get(place) {
        Some(Ok(content)) => content,
        Some(Err(why)) => return Err(Refusal::NoDocument(label, why.clone())),
        None => return Err(Refusal::NoDocument(label, String::new())),
    };
    let body = asking.identity_body();
    let identity = body.as_deref().map(read_identity).transpose();
    let identity = identity.map_err(Refusal::Identity)?;
    let document = Document::from_pages(vec![content.document.clone()]);
    let document = document.map_err(|error| Refusal::Document(error.to_string()))?;
    let question = Question {
        kind: asking.kind(),
        identity: identity.as_ref(),
        feature: asking.feature.as_deref(),
    };
    let mut explanation = content
        .environment
        .explain(&document, question)
        .map_err(Refusal::Feature)?;
    let notes = &mut explanation.notes;
    notes.extend(content.standing.clone());
    notes.extend(note_on_warnings(&content.warnings));
    notes.extend(note_on_blanks(asking, identity.as_ref()));
    let elsewhere = match &identity {
        Some(identity) if !identity.is_transient() => {
            overridden_elsewhere(identity.identifier(), place, &known, &contents)
        }
        _ => Vec::new(),
    };
    if !elsewhere.is_empty() {
        explanation.notes.push(format!(
            "this identity has overrides in environment {}, which do not count here",
            elsewhere.join(", ")
        ));
    }
    Ok(Answer {
        environment_id: known.get(place).map(|known| known.id.clone()).unwrap_or_default(),
        source: content.source.clone(),
        document_updated_at: content.updated_at.clone(),
        overridden_elsewhere: elsewhere,
        explanation,
    })
}

/// What of the document does not count, or not as in Flagsmith: an override that cannot be read is as if it were not there.
fn note_on_warnings(warnings: &Warnings) -> Option<String> {
    let told: Vec<&str> = warnings
        .first
        .iter()
        .take(MOST_WARNINGS)
        .map(String::as_str)
        .collect();
    let more = match warnings.count.saturating_sub(told.len()) {
        0 => String::new(),
        more => format!(" (and {more} more, which edge-proxy doctor counts and the log names)"),
    };
    (warnings.count > 0).then(|| format!("of the document it is warned: {}{more}", told.join(" | ")))
}

/// That the identifier was taken without the blanks around it. Logs and dashboards do not show them, and whoever looks for an
/// override that is "ignored" may have found why.
fn note_on_blanks(asking: &Asking, identity: Option<&Identity<'_>>) -> Option<String> {
    let sent = asking.identifier.as_deref()?;
    // An empty one has none to lose, and another is made for it.
    let has_lost_some = !sent.is_empty() && sent != identity?.identifier();
    has_lost_some.then(|| {
        "the identifier came with blanks around it, which do not count here, nor in POST identities/; in GET identities/ they do: \
         it answers to another identity then"
            .to_owned()
    })
}

/// The other environments in which an identity has overrides.
fn overridden_elsewhere(
    identifier: &str,
    own: usize,
    known: &[Known],
    contents: &[Result<Content, String>],
) -> Vec<String> {
    let others = known.iter().zip(contents).enumerate();
    others
        .filter(|(place, _)| *place != own)
        .filter_map(|(_, (known, content))| Some((known, content.as_ref().ok()?)))
        .filter(|(_, content)| !content.environment.features_overridden_for(identifier).is_empty())
        .map(|(known, _)| known.label())
        .take(MOST_ELSEWHERE)
        .collect()
}

/// What the first line of an explanation in text has at its start, and within.
const FIRST_LINE: (&str, &str) = ("environment ", ", its document of ");

/// Whether this is an explanation, as it is printed: whatever listens at an address may answer something.
pub(super) fn is_explanation(answer: &[u8], as_json: bool) -> bool {
    /// What tells it from other JSON.
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "it is enough that the members are there")]
    struct Marks {
        environment_id: String,
        document_updated_at: String,
        features: IgnoredAny,
        segments: IgnoredAny,
    }
    if as_json {
        return serde_json::from_slice::<Marks>(answer).is_ok();
    }
    let Ok(text) = std::str::from_utf8(answer) else {
        return false;
    };
    let (start, within) = FIRST_LINE;
    let first = text.lines().next().unwrap_or_default();
    let moves_the_cursor = |character: char| character.is_control() && character != '\n';
    first.starts_with(start) && first.contains(within) && !text.contains(moves_the_cursor)
}

impl Answer {
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        json
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, within) = FIRST_LINE;
        writeln!(
            f,
            "{start}{}{within}{}, from {}",
            self.environment_id, self.document_updated_at, self.source.says
        )?;
        self.explanation.fmt(f)
    }
}
