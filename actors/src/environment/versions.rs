//! What one environment serves, and under which number: content decides, `updated_at` follows (upstream.md).
use engine::UpdatedAt;

/// Fetches in a row that must give a document older than the one served before it is believed: a lagging worker of
/// upstream gives one now and then, a restored database gives it always.
const LAGGING_FETCHES: u32 = 3;

/// The content that is served and its two `updated_at`. `D` identifies content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Versions<D> {
    current: Option<Current<D>>,
    lagging: Option<Lagging<D>>,
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
        }
    }
}

impl<D: Copy + PartialEq> Versions<D> {
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
            let served = upstream.unwrap_or(now);
            self.current = Some(Current {
                content,
                upstream,
                served,
                is_unsettled: false,
            });
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
            current.served = newer(upstream, current.served, now);
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
        let current = self.current.as_mut().filter(|current| current.is_unsettled)?;
        current.is_unsettled = false;
        current.served = newer(None, current.served, now);
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
            current.served = newer(upstream, current.served, now);
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
mod tests {
    use super::Trust::{Eventual, Immediate};
    use super::Verdict::{Hold, Keep, Restamp, Serve, ServeUnsettled};
    use super::*;

    fn at(second: i64) -> UpdatedAt {
        UpdatedAt::from_micros(second * 1_000_000)
    }

    /// (content, `updated_at`, wall clock) → verdict.
    type Fetch = (char, Option<i64>, i64, Verdict);

    fn play(trust: Trust, fetches: &[Fetch]) -> Versions<char> {
        let mut versions = Versions::default();
        for (number, (content, upstream, now, expected)) in fetches.iter().enumerate() {
            let verdict = versions.consider(*content, upstream.map(at), at(*now), trust);
            assert_eq!(verdict, *expected, "fetch {number} of {fetches:?}");
        }
        versions
    }

    #[test]
    fn content_under_a_moved_number_is_served_under_it() {
        play(
            Eventual,
            &[
                ('a', Some(10), 50, Serve(at(10))),
                ('b', Some(20), 60, Serve(at(20))),
            ],
        );
    }

    #[test]
    fn a_number_moving_alone_is_no_news_but_is_asked_since() {
        let versions = play(
            Eventual,
            &[
                ('a', Some(10), 50, Serve(at(10))),
                ('a', Some(15), 60, Keep),
                ('a', Some(12), 61, Keep),
                ('a', None, 62, Keep),
            ],
        );
        assert_eq!(versions.upstream_updated_at(), Some(at(15)));
        play(
            Eventual,
            &[
                ('a', Some(10), 50, Serve(at(10))),
                ('a', Some(15), 60, Keep),
                ('b', Some(16), 61, Serve(at(16))),
            ],
        );
    }

    #[test]
    fn content_under_an_unmoved_number_is_served_at_once_and_told_with_upstreams_own() {
        let versions = play(
            Eventual,
            &[
                ('a', Some(10), 50, Serve(at(10))),
                ('b', Some(10), 60, ServeUnsettled(at(10))),
                ('b', Some(10), 61, Keep),
                ('b', Some(59), 62, Restamp(at(59))),
                ('b', Some(59), 63, Keep),
            ],
        );
        assert!(!versions.is_unsettled());
        assert_eq!(versions.upstream_updated_at(), Some(at(59)));
    }

    #[test]
    fn waiting_in_vain_gives_now() {
        let fetches = [
            ('a', Some(10), 50, Serve(at(10))),
            ('b', Some(10), 60, ServeUnsettled(at(10))),
        ];
        let mut versions = play(Eventual, &fetches);
        assert!(versions.is_unsettled());
        assert_eq!(versions.settle(at(63)), Some(at(63)));
        assert_eq!(versions.settle(at(64)), None);
        assert_eq!(
            versions.consider('b', Some(at(59)), at(65), Eventual),
            Keep,
            "the served number stays"
        );
        // Upstream's next number is below the one served, which never falls.
        assert_eq!(
            versions.consider('c', Some(at(62)), at(66), Eventual),
            Serve(at(66))
        );
        // A clock that was set back does not pull it down either.
        assert_eq!(
            versions.consider('d', Some(at(63)), at(5), Eventual),
            Serve(at(66).next())
        );
    }

    #[test]
    fn further_content_while_unsettled_is_served_at_once_too() {
        play(
            Eventual,
            &[
                ('a', Some(10), 50, Serve(at(10))),
                ('b', Some(10), 60, ServeUnsettled(at(10))),
                ('c', Some(10), 61, ServeUnsettled(at(10))),
                ('d', Some(60), 62, Serve(at(60))),
            ],
        );
    }

    #[test]
    fn an_older_document_is_believed_when_three_fetches_in_a_row_give_it() {
        let versions = play(
            Eventual,
            &[
                ('b', Some(20), 50, Serve(at(20))),
                ('a', Some(10), 60, Hold),
                ('a', Some(10), 61, Hold),
                ('b', Some(20), 62, Keep),
                ('a', Some(10), 63, Hold),
                ('z', Some(9), 64, Hold),
                ('a', Some(10), 65, Hold),
                ('a', Some(10), 66, Hold),
                ('a', Some(10), 67, Serve(at(67))),
                ('a', Some(10), 68, Keep),
            ],
        );
        assert_eq!(versions.upstream_updated_at(), Some(at(10)));
        assert!(!versions.is_doubtful());
    }

    #[test]
    fn without_a_number_it_is_the_time_first_seen() {
        let versions = play(
            Eventual,
            &[
                ('a', None, 50, Serve(at(50))),
                ('a', None, 60, Keep),
                ('b', None, 70, Serve(at(70))),
            ],
        );
        assert_eq!(versions.upstream_updated_at(), None, "nothing to ask since");
        play(
            Eventual,
            &[('a', None, 50, Serve(at(50))), ('b', Some(20), 60, Serve(at(60)))],
        );
    }

    #[test]
    fn a_file_is_believed_at_once() {
        play(
            Immediate,
            &[
                ('a', Some(10), 50, Serve(at(10))),
                ('b', Some(10), 60, Serve(at(60))),
                ('c', Some(5), 70, Serve(at(70))),
                ('c', Some(80), 90, Keep),
            ],
        );
    }
}
