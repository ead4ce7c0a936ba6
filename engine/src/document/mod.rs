//! One fetched environment document: checked, its pages merged, compared by content, served.
mod cursor;
mod digest;
mod error;
mod facts;
mod members;
mod outline;
pub(crate) mod parts;
mod served;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::UpdatedAt;
use crate::json::{Kind, Members, decode_string};

pub use digest::ContentDigest;
pub use error::DocumentError;
pub(crate) use outline::Outline;

/// Far beyond any real document (50 MB happens); keeps every offset within it below 32 bits.
const LARGEST_DOCUMENT_BYTES: usize = 1 << 30;

/// A fetched environment document, checked and its pages merged, but not compiled.
///
/// It holds the pages' text and the places of its members, so that fields that the engine does not know stay as they came.
pub struct Document {
    pages: Vec<String>,
    /// The top-level members of the first page. The last value of a name counts, at the place of the first.
    members: Vec<Member>,
    /// The lists of identity overrides: the document's own, then those of the later pages.
    identity_overrides: Vec<Place>,
    content: ContentDigest,
}

/// A top-level member of the document.
struct Member {
    name: String,
    value: Range<usize>,
}

/// Where in the pages a value is.
struct Place {
    page: usize,
    value: Range<usize>,
}

impl Document {
    /// Reads the pages of one fetch: the first is the document, the later ones add identity overrides.
    ///
    /// # Errors
    /// Where a page is not JSON, or no environment document: a load-bearing field is missing or of a wrong type.
    pub fn from_pages(pages: Vec<Bytes>) -> Result<Self, DocumentError> {
        if pages.iter().map(Bytes::len).sum::<usize>() > LARGEST_DOCUMENT_BYTES {
            return Err(DocumentError::NotADocument("it is larger than 1 GiB".to_owned()));
        }
        let pages = pages
            .into_iter()
            .map(page_text)
            .collect::<Result<Vec<String>, _>>()?;
        let members = pages.first().map_or(Ok(Vec::new()), |page| read_members(page))?;
        let mut document = Self {
            members,
            identity_overrides: Vec::new(),
            content: ContentDigest::default(),
            pages,
        };
        Outline::read(&document)?;
        document.identity_overrides = document.find_identity_overrides()?;
        document.content = digest::of(&document)?;
        Ok(document)
    }

    /// The document's own `updated_at`; `None` where missing or unreadable.
    pub fn updated_at(&self) -> Option<UpdatedAt> {
        UpdatedAt::parse(&decode_string(self.member("updated_at")?)?)
    }

    /// The client-side key that the document names, `api_key`. Never for a log.
    pub fn client_side_key(&self) -> Option<Cow<'_, str>> {
        decode_string(self.member("api_key")?)
    }

    /// What the document says, for comparison: equal where two documents differ in `updated_at`, in the random
    /// `identity_uuid` of identity overrides, in the order of members, in blanks, or in how they are paged alone.
    pub fn content(&self) -> ContentDigest {
        self.content
    }

    /// The document as it is served: every field kept as it came, save insignificant blanks; `updated_at` replaced,
    /// the identity overrides of all pages in one list (always a list: Java's SDK fails on null).
    pub fn to_json(&self, served: UpdatedAt) -> Vec<u8> {
        served::to_json(self, served)
    }

    /// The JSON text of a top-level member.
    fn member(&self, name: &str) -> Option<&str> {
        let member = self.members.iter().find(|member| member.name == name)?;
        self.pages.first()?.get(member.value.clone())
    }

    /// The top-level members with their JSON text, in the document's order.
    fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        let first = self.pages.first().map_or("", String::as_str);
        self.members
            .iter()
            .filter_map(move |member| Some((member.name.as_str(), first.get(member.value.clone())?)))
    }

    /// The JSON texts of all lists of identity overrides.
    pub(crate) fn identity_overrides(&self) -> impl Iterator<Item = &str> {
        self.identity_overrides
            .iter()
            .filter_map(|place| self.pages.get(place.page)?.get(place.value.clone()))
    }

    fn find_identity_overrides(&self) -> Result<Vec<Place>, DocumentError> {
        let mut places = Vec::new();
        if let Some(own) = self
            .members
            .iter()
            .find(|member| member.name == "identity_overrides")
        {
            places.push(Place {
                page: 0,
                value: own.value.clone(),
            });
        }
        for (page, text) in self.pages.iter().enumerate().skip(1) {
            let members = read_members(text)?;
            let own = members
                .into_iter()
                .find(|member| member.name == "identity_overrides");
            places.extend(own.map(|member| Place {
                page,
                value: member.value,
            }));
        }
        let mut lists = Vec::with_capacity(places.len());
        for place in places {
            let text = self
                .pages
                .get(place.page)
                .and_then(|page| page.get(place.value.clone()))
                .unwrap_or("null");
            match Kind::of(text) {
                Kind::List => lists.push(place),
                Kind::Null => {}
                _ => return Err(DocumentError::wrong_type("identity_overrides", "a list")),
            }
        }
        Ok(lists)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text holds keys, identifiers and values.
        f.debug_struct("Document")
            .field("pages", &self.pages.len())
            .field("content", &self.content)
            .finish()
    }
}

/// Takes a page's bytes as text, without a copy where nobody else holds them.
fn page_text(page: Bytes) -> Result<String, DocumentError> {
    String::from_utf8(Vec::from(page)).map_err(|_| DocumentError::NotJson("it is not UTF-8".to_owned()))
}

/// Checks that a page is a JSON object and finds its members; of duplicate names the last value counts.
fn read_members(page: &str) -> Result<Vec<Member>, DocumentError> {
    let Members(found) = serde_json::from_str(page).map_err(|error| DocumentError::from_serde(&error))?;
    let mut places = std::collections::HashMap::with_capacity(found.len());
    let mut members: Vec<Member> = Vec::with_capacity(found.len());
    for (name, value) in found {
        let value = range_within(page, value);
        let place = *places.entry(name.clone()).or_insert(members.len());
        match members.get_mut(place) {
            Some(member) => member.value = value,
            None => members.push(Member {
                name: name.into_owned(),
                value,
            }),
        }
    }
    Ok(members)
}

/// Where a value borrowed from the page is in it.
fn range_within(page: &str, value: &RawValue) -> Range<usize> {
    let start = (value.get().as_ptr() as usize).saturating_sub(page.as_ptr() as usize);
    start..start + value.get().len()
}
