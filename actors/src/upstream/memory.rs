//! The memory that all documents together may take while they are fetched and applied.
//!
//! Every document claims what it takes, as it grows. Claims share one half of the budget; the oldest of them has the other
//! half for itself, so that one always gets on, finishes, and makes room. A document may hence take half of the budget.
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The default of `upstream.document_memory_bytes`: documents of 50 MB, two at a time, and small ones beside them.
pub const DOCUMENT_MEMORY_BYTES: usize = 512 * 1024 * 1024;

/// A budget in bytes; clones share it.
#[derive(Debug, Clone)]
pub struct DocumentMemory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes: AtomicUsize,
    claims: Mutex<Claims>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Claims {
    /// What each claim holds, the oldest first.
    held: BTreeMap<u64, usize>,
    used: usize,
    last: u64,
}

/// The document takes more than a document may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuch;

/// What one document takes; given back when this is dropped.
#[derive(Debug)]
pub struct Claim {
    shared: Arc<Shared>,
    /// `None`: it has taken nothing yet.
    number: Option<u64>,
}

impl DocumentMemory {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                bytes: AtomicUsize::new(bytes),
                claims: Mutex::default(),
                freed: Notify::new(),
            }),
        }
    }

    /// From now on it has so many bytes. What is taken stays, though it be more.
    pub fn resize(&self, bytes: usize) {
        self.shared.bytes.store(bytes, Ordering::SeqCst);
        self.shared.freed.notify_waiters();
    }

    /// A claim that holds nothing yet.
    pub(crate) fn claim(&self) -> Claim {
        Claim {
            shared: Arc::clone(&self.shared),
            number: None,
        }
    }
}

impl Default for DocumentMemory {
    fn default() -> Self {
        Self::new(DOCUMENT_MEMORY_BYTES)
    }
}

impl Shared {
    fn claims(&self) -> MutexGuard<'_, Claims> {
        // Every change under the lock is whole before the next can panic.
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claims {
    /// Whether this claim may take so many bytes more now; `half` of the budget is what it may take in all.
    fn take(&mut self, number: u64, bytes: usize, half: usize) -> Result<bool, TooMuch> {
        let held = self.held.get(&number).copied().unwrap_or(0);
        let wanted = held.saturating_add(bytes);
        if wanted > half {
            return Err(TooMuch);
        }
        let oldest = self.held.first_key_value().map(|(oldest, held)| (*oldest, *held));
        let may = match oldest {
            None => true,
            Some((oldest, _)) if oldest == number => true,
            // What the oldest holds comes from its own half.
            Some((_, of_oldest)) => self.used.saturating_sub(of_oldest).saturating_add(bytes) <= half,
        };
        if may {
            self.held.insert(number, wanted);
            self.used = self.used.saturating_add(bytes);
        }
        Ok(may)
    }
}

impl Claim {
    /// Takes so many bytes more; waits until there is room.
    ///
    /// # Errors
    /// Where a document may not take so much at all.
    pub(crate) async fn grow(&mut self, bytes: usize) -> Result<(), TooMuch> {
        let shared = Arc::clone(&self.shared);
        loop {
            let mut freed = pin!(shared.freed.notified());
            // Before the look, so that no end of a claim is missed.
            freed.as_mut().enable();
            if self.try_grow(bytes)? {
                return Ok(());
            }
            freed.await;
        }
    }

    fn try_grow(&mut self, bytes: usize) -> Result<bool, TooMuch> {
        let mut claims = self.shared.claims();
        let number = *self.number.get_or_insert_with(|| {
            claims.last += 1;
            claims.last
        });
        claims.take(number, bytes, self.shared.bytes.load(Ordering::SeqCst) / 2)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let mut claims = self.shared.claims();
            let held = claims.held.remove(&number).unwrap_or(0);
            claims.used = claims.used.saturating_sub(held);
            drop(claims);
            self.shared.freed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn grows(claim: &mut Claim, bytes: usize) -> Option<Result<(), TooMuch>> {
        claim.grow(bytes).now_or_never()
    }

    #[test]
    fn the_oldest_has_half_and_the_others_share_half() {
        let memory = DocumentMemory::new(200);
        let (mut first, mut second, mut third) = (memory.claim(), memory.claim(), memory.claim());
        assert_eq!(grows(&mut first, 10), Some(Ok(())));
        assert_eq!(grows(&mut second, 60), Some(Ok(())));
        assert_eq!(grows(&mut third, 40), Some(Ok(())));
        assert_eq!(grows(&mut third, 1), None, "the others' half is taken");
        assert_eq!(grows(&mut first, 90), Some(Ok(())), "the oldest's is not");
        assert_eq!(
            grows(&mut first, 1),
            Some(Err(TooMuch)),
            "more than a document may take"
        );
        drop(first);
        assert_eq!(grows(&mut second, 40), Some(Ok(())), "the oldest now");
        assert_eq!(grows(&mut third, 60), Some(Ok(())));
        assert_eq!(grows(&mut memory.claim(), 1), None);
        drop(second);
        drop(third);
        assert_eq!(memory.shared.claims().used, 0);
    }

    #[tokio::test]
    async fn whoever_waits_goes_on_when_there_is_more_of_it() {
        let memory = DocumentMemory::new(200);
        let (mut first, mut second, mut third) = (memory.claim(), memory.claim(), memory.claim());
        assert_eq!(grows(&mut first, 1), Some(Ok(())));
        assert_eq!(grows(&mut second, 60), Some(Ok(())));
        {
            let mut waiting = pin!(third.grow(60));
            assert_eq!((&mut waiting).now_or_never(), None);
            memory.resize(400);
            assert_eq!(waiting.now_or_never(), Some(Ok(())));
        }
        memory.resize(100);
        assert_eq!(grows(&mut second, 1), Some(Err(TooMuch)));
        assert_eq!(grows(&mut first, 49), Some(Ok(())));
    }

    #[tokio::test]
    async fn whoever_waits_goes_on_when_there_is_room() {
        let memory = DocumentMemory::new(200);
        let mut claims: Vec<_> = std::iter::repeat_with(|| memory.claim()).take(20).collect();
        for claim in &mut claims {
            assert_eq!(grows(claim, 5), Some(Ok(())));
        }
        // Everybody wants more than there is: one after the other they get it.
        let all = claims
            .into_iter()
            .map(|mut claim| async move { claim.grow(95).await });
        let all = tokio::time::timeout(std::time::Duration::from_secs(20), futures::future::join_all(all));
        assert!(all.await.unwrap().iter().all(Result::is_ok));
        assert_eq!(memory.shared.claims().used, 0);
    }
}
