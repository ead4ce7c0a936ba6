//! Each reason why upstream cannot be reached has its name, in the fetch and in health.
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use actors::keys::EnvironmentKey;
use actors::upstream::{
    DocumentMemory, Fault, FetchFailure, FetchOutcome, Names, Stage, Upstream, UpstreamOptions,
};
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::connecting::Swallowing;
use crate::fetch::{failure, no_answer};
use crate::harness::{Harness, of_client0, polled, quick};
use crate::tls::{Certificate, TlsUpstream};

const ENOUGH: Duration = Duration::from_secs(20);
/// What is waited for in vain: long enough for all that comes before it, on a slow machine.
const LITTLE: Duration = Duration::from_secs(2);

async fn fetch_with(options: &UpstreamOptions, timeout: Duration) -> FetchOutcome {
    let upstream = Upstream::new(options, timeout).unwrap();
    upstream.fetch(&EnvironmentKey::new("ser.secret"), None).await
}

/// A server that answers this to whatever comes first, without a look into it.
pub(crate) fn answering(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut first = [0; 4096];
            let _ = stream.read(&mut first);
            let _ = stream.write_all(answer);
        }
    });
    address
}

#[actix_rt::test]
async fn certificates_are_refused_by_name() {
    let good = Certificate::of("localhost");
    let expired = Certificate {
        until: 2001,
        ..good.clone()
    };
    let future = Certificate {
        from: 3000,
        ..good.clone()
    };
    let other = Certificate::of("other.test");
    let of_authority = Certificate {
        is_of_authority: true,
        ..good.clone()
    };
    for (certificate, is_trusted, fault) in [
        (expired, true, Fault::CertificateExpired),
        (future, true, Fault::CertificateNotYetValid),
        (other, true, Fault::CertificateForAnotherHost),
        (good.clone(), false, Fault::CertificateAuthorityUnknown),
        (of_authority, true, Fault::CertificateOfAuthority),
    ] {
        let upstream = TlsUpstream::start(&certificate);
        let options = if is_trusted {
            upstream.trusting()
        } else {
            UpstreamOptions::new(upstream.api_url())
        };
        assert_eq!(failure(fetch_with(&options, ENOUGH).await), no_answer(fault));
    }
    // Trusted is another authority of the same name.
    let mut trusting = TlsUpstream::start(&good).trusting();
    trusting.api_url = TlsUpstream::start(&good).api_url();
    let fault = Fault::CertificateAuthorityUnknown;
    assert_eq!(failure(fetch_with(&trusting, ENOUGH).await), no_answer(fault));
}

#[actix_rt::test]
async fn http_and_https_on_the_wrong_ports_are_told_apart() {
    let tls = TlsUpstream::start(&Certificate::of("localhost"));
    let plain_to_tls = tls.api_url().replace("https:", "http:");
    let nginx = answering(
        b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 79\r\nConnection: close\r\n\r\n\
          <center><h1>The plain HTTP request was sent to HTTPS port</h1></center>\r\n12345",
    );
    let go = answering(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    let refusing = answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\nmalformed");
    let closing = answering(b"");
    for (api_url, expected) in [
        (plain_to_tls, no_answer(Fault::HttpSpokenToTls)),
        (format!("http://{nginx}"), no_answer(Fault::HttpSpokenToTls)),
        (format!("http://{go}"), no_answer(Fault::HttpSpokenToTls)),
        (format!("http://{refusing}"), FetchFailure::Status(400)),
        (format!("https://{refusing}"), no_answer(Fault::TlsSpokenToHttp)),
        (format!("https://{closing}"), no_answer(Fault::TlsClosed)),
    ] {
        let outcome = fetch_with(&UpstreamOptions::new(&api_url), ENOUGH).await;
        assert_eq!(failure(outcome), expected, "{api_url}");
    }
}

#[actix_rt::test]
async fn names_and_addresses_that_lead_nowhere_are_named() {
    let mut options = UpstreamOptions::new("http://upstream.test/api/v1");
    options.names = Names::new(|_| Err(io::Error::other("Name or service not known")));
    let unknown = Fault::NameUnknown("Name or service not known".to_owned());
    assert_eq!(failure(fetch_with(&options, ENOUGH).await), no_answer(unknown));
    options.names = Names::new(|_| Ok(Vec::new()));
    let empty = Fault::NameUnknown("it has no address".to_owned());
    assert_eq!(failure(fetch_with(&options, ENOUGH).await), no_answer(empty));

    let (release, hanging) = mpsc::channel::<()>();
    let hanging = Mutex::new(hanging);
    options.names = Names::new(move |_| {
        let _ = hanging.lock().unwrap().recv();
        Ok(Vec::new())
    });
    let late = |stage| no_answer(Fault::Late(stage));
    assert_eq!(failure(fetch_with(&options, LITTLE).await), late(Stage::Name));
    drop(release);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = UpstreamOptions::new(format!("https://127.0.0.1:{port}"));
    assert_eq!(failure(fetch_with(&silent, LITTLE).await), late(Stage::Handshake));
    let silent = UpstreamOptions::new(format!("http://127.0.0.1:{port}"));
    assert_eq!(failure(fetch_with(&silent, LITTLE).await), late(Stage::Head));

    let swallowing = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 3), port));
    let _swallowing = Swallowing::at(swallowing);
    let swallowing = UpstreamOptions::new(format!("http://{swallowing}"));
    assert_eq!(
        failure(fetch_with(&swallowing, LITTLE).await),
        late(Stage::Connect)
    );
}

#[actix_rt::test]
async fn a_document_that_waits_for_memory_all_the_time_says_so() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(" ".repeat(400)));
    let mut options = UpstreamOptions::new(upstream.api_url());
    options.document_memory = DocumentMemory::new(1_000);
    // The one has its own half, the other most of the half that all others share.
    let _first = fetch_with(&options, ENOUGH).await;
    let _second = fetch_with(&options, ENOUGH).await;
    let third = failure(fetch_with(&options, LITTLE).await);
    assert_eq!(third, no_answer(Fault::Late(Stage::Memory)));
}

#[actix_rt::test]
async fn the_reason_is_shown_in_health_until_all_is_well() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("{}"));
    upstream.go_down();
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    let detail = harness
        .wait_for_detail(0, |detail| detail.is_some())
        .await
        .unwrap();
    assert!(
        detail.contains("the connection is refused; check") && detail.contains("api_url"),
        "{detail}"
    );

    upstream.script(|_| {
        let document = test_support::documents::document("one", "2024-12-26T16:18:08+00:00");
        Answer::ok(of_client0(&document))
    });
    upstream.come_up();
    harness.wait_for_detail(0, |detail| detail.is_none()).await;
    upstream.script(|_| Answer::status(403));
    let detail = harness
        .wait_for_detail(0, |detail| detail.is_some())
        .await
        .unwrap();
    assert!(
        detail.contains("rejects the server-side key (403)") && !detail.contains("ser.0"),
        "{detail}"
    );
}
