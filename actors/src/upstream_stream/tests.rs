use std::net::SocketAddr;
use std::time::Instant;

use actix_rt::net::{TcpListener, TcpStream};
use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::environment::EnvironmentOptions;

mod answers;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

fn first() -> UpdatedAt {
    UpdatedAt::from_micros(1_735_229_888_760_000)
}

fn event(updated_at: UpdatedAt) -> String {
    chunk(&format!(
        "event: environment_updated\ndata: {{\"updated_at\": {updated_at}}}\n\n"
    ))
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// What the fake service does with one connection.
#[derive(Debug, Clone)]
enum Act {
    /// Sends this and closes, in the middle of the body or not.
    Send(String),
    /// Sends this and is silent for ever.
    Hold(String),
}

/// A realtime service that plays one act a connection, the last one again and again.
struct Service {
    address: SocketAddr,
    /// The head of each request, with the moment it came.
    requests: UnboundedReceiver<(String, Instant)>,
}

async fn service(acts: Vec<Act>) -> Service {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = unbounded();
    actix_rt::spawn(async move {
        let mut acts = acts.into_iter().peekable();
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            let act = acts.peek().cloned().unwrap();
            if acts.len() > 1 {
                acts.next();
            }
            actix_rt::spawn(play(connection, act, sender.clone()));
        }
    });
    Service { address, requests }
}

async fn play(mut connection: TcpStream, act: Act, requests: UnboundedSender<(String, Instant)>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    requests
        .unbounded_send((String::from_utf8(head).unwrap(), Instant::now()))
        .unwrap();
    let (Act::Send(text) | Act::Hold(text)) = &act;
    connection.write_all(text.as_bytes()).await.unwrap();
    if matches!(act, Act::Hold(_)) {
        std::future::pending::<()>().await;
    }
}

const MAIN: EnvironmentId = EnvironmentId::after(None);
const OTHER: EnvironmentId = EnvironmentId::after(Some(MAIN));

type Announced = UnboundedReceiver<(EnvironmentId, Option<UpdatedAt>)>;

/// Short waits, and a head that may take as long as a slow machine does: what an act says to a connection that was given up
/// nobody hears.
fn quick(service: &Service) -> UpstreamStreamOptions {
    UpstreamStreamOptions {
        head_timeout: Duration::from_secs(60),
        silence: Duration::from_millis(100),
        settled_after: Duration::from_millis(50),
        shortest_wait: Duration::from_millis(10),
        longest_wait: Duration::from_millis(80),
        ..UpstreamStreamOptions::new(format!("http://{}", service.address))
    }
}

fn listen(service: &Service) -> Announced {
    listen_with(quick(service))
}

fn listen_with(options: UpstreamStreamOptions) -> Announced {
    let (_configured, environments) = watch::channel(Configured::from([polled(MAIN, "key/with%")]));
    listen_for(options, environments).0
}

fn listen_for(
    options: UpstreamStreamOptions,
    environments: watch::Receiver<Configured>,
) -> (Announced, UpstreamStreamsHandle) {
    let (sender, announced) = unbounded();
    let upstream = UpstreamOptions::new("");
    // Nobody may listen any more where a test looks at requests alone.
    let refresh = move |id, at| drop(sender.unbounded_send((id, at)));
    let streams =
        UpstreamStreamsHandle::start(options, upstream, environments, &Lifelines::new(), refresh).unwrap();
    (announced, streams)
}

fn polled(id: EnvironmentId, client_side_key: &str) -> ConfiguredEnvironment {
    ConfiguredEnvironment {
        id,
        options: EnvironmentOptions {
            client_side_key: EnvironmentKey::new(client_side_key),
            server_side_keys: Vec::new(),
            source: DocumentSource::Upstream,
            fallback: None,
        },
    }
}

#[actix::test]
async fn asks_as_an_sdk_does() {
    let mut service = service(vec![Act::Hold(format!("{HEAD}{}", event(first())))]).await;
    let mut announced = listen(&service);
    assert_eq!(announced.next().await, Some((MAIN, Some(first()))));
    let (head, _) = service.requests.next().await.unwrap();
    let head = head.to_ascii_lowercase();
    assert!(
        head.starts_with("get /sse/environments/key%2fwith%25/stream http/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.contains("\r\naccept: text/event-stream\r\n")
            && head.contains("\r\naccept-encoding: identity\r\n")
    );
}

#[actix::test]
async fn no_change_is_lost_whatever_happens_between() {
    let mut at = first();
    let mut acts = Vec::new();
    let between = [
        Act::Send(String::new()),
        Act::Send("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}".to_owned()),
        Act::Send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n\n\n\n\n".to_owned(),
        ),
        Act::Send("garbage\r\n\r\n".to_owned()),
        Act::Send(format!("{HEAD}{}", chunk("\u{0}\u{7}garbage: :::\n\n\n"))),
        Act::Hold(HEAD.to_owned()),
    ];
    let mut expected = Vec::new();
    for act in between {
        // Cut in the middle of the next chunk.
        acts.extend([Act::Send(format!("{HEAD}{}40\r\nevent: env", event(at))), act]);
        expected.push((MAIN, Some(at)));
        at = at.next();
    }
    acts.push(Act::Send(format!("{HEAD}{}0\r\n\r\n", event(at))));
    expected.push((MAIN, Some(at)));
    let service = service(acts).await;
    let announced = listen(&service);
    assert_eq!(announced.take(expected.len()).collect::<Vec<_>>().await, expected);
}

