//! What waits: for an upstream that does not take it, within its bounds, and for a stop.
use std::sync::atomic::AtomicUsize;

use super::*;

#[actix_rt::test]
async fn an_upstream_that_is_away_slow_or_refusing_blocks_nothing_and_gets_everything_in_the_end() {
    let told = Arc::new(Told::default());
    for answer in [
        Answer::hang(),
        Answer::status(503),
        Answer::status(429).header("Retry-After", "0"),
        Answer::status(404),
    ] {
        let given = answer.clone();
        let upstream = ScriptedUpstream::start(move |_| given.clone());
        let write_through = start(&upstream, quick());
        for identity in 0..250 {
            see(&write_through, &body(identity, 0));
        }
        upstream.wait_for(3).await;
        upstream.go_down();
        for identity in 0..250 {
            see(&write_through, &body(identity, 1));
        }
        looked(&write_through).await;
        // What it reads and cannot answer is sent again.
        upstream.wait_until_quiet();
        let before = told.count();
        let noted = Arc::clone(&told);
        upstream.script(move |request| {
            noted.note(request);
            Answer::ok("[]")
        });
        upstream.come_up();
        told.reach(before + 500).await;
        rested(&write_through).await;
        assert_eq!(told.count(), before + 500, "{answer:?}");
        let told = told.traits.lock().unwrap();
        assert_eq!(
            told[&("i0".to_owned(), "n".to_owned())].last(),
            Some(&Value::from(1))
        );
    }
}

#[actix_rt::test]
async fn what_waits_is_bounded_and_what_was_lost_is_written_when_it_is_seen_again() {
    let (upstream, told) = upstream();
    upstream.go_down();
    let options = WriteThroughOptions {
        intake_bytes: 64 * 1024,
        pending_bytes: 64 * 1024,
        ..quick()
    };
    let write_through = start(&upstream, options);
    for identity in 0..10_000 {
        see(&write_through, &body(identity, 0));
    }
    looked(&write_through).await;
    upstream.come_up();
    rested(&write_through).await;
    let few = told.count();
    assert!((1..2_000).contains(&few), "{few}: 64 KiB hold some hundred");
    while told.count() < 20_000 {
        let before = told.count();
        for identity in 0..10_000 {
            see(&write_through, &body(identity, 0));
        }
        rested(&write_through).await;
        assert!(told.count() > before, "{before} and no more");
    }
    assert_eq!(told.count(), 20_000, "each of them once");
}

#[actix_rt::test]
async fn a_stop_writes_what_waits_and_ends_in_time() {
    let (upstream, told) = upstream();
    let options = WriteThroughOptions {
        period: Duration::from_secs(100_000),
        ..quick()
    };
    let write_through = start(&upstream, options.clone());
    for identity in 0..1_000 {
        see(&write_through, &body(identity, 0));
    }
    assert!(write_through.stop(Duration::from_secs(20)).await);
    assert_eq!((told.count(), upstream.requests().len()), (2_000, 10));

    let hangs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hangs);
    upstream.script(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Answer::hang()
    });
    let write_through = start(&upstream, options);
    see(&write_through, &body(0, 0));
    let started = Instant::now();
    // A third of that is for the end of the thread.
    assert!(write_through.stop(Duration::from_secs(9)).await);
    assert!(
        started.elapsed() < quick().call_timeout,
        "{:?}",
        started.elapsed()
    );
    assert_eq!(hangs.load(Ordering::Relaxed), 1);
}

#[actix_rt::test]
async fn a_stop_waits_for_what_is_under_way() {
    let (answer, answers) = std::sync::mpsc::channel::<()>();
    let answers = Mutex::new(answers);
    let upstream = ScriptedUpstream::start(move |_| {
        // It ends when the test lets go of it.
        let _ = answers.lock().unwrap().recv();
        Answer::ok("[]")
    });
    let write_through = start(&upstream, quick());
    see(&write_through, &body(0, 0));
    upstream.wait_for(1).await;
    let stopping = write_through.stop(Duration::from_secs(20));
    let answering = async {
        // Who stops without waiting looks no more.
        looked(&write_through).await;
        drop(answer);
    };
    let (is_gone, ()) = tokio::join!(stopping, answering);
    let counts = write_through.counts();
    assert!(is_gone);
    assert_eq!((counts.written.get(), counts.ended.get()), (1, 0));
}
