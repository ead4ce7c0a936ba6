//! Texts that recur in answers at places which are only known when an answer is put together.
use hashbrown::HashMap;

use super::tokens::LONGEST;

/// Shorter ones cost about what their letters do.
const SHORTEST: usize = 4;

/// A text that recurs in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PhraseId(u32);

/// No phrase: an empty text.
impl Default for PhraseId {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl PhraseId {
    pub(super) fn place(self) -> usize {
        self.0 as usize
    }
}

/// A text that recurs in answers, and the phrases that it starts and ends with: they are of use where it is new and they are not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phrase<'p> {
    pub text: &'p [u8],
    pub first: Option<PhraseId>,
    pub last: Option<PhraseId>,
}

/// A phrase that is known, as far as it takes to repeat it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub length: usize,
    pub first: Option<PhraseId>,
    /// The phrase that it ends with, and where that starts in it.
    pub last: Option<(PhraseId, usize)>,
}

/// The phrases of an environment.
#[derive(Debug, Default)]
pub(crate) struct Phrases {
    text: Vec<u8>,
    list: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    start: u32,
    end: u32,
    first: Option<PhraseId>,
    last: Option<PhraseId>,
    /// Where the phrase that it ends with starts in it.
    last_start: u32,
}

/// Collects phrases, each once.
#[derive(Debug, Default)]
pub(crate) struct PhraseCollector {
    phrases: Phrases,
    known: HashMap<Box<[u8]>, PhraseId>,
}

impl PhraseCollector {
    /// Adds a phrase. `None`: it is too short or too long to be one.
    pub(crate) fn add(&mut self, phrase: Phrase<'_>) -> Option<PhraseId> {
        let Phrase { text, first, last } = phrase;
        if let Some(id) = self.known.get(text) {
            return Some(*id);
        }
        if !(SHORTEST..=LONGEST).contains(&text.len()) {
            return None;
        }
        let Phrases { text: all, list } = &mut self.phrases;
        let id = PhraseId(u32::try_from(list.len()).ok()?);
        let start = u32::try_from(all.len()).ok()?;
        all.extend_from_slice(text);
        let end = u32::try_from(all.len()).ok()?;
        let length_of = |id: PhraseId| list.get(id.place()).map_or(0, |entry| entry.end - entry.start);
        let last_start = (end - start).saturating_sub(last.map_or(0, length_of));
        list.push(Entry {
            start,
            end,
            first,
            last,
            last_start,
        });
        self.known.insert(text.into(), id);
        Some(id)
    }

    pub(crate) fn text(&self, id: PhraseId) -> &[u8] {
        self.phrases.text(id)
    }

    /// Adds a phrase without others in it.
    pub(crate) fn add_text(&mut self, text: &[u8]) -> Option<PhraseId> {
        let (first, last) = (None, None);
        self.add(Phrase { text, first, last })
    }

    pub(crate) fn finish(mut self) -> Phrases {
        self.phrases.text.shrink_to_fit();
        self.phrases.list.shrink_to_fit();
        self.phrases
    }
}

impl Phrases {
    #[inline]
    pub(crate) fn get(&self, id: PhraseId) -> Phrase<'_> {
        let Some(entry) = self.list.get(id.place()) else {
            return Phrase {
                text: &[],
                first: None,
                last: None,
            };
        };
        let text = self.text.get(entry.start as usize..entry.end as usize);
        Phrase {
            text: text.unwrap_or_default(),
            first: entry.first,
            last: entry.last,
        }
    }

    /// What it takes to repeat a phrase. `None`: there is no such phrase.
    #[inline]
    pub(super) fn known(&self, id: PhraseId) -> Option<Known> {
        let entry = self.list.get(id.place())?;
        Some(Known {
            length: (entry.end - entry.start) as usize,
            first: entry.first,
            last: entry.last.map(|last| (last, entry.last_start as usize)),
        })
    }

    pub(crate) fn text(&self, id: PhraseId) -> &[u8] {
        self.get(id).text
    }

    /// The texts of all.
    pub(super) fn all_text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// How many bytes of memory they take beside the struct.
    pub(super) fn memory(&self) -> usize {
        self.text.len() + size_of_val(&*self.list)
    }
}
