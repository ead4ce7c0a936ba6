//! What was seen last of each identity, as hashes in a table of a fixed size; pure, and shared by all HTTP workers.
//!
//! A slot is one number, so that no lock is needed: half of it tells whose it is, the other half what was seen. With the place
//! in the table a subject is known by some 49 bits, and a change is taken for none once in 4,000 million times. A subject that
//! finds its places taken drives another one out, which is written once more when it is seen again. The hashes are keyed
//! anew for each process.
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Slots that share a cache line: a subject is in any of them.
const WAYS: usize = 8;

/// What was seen of a subject: a hash, and never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content(u32);

impl Content {
    /// That it is there, and nothing more.
    pub(super) const PRESENCE: Self = Self(1);

    /// From a hash.
    pub(super) fn of(hash: u64) -> Self {
        // The half that is not used to find a place: subjects and contents are hashed apart, but who knows.
        let [.., a, b, c, d] = hash.to_be_bytes();
        Self(u32::from_be_bytes([a, b, c, d]).max(2))
    }
}

/// The table.
pub(super) struct Seen {
    lines: Box<[Line]>,
}

#[repr(align(64))]
#[derive(Default)]
struct Line([AtomicU64; WAYS]);

impl Seen {
    /// With room for this many subjects, rounded up to a power of two; each takes 8 bytes.
    pub(super) fn new(subjects: usize) -> Self {
        let lines = subjects.div_ceil(WAYS).max(1).next_power_of_two();
        Self {
            lines: std::iter::repeat_with(Line::default).take(lines).collect(),
        }
    }

    /// Notes what is seen of a subject; whether that is news. Presence is none where anything was seen before.
    pub(super) fn note(&self, subject: u64, content: Content) -> bool {
        let (line, tag) = self.find(subject);
        let new = slot(tag, content.0);
        let mut free = None;
        for place in &line.0 {
            let held = place.load(Ordering::Relaxed);
            if held == new {
                return false;
            }
            let (held_tag, held_content) = parts(held);
            if held_content == 0 {
                free = free.or(Some(place));
            } else if held_tag == tag {
                if content == Content::PRESENCE {
                    return false;
                }
                place.store(new, Ordering::Relaxed);
                return true;
            }
        }
        // Whom it drives out where none is free depends on what it is, so that no two drive each other out for good.
        let victim = usize::try_from(content.0 ^ tag).unwrap_or(0) % WAYS;
        if let Some(place) = free.or_else(|| line.0.get(victim)) {
            place.store(new, Ordering::Relaxed);
        }
        true
    }

    /// Whether this was noted of a subject last.
    pub(super) fn holds(&self, subject: u64, content: Content) -> bool {
        let (line, tag) = self.find(subject);
        line.0.iter().any(|place| {
            let (held_tag, held_content) = parts(place.load(Ordering::Relaxed));
            held_tag == tag
                && held_content != 0
                && (held_content == content.0 || content == Content::PRESENCE)
        })
    }

    /// Forgets what was noted of a subject, unless something else was noted since: it will be news again.
    pub(super) fn forget(&self, subject: u64, content: Content) {
        let (line, tag) = self.find(subject);
        let noted = slot(tag, content.0);
        for place in &line.0 {
            if place.load(Ordering::Relaxed) == noted {
                // Whoever notes something meanwhile wins.
                let _ = place.compare_exchange(noted, 0, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }

    /// Forgets a subject, whatever was noted of it.
    pub(super) fn forget_subject(&self, subject: u64) {
        let (line, tag) = self.find(subject);
        for place in &line.0 {
            let held = place.load(Ordering::Relaxed);
            if held != 0 && parts(held).0 == tag {
                // What somebody notes meanwhile is newer.
                let _ = place.compare_exchange(held, 0, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }

    fn find(&self, subject: u64) -> (&Line, u32) {
        /// For a table without lines, which there is none of.
        static NONE: Line = Line([const { AtomicU64::new(0) }; WAYS]);
        let [a, b, c, d, tag @ ..] = subject.to_be_bytes();
        let place = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(0);
        let line = self.lines.get(place & (self.lines.len() - 1));
        (line.unwrap_or(&NONE), u32::from_be_bytes(tag))
    }
}

fn slot(tag: u32, content: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(content)
}

fn parts(slot: u64) -> (u32, u32) {
    let [a, b, c, d, content @ ..] = slot.to_be_bytes();
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes(content))
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seen({} slots)", self.lines.len() * WAYS)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher as _;

    use foldhash::quality::RandomState;

    use super::*;

    fn content(number: u32) -> Content {
        Content::of(u64::from(number) + 100)
    }

    #[test]
    fn only_what_changes_is_news() {
        let seen = Seen::new(1_000);
        assert!(seen.note(7, content(1)));
        assert!(!seen.note(7, content(1)));
        assert!(seen.note(8, content(1)), "somebody else's");
        assert!(seen.note(7, content(2)));
        assert!(seen.note(7, content(1)), "it changes back");
        assert!(!seen.note(7, Content::PRESENCE));
        assert!(!seen.note(7, content(1)));
        assert!(seen.note(9, Content::PRESENCE));
        assert!(!seen.note(9, Content::PRESENCE));
        assert!(seen.note(9, content(1)));
        assert!(seen.holds(9, content(1)) && seen.holds(9, Content::PRESENCE));
        assert!(!seen.holds(9, content(2)) && !seen.holds(10, Content::PRESENCE));
    }

    #[test]
    fn what_is_forgotten_is_news_again_unless_it_has_changed() {
        let seen = Seen::new(1_000);
        seen.note(7, content(1));
        seen.forget(7, content(1));
        assert!(!seen.holds(7, Content::PRESENCE));
        assert!(seen.note(7, content(1)));
        seen.note(7, content(2));
        seen.forget(7, content(1));
        assert!(!seen.note(7, content(2)));
        seen.forget_subject(7);
        assert!(seen.note(7, content(2)));
    }

    #[test]
    fn a_table_with_room_forgets_nobody_and_a_full_one_stays_as_large() {
        let (seen, hashes) = (Seen::new(1 << 20), RandomState::default());
        let subject = |number: u32| hashes.hash_one(number);
        for number in 0..100_000 {
            assert!(seen.note(subject(number), content(number)));
        }
        let forgotten = (0..100_000).filter(|number| seen.note(subject(*number), content(*number)));
        assert_eq!(forgotten.count(), 0);

        let small = Seen::new(1_000);
        assert_eq!(small.lines.len() * WAYS, 1_024);
        for number in 0..100_000 {
            small.note(subject(number), content(number));
        }
        let known = (0..100_000).filter(|number| small.holds(subject(*number), content(*number)));
        assert!((500..=1_024).contains(&known.count()));
    }

    #[test]
    fn workers_share_it() {
        let (seen, hashes) = (Seen::new(1 << 16), RandomState::default());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..5_000_u32 {
                        seen.note(hashes.hash_one(number), content(number));
                    }
                });
            }
        });
        assert!((0..5_000_u32).all(|number| !seen.note(hashes.hash_one(number), content(number))));
    }
}
