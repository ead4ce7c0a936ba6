//! Answers as gateways between write them, and how connections end.
use test_support::wait::in_time;

use super::*;

#[actix::test]
async fn events_are_heard_however_gateways_write_the_answer() {
    let plain = |updated_at| event(updated_at).split("\r\n").nth(1).unwrap().to_owned();
    let policies = "X-Policy: some words\r\n".repeat(200);
    let heads = [
        // The body ends with the connection.
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".to_owned(),
        "HTTP/1.0 200 OK\r\nContent-Type: Text/Event-Stream;charset=utf-8\r\n\r\n".to_owned(),
        "HTTP/1.1 203 Changed\r\nContent-Type: text/event-stream\r\nContent-Encoding: identity\r\n\r\n"
            .to_owned(),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Type: text/html\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
            .to_owned(),
        format!("HTTP/1.1 200 OK\r\n{policies}Content-Type: text/event-stream\r\n\r\n"),
    ];
    let (mut acts, mut expected, mut at) = (Vec::new(), Vec::new(), first());
    for head in heads {
        acts.push(Act::Send(format!("{head}\u{FEFF}{}", plain(at))));
        expected.push((MAIN, Some(at)));
        at = at.next();
        // A stream that goes on is heard before it ends.
        acts.push(Act::Hold(format!("{head}{}", plain(at))));
        expected.push((MAIN, Some(at)));
        at = at.next();
    }
    let service = service(acts).await;
    let announced = listen(&service);
    let announced = in_time(announced.take(expected.len()).collect::<Vec<_>>());
    assert_eq!(announced.await, expected);
}

#[actix::test]
async fn how_a_connection_ended_has_its_name() {
    let chunked = |rest: &str| format!("{HEAD}{rest}");
    let encoded = HEAD.replace("Transfer", "Content-Encoding: gzip\r\nTransfer");
    let fields = "X-Field: 1\r\n".repeat(600);
    let page = "Client sent an HTTP request to an HTTPS server.";
    for (answer, expected) in [
        (chunked("0\r\n\r\n"), "it ends as soon as it begins"),
        (chunked("40\r\nevent: env"), "cut: the answer breaks off"),
        (chunked(&chunk(": heartbeat\n\n")), "cut: the answer breaks off"),
        (
            chunked("not hexadecimal"),
            "cut: the answer's chunks are malformed",
        ),
        (encoded, "a content coding that was not asked for"),
        (
            format!("HTTP/1.1 200 OK\r\n{fields}\r\n"),
            "more header fields than this proxy reads (512)",
        ),
        (
            format!("HTTP/1.0 400 Bad Request\r\n\r\n{page}"),
            "write https:// in the URL",
        ),
        ("HTTP/1.1 404 Not Found\r\n\r\n{}".to_owned(), "it answers 404"),
        (String::new(), "no answer: the connection ends without an answer"),
    ] {
        let service = service(vec![Act::Send(answer.clone())]).await;
        let mut stream = EnvironmentStream {
            options: Rc::new(UpstreamStreamOptions::new(format!("http://{}", service.address))),
            client: client(&format!("http://{}", service.address), &UpstreamOptions::new("")).unwrap(),
            refresh: Rc::new(|_, _| {}),
            url: format!("http://{}/stream", service.address).parse().unwrap(),
            id: MAIN,
            announced: None,
            is_up: true,
        };
        let ended = in_time(stream.follow()).await.to_string();
        assert!(ended.contains(expected), "{ended} after {answer:?}");
    }
}
