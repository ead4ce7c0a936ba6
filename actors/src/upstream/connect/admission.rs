//! Whether a proxy takes the credentials that it is given. Proxies of companies ask a directory, which locks the account after a
//! few wrong passwords, also for everybody else who uses it: what was refused is not sent again at every poll of every environment.
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::upstream::{OutgoingProxy, ProxyFault};

/// Credentials that were refused are not sent again before: as with a key that upstream refuses.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// As long as nothing is known of the credentials one connection alone sends them, and others wait for what becomes of it. A proxy
/// refuses at once; where it says nothing for so long it is upstream that it waits for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of each proxy. Clones share it.
#[derive(Clone, Default)]
pub struct ProxyAdmissions(Arc<Mutex<Vec<Known>>>);

/// A proxy, and what is known of it.
struct Known {
    proxy: OutgoingProxy,
    admission: Arc<Admission>,
}

impl ProxyAdmissions {
    /// What is known of this one, with these credentials.
    pub(in crate::upstream) fn of(&self, proxy: &OutgoingProxy) -> Arc<Admission> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.iter().find(|known| known.proxy == *proxy) {
            return Arc::clone(&known.admission);
        }
        let admission = Arc::new(Admission::default());
        known.push(Known {
            proxy: proxy.clone(),
            admission: Arc::clone(&admission),
        });
        admission
    }
}

impl fmt::Debug for ProxyAdmissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyAdmissions").finish_non_exhaustive()
    }
}

/// Whether one proxy takes what it is given.
#[derive(Default)]
pub(in crate::upstream) struct Admission {
    standing: Mutex<Standing>,
    /// Held by the connection that finds out.
    trial: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Standing {
    #[default]
    Unknown,
    Taken,
    Refused(ProxyFault, Instant),
}

impl Admission {
    /// Opens a way through the proxy, which is given credentials, where they were not refused a short time ago.
    ///
    /// # Errors
    /// Why there is none; a refusal also where the proxy was not asked again.
    pub(super) async fn open(
        &self,
        open: impl Future<Output = Result<(), ProxyFault>>,
    ) -> Result<(), ProxyFault> {
        let mut trial = None;
        if self.known(Instant::now())? == Standing::Unknown {
            trial = timeout(PATIENCE, self.trial.lock()).await.ok();
            self.known(Instant::now())?;
        }
        let opened = open.await;
        match &opened {
            Ok(()) => *self.standing() = Standing::Taken,
            Err(fault) if fault.is_of_credentials() => {
                *self.standing() = Standing::Refused(fault.clone(), Instant::now() + REFUSED_FOR);
            }
            Err(_) => {}
        }
        drop(trial);
        opened
    }

    /// What is known now; a refusal that holds is an error.
    fn known(&self, now: Instant) -> Result<Standing, ProxyFault> {
        let mut standing = self.standing();
        match &*standing {
            Standing::Refused(fault, until) if now < *until => Err(fault.clone()),
            Standing::Refused(..) => {
                *standing = Standing::Unknown;
                Ok(Standing::Unknown)
            }
            known => Ok(known.clone()),
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A proxy that is asked, and answers so after a second.
    struct Asked<'a>(&'a Admission, AtomicUsize);

    impl Asked<'_> {
        async fn open(&self, answer: Result<(), ProxyFault>) -> Result<(), ProxyFault> {
            let asking = async {
                self.1.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(SECOND).await;
                answer
            };
            self.0.open(asking).await
        }

        fn times(&self) -> usize {
            self.1.load(Ordering::Relaxed)
        }
    }

    const REFUSED: Result<(), ProxyFault> = Err(ProxyFault::CredentialsRefused);

    #[tokio::test(start_paused = true)]
    async fn refused_credentials_are_sent_once_a_minute_however_many_connections_are_wanted() {
        let admission = Admission::default();
        let proxy = Asked(&admission, AtomicUsize::new(0));
        for minutes in 1..4 {
            let outcomes = join_all((0..50).map(|_| proxy.open(REFUSED))).await;
            assert!(outcomes.iter().all(|outcome| *outcome == REFUSED));
            assert_eq!(proxy.times(), minutes);
            tokio::time::sleep(REFUSED_FOR - SECOND).await;
            assert_eq!(proxy.open(Ok(())).await, REFUSED, "it is not asked");
            tokio::time::sleep(SECOND).await;
        }
        assert_eq!(proxy.open(Ok(())).await, Ok(()));
        let outcomes = join_all((0..50).map(|_| proxy.open(Ok(())))).await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(proxy.times(), 4 + 50, "nobody waits for another one then");
    }

    #[tokio::test(start_paused = true)]
    async fn what_says_nothing_of_credentials_holds_nobody_up() {
        let admission = Admission::default();
        // Upstream itself does not answer the first one, and another one gives up.
        let hanging = admission.open(pending());
        let others = async {
            let begun = Instant::now();
            assert_eq!(admission.open(ready(Ok(()))).await, Ok(()));
            assert!(begun.elapsed() >= PATIENCE && begun.elapsed() < 2 * PATIENCE);
        };
        tokio::select! {
            biased;
            _ = hanging => panic!("it hangs"),
            () = others => {}
        }
        let admission = Admission::default();
        for fault in [
            ProxyFault::Refused(403),
            ProxyFault::Failed(502),
            ProxyFault::Late,
        ] {
            assert_eq!(admission.open(ready(Err(fault.clone()))).await, Err(fault));
        }
        assert_eq!(admission.open(ready(Ok(()))).await, Ok(()));
    }

    #[test]
    fn each_proxy_has_its_own() {
        let admissions = ProxyAdmissions::default();
        let of = |url: &str| admissions.of(&OutgoingProxy::parse(url).unwrap());
        let first = of("http://name:wrong@proxy:1");
        assert!(Arc::ptr_eq(&first, &of("http://name:wrong@proxy:1")));
        assert!(!Arc::ptr_eq(&first, &of("http://name:right@proxy:1")));
    }
}
