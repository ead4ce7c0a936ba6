//! Plans, and what holds a stop.
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use super::super::parts::Part;
use super::*;
use crate::budget::Budgets;
use crate::live::Live;
use crate::server::open_files::Shares;
use crate::server::{
    self, ConnectionTerms, Places, PlannedEnd, Prefaces, RefusalAnswers, ServerOptions, Serving,
    SocketOptions,
};
use crate::settings::{ProxyProtocol, TrustedProxies};

/// A part that never stops.
struct Stuck;

impl Part for Stuck {
    fn name(&self) -> &'static str {
        "Stuck"
    }

    fn stop(&self, _patience: Duration) -> LocalBoxFuture<'_, bool> {
        std::future::pending().boxed_local()
    }
}

/// A server that nobody polls answers nothing that it is asked, as one whose start takes for ever.
fn stuck_server() -> Serving {
    let options = ServerOptions {
        prefaces: Prefaces::new(ProxyProtocol::Off, &TrustedProxies::loopback()),
        refusals: RefusalAnswers::new(|_| Vec::new()),
        h2c: false,
        state: std::sync::Arc::default(),
        workers: 1,
        keep_alive: Duration::ZERO,
        request_head: Duration::ZERO,
        connections: Live::new(ConnectionTerms {
            planned_end: PlannedEnd::default(),
            requests_in_flight: 1,
        }),
        disconnect: Duration::ZERO,
        shutdown_timeout: Duration::ZERO,
        socket: SocketOptions {
            unacknowledged: Duration::ZERO,
            send_buffer: None,
        },
        places: Places::new(Shares::of(64, 1, 1)),
        budgets: Budgets::new(0, 0),
        tls: None,
    };
    let listeners = vec![server::bind(([127, 0, 0, 1], 0).into()).unwrap()];
    server::serve(listeners, options, actix_web::App::new).unwrap()
}

#[tokio::test(start_paused = true)]
async fn nothing_holds_a_stop_beyond_its_time() {
    let server = stuck_server();
    for (whole, drain) in [(10.0, 5.0), (10.0, 60.0), (3.0, 5.0), (1.0, 0.0)] {
        let mut parts = Parts::default();
        (0..3).for_each(|_| parts.started(Stuck));
        let begun = Instant::now();
        plan(StopSignal::Terminate, whole, drain)
            .run(parts, &server.ending, &ServiceState::default())
            .await;
        let took = begun.elapsed();
        let most = Duration::from_secs_f64(whole) + MOMENT;
        assert!(took <= most, "{took:?}");
    }
}

fn plan(signal: StopSignal, whole: f64, drain: f64) -> StopPlan {
    let (whole, drain) = (Duration::from_secs_f64(whole), Duration::from_secs_f64(drain));
    StopPlan::of(Cause::Asked(signal), whole, drain, &StopLimits::default())
}

#[test]
fn the_drain_leaves_time_for_what_comes_after_it() {
    let drain = |whole, drain| plan(StopSignal::Terminate, whole, drain).drain.as_secs_f64();
    assert_eq!(drain(10.0, 5.0), 5.0);
    assert_eq!(drain(10.0, 0.0), 0.0);
    assert_eq!(drain(10.0, 8.0), 7.0);
    assert_eq!(drain(3.0, 5.0), 1.5);
    assert_eq!(drain(0.0, 5.0), 0.0);
}

/// HAProxy by default: every 2 s, three that fail. The process has no other connection.
#[test]
fn the_checks_of_a_balancer_without_traffic_keep_the_drain_open() {
    let (period, failures) = (Duration::from_secs(2), 3);
    let needed = period * failures + Duration::from_secs(1);
    let plan = plan(StopSignal::Terminate, 10.0, needed.as_secs_f64());
    assert_eq!(plan.drain, needed);
    assert!(plan.quiet > Some(period), "{plan:?}");
}

#[test]
fn a_drain_may_take_longer_than_its_time() {
    let longer = |whole, drain| plan(StopSignal::Terminate, whole, drain).longer.as_secs_f64();
    assert_eq!(longer(10.0, 5.0), 2.0);
    assert_eq!(longer(10.0, 6.5), 0.5);
    assert_eq!(longer(10.0, 7.0), 0.0);
    assert_eq!(longer(10.0, 0.0), 0.0);
}

#[test]
fn a_person_waits_for_no_drain() {
    assert_eq!(plan(StopSignal::Interrupt, 10.0, 5.0).drain, Duration::ZERO);
}

#[test]
fn idle_connections_hear_of_the_end_within_any_time() {
    for whole in [0.0, 0.3, 1.0, 5.0, 10.0, 60.0] {
        for drain in [0.0, 0.3, 5.0, 60.0] {
            let plan = plan(StopSignal::Terminate, whole, drain);
            let drain = plan.drain + plan.longer;
            let told = drain + plan.handshake + plan.backlog + plan.young;
            let left = plan.whole - drain;
            assert!(plan.whole - told >= left / 5, "{plan:?}");
            assert!(plan.whole - told >= plan.for_parts, "{plan:?}");
        }
    }
}

#[test]
fn after_a_death_flags_are_answered_for_a_second_and_the_end_comes_in_time() {
    let whole = Duration::from_secs(60);
    let plan = StopPlan::of(Cause::Death("SseHub"), whole, whole, &StopLimits::default());
    assert_eq!(
        (plan.drain, plan.longer, plan.quiet),
        (NOTICE_OF_DEATH, Duration::ZERO, None)
    );
    assert!(plan.whole < Duration::from_secs(4));
}
