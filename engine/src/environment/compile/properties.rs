//! Where conditions find their values.
use hashbrown::HashMap;

use super::context::StaticContext;
use crate::condition::{self, Budget, Node, Property, Query, Room};
use crate::environment::compiled::{Features, Path, Source, offset};
use crate::identity::is_of_cohort;
use crate::python::PyValue;

/// Interns the names of traits and resolves what paths find in the document alone.
pub(super) struct Properties<'c> {
    /// The slot of each trait that is read.
    pub slots: HashMap<Box<str>, u32>,
    /// Whether a path reads the result of a flag.
    pub reads_flags: bool,
    /// Whether a path needs the whole evaluation context for each identity.
    pub reads_context: bool,
    /// By the property's text: a path may hold patterns, and conditions often share it.
    parsed: HashMap<Box<str>, Property>,
    context: &'c StaticContext<'c>,
    features: &'c Features,
}

/// What a condition reads, as far as its segment depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// The result of another flag.
    Flag,
    Environment,
    /// The trait of a cohort.
    Cohort,
    /// Anything else, or nothing that can be known.
    Other,
}

impl Reads {
    fn of(property: &Property) -> Self {
        match property {
            Property::Path(condition::Path::Flags { .. }) => Self::Flag,
            Property::Path(path) if path.reads_environment() => Self::Environment,
            Property::Path(condition::Path::IdentityTrait(name)) | Property::Trait(name)
                if is_of_cohort(name) =>
            {
                Self::Cohort
            }
            Property::Path(_) | Property::Trait(_) => Self::Other,
        }
    }
}

/// Which part of the evaluation context a path needs.
#[derive(Debug, PartialEq, Eq)]
enum Scope {
    /// The document alone: what it finds is known now.
    Document,
    Identity,
    Everything,
}

impl<'c> Properties<'c> {
    pub(super) fn new(context: &'c StaticContext<'c>, features: &'c Features) -> Self {
        Self {
            slots: HashMap::new(),
            reads_flags: false,
            reads_context: false,
            parsed: HashMap::new(),
            context,
            features,
        }
    }

    /// The source that a property names, and what is read there.
    pub(super) fn source(&mut self, property: &str, room: &mut Room) -> (Source, Reads) {
        let parsed = self.parse(property, room);
        let reads = Reads::of(&parsed);
        let source = match parsed {
            Property::Trait(name) => Source::Trait(self.slot(&name)),
            Property::Path(path) => {
                let path = self.path(path, property);
                Source::Path {
                    path,
                    fallback: self.slot(property),
                }
            }
        };
        (source, reads)
    }

    fn parse(&mut self, property: &str, room: &mut Room) -> Property {
        if let Some(parsed) = self.parsed.get(property) {
            return parsed.clone();
        }
        let parsed = Property::parse(property, room);
        if matches!(parsed, Property::Path(_)) {
            self.parsed.insert(property.into(), parsed.clone());
        }
        parsed
    }

    fn slot(&mut self, name: &str) -> u32 {
        let next = offset(self.slots.len());
        *self.slots.entry(name.into()).or_insert(next)
    }

    fn path(&mut self, path: condition::Path, text: &str) -> Path {
        match path {
            condition::Path::IdentityIdentifier => Path::IdentityIdentifier,
            condition::Path::IdentityKey => Path::IdentityKey,
            condition::Path::IdentityTrait(name) => Path::IdentityTrait(self.slot(&name)),
            condition::Path::EnvironmentKey => Path::Constant(self.environment("key")),
            condition::Path::EnvironmentName => Path::Constant(self.environment("name")),
            condition::Path::Flags { name, rest } => {
                self.reads_flags = true;
                Path::Flag {
                    feature: self.features.named(&name),
                    rest,
                }
            }
            condition::Path::General(query) => self.general(query, text),
            condition::Path::Raising => Path::Raising,
        }
    }

    fn environment(&self, name: &str) -> Option<PyValue> {
        self.context.environment().member(name).cloned()
    }

    fn general(&mut self, query: Query, text: &str) -> Path {
        match scope(text) {
            Scope::Document => {
                let budget = Budget::new();
                let found = query.first(Node::Value(self.context.whole()), &budget);
                found.map_or(Path::Raising, |found| Path::Constant(found.cloned()))
            }
            Scope::Identity => Path::Identity(query),
            Scope::Everything => {
                self.reads_context = true;
                Path::Context(query)
            }
        }
    }
}

/// A path that starts with a member of the context stays in it, unless a filter in it starts at the root again.
fn scope(path: &str) -> Scope {
    let Some(rest) = path.strip_prefix("$.").filter(|rest| !rest.contains('$')) else {
        return Scope::Everything;
    };
    match rest.split(['.', '[']).next() {
        Some("identity") => Scope::Identity,
        Some("environment" | "features" | "segments") => Scope::Document,
        _ => Scope::Everything,
    }
}
