//! What one environment serves, and under which number: content decides, `updated_at` follows (upstream.md).
use engine::UpdatedAt;

mod floor;

pub(super) use floor::Floor;

/// Fetches in a row that must give a document older than the one served before it is believed: a lagging worker of
/// upstream gives one now and then, a restored database gives it always.
const LAGGING_FETCHES: u32 = 3;

/// The content that is served and its two `updated_at`. `D` identifies content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Versions<D> {
    current: Option<Current<D>>,
    lagging: Option<Lagging<D>>,
    /// What clients may know already: nothing is served under a number below it.
    floor: Option<Floor<D>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Current<D> {
    content: D,
    /// As upstream gave it; `None` where missing or unreadable.
    upstream: Option<UpdatedAt>,
    /// Header, event, served document. Never falls.
    served: UpdatedAt,
    /// New content came under an unmoved `updated_at` and is served under the old number, untold, until upstream's
    /// own number is known or waited for in vain.
    is_unsettled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lagging<D> {
    content: D,
    fetches: u32,
}

/// What a restart must know of the content that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<D> {
    pub(super) content: D,
    pub(super) upstream: Option<UpdatedAt>,
    pub(super) served: UpdatedAt,
    pub(super) is_unsettled: bool,
}

/// What to do with a fetched document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its content is served already, under the right number.
    Keep,
    /// A lagging worker's: not believed yet.
    Hold,
    /// Serve it under this number and tell.
    Serve(UpdatedAt),
    /// Serve it under the number served so far and do not tell yet: upstream's own number may follow.
    ServeUnsettled(UpdatedAt),
    /// Its content is served already; serve it under this number and tell.
    Restamp(UpdatedAt),
}

/// How a source gives documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Many workers with caches: `updated_at` may follow the content, and a worker may lag.
    Eventual,
    /// One file: what it says now is so.
    Immediate,
}

impl<D> Default for Versions<D> {
    fn default() -> Self {
        Self {
            current: None,
            lagging: None,
            floor: None,
        }
    }
}

impl<D: Copy + PartialEq> Versions<D> {
    /// Content that is served and was not considered here: it was stored, or came from another source. `upstream` is the
    /// number that the source asked from now on gave it; `None`: not known, so that the next document it gives is fetched
    /// unconditionally and not taken for a lagging one.
    pub(super) fn assigned(content: D, upstream: Option<UpdatedAt>, served: UpdatedAt) -> Self {
        Self {
            current: Some(Current {
                content,
                upstream,
                served,
                is_unsettled: false,
            }),
            ..Self::default()
        }
    }

    /// Content that no source gave, with its own number or one above that which is `served` until now.
    pub(super) fn fallback(
        content: D,
        own: Option<UpdatedAt>,
        served: Option<UpdatedAt>,
        now: UpdatedAt,
    ) -> Self {
        let number = match served {
            Some(served) => newer(own, served, now),
            None => own.unwrap_or(now),
        };
        // Whatever upstream gives takes its place.
        Self::assigned(content, None, number)
    }

    /// Content that was stored, for the source that gave it.
    pub(super) fn of_record(record: Record<D>) -> Self {
        let Record {
            content,
            upstream,
            served,
            is_unsettled,
        } = record;
        Self {
            current: Some(Current {
                content,
                upstream,
                served,
                is_unsettled,
            }),
            ..Self::default()
        }
    }

    /// What is to be stored of it; `None`: nothing is served.
    pub(super) fn record(&self) -> Option<Record<D>> {
        let Current {
            content,
            upstream,
            served,
            is_unsettled,
        } = self.current?;
        Some(Record {
            content,
            upstream,
            served,
            is_unsettled,
        })
    }

    /// The same content, for another source, whose number for it is not known.
    pub(super) fn of_another_source(self) -> Self {
        self.current
            .map_or(Self::default().above_floor_of(&self), |current| {
                Self::assigned(current.content, None, current.served).above_floor_of(&self)
            })
    }

    /// Makes `If-Modified-Since` and is compared with announced changes.
    pub(super) fn upstream_updated_at(&self) -> Option<UpdatedAt> {
        self.current.as_ref()?.upstream
    }

    /// Whether content is served whose number is not settled.
    pub(super) fn is_unsettled(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.is_unsettled)
    }

    /// Whether an older document was seen that more fetches must confirm: a conditional one could not.
    pub(super) fn is_doubtful(&self) -> bool {
        self.lagging.is_some()
    }

    /// Decides about a fetched document; `now` is the wall clock.
    pub(super) fn consider(
        &mut self,
        content: D,
        upstream: Option<UpdatedAt>,
        now: UpdatedAt,
        trust: Trust,
    ) -> Verdict {
        let Some(mut current) = self.current else {
            let served = self.above_floor(content, upstream.unwrap_or(now), now);
            *self = Self::assigned(content, upstream, served).above_floor_of(self);
            return Verdict::Serve(served);
        };
        if current.content == content {
            self.lagging = None;
            return self.consider_same(current, upstream, now);
        }
        let is_older = matches!((upstream, current.upstream), (Some(given), Some(known)) if given < known);
        if is_older && trust == Trust::Eventual && !self.is_confirmed(content) {
            return Verdict::Hold;
        }
        self.lagging = None;
        let is_unmoved = upstream.is_some() && upstream == current.upstream;
        current.content = content;
        current.upstream = upstream;
        current.is_unsettled = is_unmoved && trust == Trust::Eventual;
        if !current.is_unsettled {
            let number = newer(upstream, current.served, now);
            current.served = self.above_floor(content, number, now);
        }
        self.current = Some(current);
        if current.is_unsettled {
            Verdict::ServeUnsettled(current.served)
        } else {
            Verdict::Serve(current.served)
        }
    }

    /// Upstream's own number was waited for in vain: gives the one to serve under instead, and tell.
    pub(super) fn settle(&mut self, now: UpdatedAt) -> Option<UpdatedAt> {
        let mut current = self.current.filter(|current| current.is_unsettled)?;
        let number = newer(None, current.served, now);
        current.served = self.above_floor(current.content, number, now);
        current.is_unsettled = false;
        self.current = Some(current);
        Some(current.served)
    }

    fn consider_same(
        &mut self,
        mut current: Current<D>,
        upstream: Option<UpdatedAt>,
        now: UpdatedAt,
    ) -> Verdict {
        let is_moved = upstream > current.upstream;
        // A lagging worker's older number is not taken back to: asking since then would give the same body again.
        current.upstream = current.upstream.max(upstream);
        let is_settled_now = current.is_unsettled && is_moved;
        if is_settled_now {
            current.is_unsettled = false;
            let number = newer(upstream, current.served, now);
            current.served = self.above_floor(current.content, number, now);
        }
        self.current = Some(current);
        if is_settled_now {
            Verdict::Restamp(current.served)
        } else {
            Verdict::Keep
        }
    }

    fn is_confirmed(&mut self, content: D) -> bool {
        let before = self
            .lagging
            .filter(|lagging| lagging.content == content)
            .map_or(0, |lagging| lagging.fetches);
        let fetches = before + 1;
        self.lagging = Some(Lagging { content, fetches });
        fetches >= LAGGING_FETCHES
    }
}

/// Upstream's number where it is above the one served, else one that is: the served number never falls, and clients
/// refetch only for a newer one.
fn newer(upstream: Option<UpdatedAt>, served: UpdatedAt, now: UpdatedAt) -> UpdatedAt {
    match upstream {
        Some(upstream) if upstream > served => upstream,
        _ => now.max(served.next()),
    }
}

#[cfg(test)]
mod tests;
