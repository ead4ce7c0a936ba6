//! The stop signal: how the connections of the HTTP workers hear that they end.
//!
//! A connection asks at every turn whether the stop has begun. Each worker answers from a cell of its own thread, which
//! it sets when it hears of the signal; a library's token would lock twice a request.
use tokio::sync::watch;

/// What all workers follow; clones are one signal.
#[derive(Debug, Clone, Default)]
pub(super) struct ServerStop {
    all_accepted: watch::Sender<bool>,
    begun: watch::Sender<bool>,
}

impl ServerStop {
    /// Resolves when every worker has taken the connections that were accepted before this call.
    ///
    /// A worker wakes up for a connection that it gets and then for this question, and takes both in their order.
    pub(super) async fn all_taken(&self) {
        self.all_accepted.send_replace(true);
        self.all_accepted.closed().await;
    }

    /// Tells every connection, those to come too.
    pub(super) fn begin(&self) {
        // The workers hear of it before they listen to this.
        self.all_accepted.send_replace(true);
        self.begun.send_replace(true);
    }
}

/// Lets a worker follow the server's signal: `begin` is called on this thread, the worker's, when the stop begins.
pub(super) fn follow(signal: &ServerStop, begin: impl FnOnce() + 'static) {
    let (mut all_accepted, mut begun) = (signal.all_accepted.subscribe(), signal.begun.subscribe());
    actix_rt::spawn(async move {
        // A closed channel says the same: nothing more comes.
        let _ = all_accepted.wait_for(|&all| all).await;
        drop(all_accepted);
        if begun.wait_for(|&begun| begun).await.is_ok() {
            begin();
        }
    });
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    /// A worker: resolves when it has heard of the stop.
    fn worker(signal: &ServerStop) -> oneshot::Receiver<()> {
        let (told, hears) = oneshot::channel();
        follow(signal, || told.send(()).unwrap());
        hears
    }

    #[actix_web::test]
    async fn a_worker_takes_what_was_accepted_and_then_hears_of_the_stop() {
        let signal = ServerStop::default();
        let mut workers = [worker(&signal), worker(&signal)];
        let mut taken = std::pin::pin!(signal.all_taken());
        assert!((&mut taken).now_or_never().is_none(), "no worker had a turn");
        taken.await;
        assert!(workers.iter_mut().all(|worker| worker.try_recv().is_err()));
        signal.begin();
        for worker in workers {
            worker.await.unwrap();
        }
        worker(&signal).await.unwrap();
        signal.all_taken().await;
    }

    #[actix_web::test]
    async fn a_stop_needs_no_question_before_it() {
        let signal = ServerStop::default();
        let worker = worker(&signal);
        signal.begin();
        worker.await.unwrap();
    }
}
