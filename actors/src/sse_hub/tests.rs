#![expect(clippy::disallowed_methods, reason = "a test sends few, and the order counts")]

use std::future::poll_fn;

use bytestring::ByteString;
use engine::UpdatedAt;

use super::*;
use crate::lifeline::Lifelines;

const MAIN: EnvironmentId = EnvironmentId::after(None);

fn hub(options: HubOptions) -> (SseHubHandle, Lifelines) {
    let lifelines = Lifelines::new();
    let hub = SseHubHandle::start(options, &lifelines).unwrap();
    hub.listener().do_send(EnvironmentEvent::Added(MAIN));
    (hub, lifelines)
}

async fn subscribe(hub: &SseHubHandle) -> Subscription {
    hub.subscribe(MAIN).await.unwrap().subscription
}

async fn next(subscription: &mut Subscription) -> Option<ByteString> {
    poll_fn(|cx| subscription.poll_change(cx)).await
}

fn change(hub: &SseHubHandle, seconds: i64) {
    let updated_at = UpdatedAt::from_micros(seconds * 1_000_000);
    hub.listener()
        .do_send(EnvironmentEvent::Updated(MAIN, updated_at));
}

async fn subscribers(hub: &SseHubHandle) -> usize {
    hub.counts().await.unwrap().by_environment[&MAIN]
}

#[actix::test]
async fn a_waiting_subscriber_is_woken_and_told_the_shared_data() {
    let (hub, _lifelines) = hub(HubOptions::default());
    let (mut first, mut second) = (subscribe(&hub).await, subscribe(&hub).await);
    let told = async { (next(&mut first).await.unwrap(), next(&mut second).await.unwrap()) };
    let (told, ()) = futures::join!(told, async { change(&hub, 1_000) });
    assert_eq!(&*told.0, r#"{"updated_at": 1000.0}"#);
    assert_eq!(told.0.as_ptr(), told.1.as_ptr(), "the bytes are shared");
}

#[actix::test]
async fn a_slow_reader_gets_the_latest_change_alone() {
    let (hub, _lifelines) = hub(HubOptions::default());
    let mut slow = subscribe(&hub).await;
    for seconds in 1_000..1_100 {
        change(&hub, seconds);
    }
    subscribers(&hub).await; // answered after the changes
    assert_eq!(
        next(&mut slow).await.as_deref(),
        Some(r#"{"updated_at": 1099.0}"#)
    );
    assert!(poll_fn(|cx| std::task::Poll::Ready(slow.poll_change(cx).is_pending())).await);
}

#[actix::test]
async fn a_spread_reaches_everybody_through_the_hubs_own_timer() {
    let window = Duration::from_millis(100);
    let (hub, _lifelines) = hub(HubOptions {
        notify_spread: NotifySpread::Fixed(window),
        ..HubOptions::default()
    });
    let mut subscriptions = Vec::new();
    for _ in 0..50 {
        subscriptions.push(subscribe(&hub).await);
    }
    change(&hub, 1_000);
    for subscription in &mut subscriptions {
        assert!(next(subscription).await.is_some());
    }
}

#[actix::test]
async fn dropping_a_subscription_unsubscribes() {
    let (hub, _lifelines) = hub(HubOptions {
        max_subscribers: 2,
        ..HubOptions::default()
    });
    let (first, second) = (subscribe(&hub).await, subscribe(&hub).await);
    assert_eq!(subscribers(&hub).await, 2);
    assert_eq!(hub.subscribe(MAIN).await.unwrap_err(), Refusal::Full);
    drop(first);
    assert_eq!(subscribers(&hub).await, 1);
    drop(second);
    assert_eq!(subscribers(&hub).await, 0);
}

#[actix::test]
async fn an_answer_that_nobody_waits_for_is_no_subscriber() {
    let (hub, _lifelines) = hub(HubOptions::default());
    {
        let given_up = hub.subscribe(MAIN);
        futures::pin_mut!(given_up);
        assert!(futures::poll!(&mut given_up).is_pending());
    }
    // The request may be answered before the waiter went; its drop sends the hub a message of its own.
    while subscribers(&hub).await != 0 {
        actix_rt::task::yield_now().await;
    }
}

#[actix::test]
async fn a_drain_ends_the_streams_and_waits_until_the_last_is_gone() {
    let (hub, _lifelines) = hub(HubOptions::default());
    let mut subscription = subscribe(&hub).await;
    change(&hub, 1_000);
    subscribers(&hub).await;
    let drain = hub.drain(Duration::from_secs(60), Duration::ZERO);
    futures::pin_mut!(drain);
    assert!(futures::poll!(&mut drain).is_pending());
    assert!(
        next(&mut subscription).await.is_some(),
        "what was told before comes before the end"
    );
    assert_eq!(next(&mut subscription).await, None);
    assert!(hub.counts().await.unwrap().is_draining);
    assert_eq!(hub.subscribe(MAIN).await.unwrap_err(), Refusal::Draining);
    assert!(futures::poll!(&mut drain).is_pending());
    drop(subscription);
    drain.await;
}

#[actix::test]
async fn when_the_hub_dies_its_streams_end_and_everybody_learns_of_it() {
    let (hub, lifelines) = hub(HubOptions::default());
    let mut subscription = subscribe(&hub).await;
    hub.inject_panic();
    assert_eq!(next(&mut subscription).await, None);
    assert_eq!(lifelines.first_death().await, "SseHub");
    assert_eq!(hub.subscribe(MAIN).await.unwrap_err(), Refusal::Unavailable);
    assert_eq!(hub.counts().await, None);
    hub.drain(Duration::from_secs(60), Duration::ZERO).await;
}

#[actix::test]
async fn a_removed_environment_ends_its_streams_and_is_refused() {
    let (hub, _lifelines) = hub(HubOptions::default());
    let mut subscription = subscribe(&hub).await;
    change(&hub, 1_000);
    hub.listener()
        .send(EnvironmentEvent::Removed(MAIN))
        .await
        .unwrap();
    assert_eq!(hub.subscribe(MAIN).await.err(), Some(Refusal::Unknown));
    assert!(
        next(&mut subscription).await.is_some(),
        "told of what came before"
    );
    assert_eq!(next(&mut subscription).await, None, "then it ends");
    drop(subscription);
    while !hub.counts().await.unwrap().by_environment.is_empty() {
        actix_rt::task::yield_now().await;
    }
}

#[actix::test]
async fn a_stopped_hub_ends_its_streams_and_its_thread() {
    let (hub, lifelines) = hub(HubOptions::default());
    let mut subscription = subscribe(&hub).await;
    assert!(hub.stop(Duration::from_secs(60)).await, "the thread ends");
    assert_eq!(next(&mut subscription).await, None);
    assert_eq!(hub.subscribe(MAIN).await.err(), Some(Refusal::Unavailable));
    assert!(lifelines.is_alive(), "an orderly stop is no death");
}
