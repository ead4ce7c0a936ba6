//! Comparison of documents by content.
//!
//! Equal content may come in different bytes: `identity_uuid` is random on every fetch, `updated_at` moves after the
//! content, and nobody promises an order of members. So this brings the content into a canonical form and hashes that.
use std::fmt;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::cursor::{Cursor, decode};
use super::{Document, DocumentError};

/// No real document nests deeper than its segments' rules (some ten levels).
const DEEPEST_NESTING: usize = 128;

/// Identifies a document's content; equal for two fetches that differ in `updated_at` and `identity_uuid` alone.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ContentDigest([u8; 32]);

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The digest of a document whose pages are valid JSON.
pub(super) fn of(document: &Document) -> Result<ContentDigest, DocumentError> {
    let mut members: Vec<_> = document
        .members()
        .filter(|(name, _)| !matches!(*name, "updated_at" | "identity_overrides"))
        .collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    let mut canonical = Canonical::default();
    let mut content = Sha256::new();
    for (name, value) in members {
        canonical.push_string(name.as_bytes());
        canonical.value(&mut Cursor::new(value), DEEPEST_NESTING)?;
        content.update(&canonical.out);
        canonical.out.clear();
    }
    let mut identity_overrides = Sha256::new();
    for list in document.identity_overrides() {
        canonical.elements(
            &mut Cursor::new(list),
            DEEPEST_NESTING,
            Some(b"identity_uuid"),
            &mut identity_overrides,
        )?;
    }
    content.update(identity_overrides.finalize());
    Ok(ContentDigest(content.finalize().into()))
}

/// The canonical form under construction. Every value starts with a tag and strings carry their length, so that two
/// different contents never have one form; a list stands as the hash of its elements, which keeps the form short.
#[derive(Default)]
struct Canonical {
    out: Vec<u8>,
    /// The members of the objects being read, innermost last.
    members: Vec<MemberForm>,
    /// Where members are brought into order.
    sorted: Vec<u8>,
}

/// Where in the form a member is.
#[derive(Clone)]
struct MemberForm {
    name: Range<usize>,
    end: usize,
}

impl Canonical {
    fn value(&mut self, json: &mut Cursor<'_>, depth: usize) -> Result<(), DocumentError> {
        match json.peek()? {
            b'{' => self.object(json, depth, None),
            b'[' => self.list(json, depth),
            b'"' => {
                let literal = json.string()?;
                self.push_literal(literal);
                Ok(())
            }
            _ => {
                // Numbers count by their text: 1.0 and 1 are not the same to every reader.
                let text = json.plain();
                self.push_text(b'p', text);
                Ok(())
            }
        }
    }

    fn list(&mut self, json: &mut Cursor<'_>, depth: usize) -> Result<(), DocumentError> {
        let mut elements = Sha256::new();
        let any = self.elements(json, depth, None, &mut elements)?;
        self.out.push(if any { b'[' } else { b'0' });
        if any {
            self.out.extend_from_slice(&elements.finalize());
        }
        Ok(())
    }

    /// Hashes a list's elements; of those that are objects one member may be left out. Tells whether there were any.
    fn elements(
        &mut self,
        json: &mut Cursor<'_>,
        depth: usize,
        leave_out: Option<&[u8]>,
        hash: &mut Sha256,
    ) -> Result<bool, DocumentError> {
        let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
        json.step();
        let start = self.out.len();
        let mut any = false;
        while json.more(b']')? {
            any = true;
            match json.peek()? {
                b'{' => self.object(json, depth, leave_out)?,
                _ => self.value(json, depth)?,
            }
            hash.update(self.out.get(start..).unwrap_or_default());
            self.out.truncate(start);
        }
        Ok(any)
    }

    fn object(
        &mut self,
        json: &mut Cursor<'_>,
        depth: usize,
        leave_out: Option<&[u8]>,
    ) -> Result<(), DocumentError> {
        let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
        json.step();
        self.out.push(b'{');
        let (start, outer) = (self.out.len(), self.members.len());
        while json.more(b'}')? {
            let member = self.out.len();
            let literal = json.string()?;
            self.push_literal(literal);
            let name = member..self.out.len();
            json.colon()?;
            self.value(json, depth)?;
            if leave_out.is_some() && self.out.get(member + NAME_PREFIX..name.end) == leave_out {
                self.out.truncate(member);
            } else {
                self.members.push(MemberForm {
                    name,
                    end: self.out.len(),
                });
            }
        }
        self.sort_members(start, outer);
        self.members.truncate(outer);
        self.out.push(b'}');
        Ok(())
    }

    /// Brings the innermost object's members into the order of their names; the last of duplicates stays.
    fn sort_members(&mut self, start: usize, outer: usize) {
        let Self { out, members, sorted } = self;
        let members = members.get_mut(outer..).unwrap_or_default();
        let name = |member: &MemberForm| out.get(member.name.clone()).unwrap_or_default();
        if members.is_sorted_by(|left, right| name(left) < name(right)) {
            return;
        }
        members.sort_by(|left, right| name(left).cmp(name(right)));
        sorted.clear();
        for (index, member) in members.iter().enumerate() {
            let last = members
                .get(index + 1)
                .is_none_or(|next| name(next) != name(member));
            if last {
                sorted.extend_from_slice(out.get(member.name.start..member.end).unwrap_or_default());
            }
        }
        out.truncate(start);
        out.extend_from_slice(sorted);
    }

    /// A string literal, in its decoded form.
    fn push_literal(&mut self, literal: &[u8]) {
        if memchr::memchr(b'\\', literal).is_none() {
            self.push_string(literal);
        } else {
            let decoded = decode(literal);
            self.push_string(&decoded);
        }
    }

    fn push_string(&mut self, text: &[u8]) {
        self.push_text(b's', text);
    }

    fn push_text(&mut self, tag: u8, text: &[u8]) {
        self.out.push(tag);
        self.out.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.out.extend_from_slice(text);
    }
}

/// The tag and the length before a name's text.
const NAME_PREFIX: usize = 1 + size_of::<u64>();

fn too_deep() -> DocumentError {
    DocumentError::NotJson(format!("it is nested more than {DEEPEST_NESTING} levels deep"))
}
