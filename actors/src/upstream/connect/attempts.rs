use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_rt::time::timeout;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

/// How long an attempt is alone before the next one begins beside it (RFC 8305, 5: 250 ms are recommended).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Tries the addresses in this order (RFC 8305, 5): the next one when the newest attempt has not ended in time or any has
/// failed, while the earlier ones go on. The first that succeeds wins, and the others are given up. Has no timeout of its own;
/// the caller's, over [`ATTEMPT_DELAY`], bounds the attempts at once.
///
/// # Errors
/// When every attempt has failed, the last error of those that say the most.
pub(super) async fn first_connected<T, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut untried = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        attempts.extend(untried.next().map(&connect));
        let ended = if untried.len() == 0 {
            Ok(attempts.next().await)
        } else {
            timeout(ATTEMPT_DELAY, attempts.next()).await
        };
        match ended {
            Ok(Some(Ok(connected))) => return Ok(connected),
            Ok(Some(Err(error))) if says_more(&failure, &error) => {}
            Ok(Some(Err(error))) => failure = error,
            Ok(None) => return Err(failure),
            Err(_is_late) => {}
        }
    }
}

/// Whether the first says more about the host than the second: that a machine has no route to one of its address families is
/// usual, and says nothing.
fn says_more(one: &io::Error, other: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
    let is_about_routes = |error: &io::Error| {
        matches!(
            error.kind(),
            AddrNotAvailable | HostUnreachable | NetworkUnreachable
        )
    };
    is_about_routes(other) && !is_about_routes(one)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use actix_rt::time::sleep;
    use tokio::time::Instant;

    use super::*;

    /// What becomes of the attempt at one address, after how many milliseconds.
    #[derive(Clone, Copy)]
    enum Route {
        Connects(u64),
        Refuses(u64),
        IsUnreachable,
        Swallows,
    }
    use Route::{Connects, IsUnreachable, Refuses, Swallows};

    /// Tries one address for each route; gives which won or the error, when it ended, and when each attempt began.
    async fn race(routes: &[Route]) -> (Result<usize, io::ErrorKind>, u64, Vec<u64>) {
        let start = Instant::now();
        let elapsed = || u64::try_from(start.elapsed().as_millis()).unwrap();
        let (begun, under_way) = (RefCell::new(Vec::new()), Cell::new(0_u32));
        let addresses = (0..routes.len()).map(|place| SocketAddr::from(([10, 0, 0, 1], place as u16)));
        let connect = |address: SocketAddr| {
            let place = usize::from(address.port());
            begun.borrow_mut().push(elapsed());
            under_way.set(under_way.get() + 1);
            let ending = OnDrop(&under_way);
            async move {
                let _ending = ending;
                match routes[place] {
                    Connects(after) => {
                        sleep(Duration::from_millis(after)).await;
                        Ok(place)
                    }
                    Refuses(after) => {
                        sleep(Duration::from_millis(after)).await;
                        Err(io::ErrorKind::ConnectionRefused.into())
                    }
                    IsUnreachable => Err(io::ErrorKind::NetworkUnreachable.into()),
                    Swallows => std::future::pending().await,
                }
            }
        };
        let outcome = first_connected(addresses.collect(), connect).await;
        assert_eq!(under_way.get(), 0, "the others are given up");
        (
            outcome.map_err(|error| error.kind()),
            elapsed(),
            begun.into_inner(),
        )
    }

    struct OnDrop<'a>(&'a Cell<u32>);

    impl Drop for OnDrop<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_answers_in_time_is_the_only_one_tried() {
        assert_eq!(race(&[Connects(240), Connects(0)]).await, (Ok(0), 240, vec![0]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_swallows_costs_a_quarter_of_a_second() {
        assert_eq!(race(&[Swallows, Connects(10)]).await, (Ok(1), 260, vec![0, 250]));
        assert_eq!(
            race(&[Swallows, Swallows, Swallows, Connects(10), Connects(0)]).await,
            (Ok(3), 760, vec![0, 250, 500, 750])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_attempt_goes_on_and_may_win() {
        assert_eq!(
            race(&[Connects(300), Connects(200)]).await,
            (Ok(0), 300, vec![0, 250])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_starts_the_next_attempt_at_once() {
        assert_eq!(
            race(&[Refuses(10), Swallows, Refuses(20), Connects(5)]).await,
            (Ok(3), 285, vec![0, 10, 260, 280])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn fails_when_every_attempt_has_failed() {
        let refused = Err(io::ErrorKind::ConnectionRefused);
        assert_eq!(
            race(&[Refuses(400), Refuses(5)]).await,
            (refused, 400, vec![0, 250])
        );
        for routes in [[Refuses(1), IsUnreachable], [IsUnreachable, Refuses(1)]] {
            assert_eq!(race(&routes).await.0, refused, "which says more");
        }
        assert_eq!(race(&[]).await, (Err(io::ErrorKind::AddrNotAvailable), 0, vec![]));
    }
}