#[actix::test]
async fn a_service_that_does_not_answer_is_asked_again() {
    let event = Act::Send(format!("{HEAD}{}0\r\n\r\n", event(first())));
    let service = service(vec![Act::Hold(String::new()), event]).await;
    let mut announced = listen_with(UpstreamStreamOptions {
        head_timeout: Duration::from_millis(500),
        ..quick(&service)
    });
    assert_eq!(announced.next().await, Some((MAIN, Some(first()))));
}

#[actix::test]
async fn what_upstream_repeats_at_a_reconnect_is_no_news() {
    let again = Act::Send(format!("{HEAD}{}0\r\n\r\n", event(first())));
    let newer = Act::Hold(format!("{HEAD}{}", event(first().next())));
    let service = service(vec![again.clone(), again.clone(), again, newer]).await;
    let announced: Vec<_> = listen(&service).take(2).collect().await;
    assert_eq!(announced, [first(), first().next()].map(|at| (MAIN, Some(at))));
}

#[actix::test]
async fn refusals_and_streams_that_end_at_once_make_no_hot_loop() {
    for refusal in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
        format!("{HEAD}0\r\n\r\n"),
        String::new(),
    ] {
        let service = service(vec![Act::Send(refusal.clone())]).await;
        // However long a connection takes, it is no good one.
        let _announced = listen_with(UpstreamStreamOptions {
            settled_after: Duration::from_secs(60),
            ..quick(&service)
        });
        let requests: Vec<_> = service.requests.take(6).map(|(_, at)| at).collect().await;
        let took = requests[5] - requests[0];
        // Half of 10, 20, 40, 80 and 80 ms.
        assert!(
            took >= Duration::from_millis(115),
            "six connections in {took:?} on {refusal:?}"
        );
    }
}

#[actix::test]
async fn a_silent_stream_is_given_up_by_the_watchdog() {
    let heartbeats = format!("{HEAD}{}", chunk(": heartbeat\n\n"));
    let service = service(vec![Act::Hold(heartbeats)]).await;
    let _announced = listen(&service);
    let requests: Vec<_> = service.requests.take(3).map(|(_, at)| at).collect().await;
    assert!(requests[1] - requests[0] >= Duration::from_millis(100));
    // It had settled, so the wait did not grow: watchdog, then at most the shortest wait.
    assert!(requests[2] - requests[1] >= Duration::from_millis(100));
}

#[actix::test]
async fn a_service_that_never_answers_is_asked_ever_more_slowly() {
    let head_timeout = Duration::from_millis(100); // beyond what makes an open stream a good one
    let service = service(vec![Act::Hold(String::new())]).await;
    let began = Instant::now();
    let _announced = listen_with(UpstreamStreamOptions {
        head_timeout,
        ..quick(&service)
    });
    let requests: Vec<_> = service.requests.take(8).map(|(_, at)| at).collect().await;
    // A request is never seen before it is sent, but perhaps long after.
    let waited = requests[7] - began - 7 * head_timeout;
    // Half of 10, 20, 40 and four times 80 ms; without growth at most seven times 10 ms and what the machine takes.
    assert!(
        waited >= Duration::from_millis(185),
        "{waited:?} between eight connections"
    );
}

#[actix::test]
async fn a_redirect_is_not_followed_for_the_path_holds_the_key() {
    let mut elsewhere = service(vec![Act::Hold(format!("{HEAD}{}", event(first())))]).await;
    let redirect = |status: &str| {
        Act::Send(format!(
            "HTTP/1.1 {status}\r\nLocation: http://{}/sse/environments/key/stream\r\nContent-Length: 0\r\n\r\n",
            elsewhere.address
        ))
    };
    let newer = Act::Hold(format!("{HEAD}{}", event(first().next())));
    let service = service(vec![
        redirect("302 Found"),
        redirect("307 Temporary Redirect"),
        newer,
    ])
    .await;
    let mut announced = listen(&service);
    assert_eq!(announced.next().await, Some((MAIN, Some(first().next()))));
    assert!(elsewhere.requests.try_recv().is_err(), "nobody came");
}

#[actix::test]
async fn streams_follow_the_configuration() {
    let mut service = service(vec![Act::Hold(HEAD.to_owned())]).await;
    let from_file = ConfiguredEnvironment {
        options: EnvironmentOptions {
            source: DocumentSource::File("document.json".into()),
            ..polled(OTHER, "file").options
        },
        ..polled(OTHER, "file")
    };
    let (configured, environments) =
        watch::channel(Configured::from([polled(MAIN, "first"), from_file.clone()]));
    let (_announced, streams) = listen_for(quick(&service), environments);
    let mut asked = async || {
        let (head, _) = service.requests.next().await.unwrap();
        head.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(asked().await, "/sse/environments/first/stream");
    // What stays is not asked for again at once: the next to come is the new one.
    configured.send_replace([polled(MAIN, "first"), polled(OTHER, "second")].into());
    while asked().await != "/sse/environments/second/stream" {}
    configured.send_replace([polled(OTHER, "corrected"), from_file].into());
    while asked().await != "/sse/environments/corrected/stream" {}
    // The watchdog would bring the two that ended back as often as the one that goes on; what they had asked just before
    // may still come.
    let mut others = 0;
    for _ in 0..10 {
        others += usize::from(asked().await != "/sse/environments/corrected/stream");
    }
    assert!(others <= 2, "{others} of 10");
    configured.send_replace(Configured::from([]));
    assert!(streams.stop(Duration::from_secs(60)).await, "the thread ends");
}
