//! Upstream behind a proxy: what the proxy hears, what upstream does, and each way in which there is none.
use std::net::Ipv4Addr;
use std::time::Duration;
use std::{fs, io};

use actors::keys::EnvironmentKey;
use actors::upstream::{
    ExemptHosts, Fault, FetchFailure, FetchOutcome, ForwardRequest, Forwarder, Names, OutgoingProxies,
    OutgoingProxy, ProxyFault, Stage, TlsFiles, Upstream, UpstreamOptions,
};
use awc::http::Method;
use bytes::Bytes;
use tempfile::TempDir;
use test_support::certificates::Authority;
use test_support::tls_front::TlsFront;
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};

use crate::connecting::Swallowing;
use crate::fetch::{failure, no_answer};
use crate::reasons::answering;

const TIMEOUT: Duration = Duration::from_secs(20);
/// What is waited for in vain: long enough for all that comes before it, on a slow machine.
const LITTLE: Duration = Duration::from_secs(2);

/// A proxy that leads to this upstream, whatever it is asked for.
fn proxy_to(upstream: &ScriptedUpstream) -> ScriptedUpstream {
    let to = upstream.address();
    ScriptedUpstream::start(move |request| match request.method.as_str() {
        "CONNECT" => Answer::tunnel(to),
        _ => Answer::status(405),
    })
}

/// Everything goes through the proxy of this URL; nobody looks a name up but those of `names`.
fn through(proxy: &str, api_url: &str) -> UpstreamOptions {
    let mut options = UpstreamOptions::new(api_url);
    options.proxies = OutgoingProxies {
        all: Some(OutgoingProxy::parse(proxy).unwrap()),
        ..OutgoingProxies::default()
    };
    options.names = Names::new(|host| panic!("{host} is looked up"));
    options
}

async fn fetch(options: &UpstreamOptions, timeout: Duration) -> FetchOutcome {
    let upstream = Upstream::new(options, timeout).unwrap();
    upstream.fetch(&EnvironmentKey::new("ser.secret"), None).await
}

#[track_caller]
fn assert_is_document(outcome: &FetchOutcome) {
    assert!(matches!(outcome, FetchOutcome::Document { .. }), "{outcome:?}");
}

/// Of the headers, the names.
fn names(request: &ReceivedRequest) -> Vec<&str> {
    request.headers.iter().map(|(name, _)| name.as_str()).collect()
}

/// A file of this authority's certificate, for as long as the folder is there.
fn trusting(authority: &Authority) -> (TempDir, TlsFiles) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    fs::write(&path, authority.pem()).unwrap();
    let files = TlsFiles {
        ca_file: Some(path),
        ..TlsFiles::default()
    };
    (folder, files)
}

#[actix_rt::test]
async fn an_http_upstream_is_reached_by_connect_and_the_proxy_hears_nothing_of_the_request() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let proxy = proxy_to(&upstream);
    let options = through(&proxy.origin(), "http://upstream.test/api/v1");
    let client = Upstream::new(&options, TIMEOUT).unwrap();
    for _ in 0..3 {
        assert_is_document(&client.fetch(&EnvironmentKey::new("ser.secret"), None).await);
    }
    let asked = proxy.requests();
    assert_eq!(asked.len(), 1, "the tunnel is kept");
    assert_eq!(
        (asked[0].method.as_str(), asked[0].target.as_str()),
        ("CONNECT", "upstream.test:80")
    );
    assert_eq!(names(&asked[0]), ["Host", "User-Agent"]);
    assert_eq!(asked[0].header("Host"), Some("upstream.test:80"));

    let received = upstream.requests();
    assert_eq!(received.len(), 3);
    assert_eq!(received[0].target, "/api/v1/environment-document/");
    assert_eq!(received[0].header("Host"), Some("upstream.test"));
    assert_eq!(received[0].header("X-Environment-Key"), Some("ser.secret"));
    // An address has its brackets there as well.
    let options = through(&proxy.origin(), "http://[::1]:81/api/v1");
    assert_is_document(&fetch(&options, TIMEOUT).await);
    assert_eq!(proxy.requests()[1].target, "[::1]:81");
    let leaked = names(&received[0])
        .into_iter()
        .find(|name| name.to_lowercase().starts_with("proxy"));
    assert_eq!(leaked, None);
}

#[actix_rt::test]
async fn tls_is_spoken_through_the_proxy_and_with_it() {
    let authority = Authority::new("Corporate");
    let (_folder, files) = trusting(&authority);
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let front = TlsFront::start(authority.issue("upstream.test").server(), upstream.address());
    let (plain, to) = (upstream.address(), front.address());
    let proxy = ScriptedUpstream::start(move |request| match request.target.as_str() {
        "upstream.test:443" => Answer::tunnel(to),
        "upstream.test:80" => Answer::tunnel(plain),
        _ => Answer::status(403),
    });
    let proxy_front = TlsFront::start(authority.issue("proxy.test").server(), proxy.address());
    let on_tls = format!("https://name:p%40ss@proxy.test:{}", proxy_front.port());
    let mut asked = 0;
    for proxy_url in [&proxy.origin(), &on_tls] {
        for api_url in ["https://upstream.test/api/v1", "http://upstream.test/api/v1"] {
            let mut options = through(proxy_url, api_url).with_tls_files(files.clone());
            options.names = Names::new(|host| match host {
                "proxy.test" => Ok(vec![(Ipv4Addr::LOCALHOST, 0).into()]),
                other => panic!("{other} is looked up"),
            });
            assert_is_document(&fetch(&options, TIMEOUT).await);
            asked += 1;
        }
    }
    assert_eq!(
        (proxy.requests().len(), upstream.requests().len()),
        (asked, asked)
    );
    assert_eq!((proxy_front.shaken(), front.shaken()), (2, 2));
    let with_credentials = proxy.requests();
    assert_eq!(with_credentials[0].header("Proxy-Authorization"), None);
    assert_eq!(
        with_credentials[2].header("Proxy-Authorization"),
        Some("Basic bmFtZTpwQHNz")
    );
}

#[actix_rt::test]
async fn what_is_exempt_is_reached_directly() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let mut options = through("http://127.0.0.1:1", &upstream.api_url());
    assert_eq!(options.proxy().unwrap().to_string(), "http://127.0.0.1:1");
    options.proxies.exempt = ExemptHosts::parse("127.0.0.0/8").0;
    assert_eq!(options.proxy(), None);
    assert_is_document(&fetch(&options, TIMEOUT).await);
}

#[actix_rt::test]
async fn every_address_of_the_proxy_is_tried() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let proxy = proxy_to(&upstream);
    let port = proxy.address().port();
    let dead = (Ipv4Addr::new(127, 0, 0, 5), port).into();
    let _swallowing = Swallowing::at(dead);
    let mut options = through(
        &format!("http://proxy.test:{port}"),
        "http://upstream.test/api/v1",
    );
    options.names = Names::new(move |host| {
        assert_eq!(host, "proxy.test");
        Ok(vec![
            dead,
            (Ipv4Addr::new(127, 0, 0, 6), 0).into(),
            (Ipv4Addr::LOCALHOST, 0).into(),
        ])
    });
    assert_is_document(&fetch(&options, TIMEOUT).await);
}

#[actix_rt::test]
async fn what_is_sent_on_goes_through_the_proxy_and_so_does_what_is_sent_once() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("{}"));
    let proxy = proxy_to(&upstream);
    let options = through(&proxy.origin(), "http://upstream.test/api/v1");
    let forwarder = Forwarder::new(&options, TIMEOUT).unwrap();
    for is_repeatable in [true, false, true, false] {
        let request = ForwardRequest {
            method: Method::POST,
            path: "traits/",
            key: EnvironmentKey::new("client-key"),
            headers: Vec::new(),
            body: Bytes::from_static(b"{}"),
            is_repeatable,
        };
        assert_eq!(forwarder.forward(&request).await.unwrap().status, 200);
    }
    assert_eq!(
        proxy.requests().len(),
        3,
        "what is sent once has a tunnel of its own"
    );
    assert_eq!(upstream.requests().len(), 4);
}

#[actix_rt::test]
async fn a_proxy_that_makes_no_way_is_told_by_name() {
    let proxy = ScriptedUpstream::start(|_| Answer::status(500));
    let (bare, with_credentials) = (proxy.origin(), format!("http://n:p@{}", proxy.address()));
    let page = "<html>".repeat(1000);
    for (url, answer, expected) in [
        (&bare, Answer::status(407), ProxyFault::CredentialsMissing),
        (
            &with_credentials,
            Answer::status(407),
            ProxyFault::CredentialsRefused,
        ),
        (
            &with_credentials,
            Answer::refusal(407, &*page).header("Proxy-Authenticate", "Negotiate"),
            ProxyFault::AnotherAuthentication,
        ),
        (&bare, Answer::refusal(403, &*page), ProxyFault::Refused(403)),
        (&bare, Answer::status(405), ProxyFault::Refused(405)),
        (&bare, Answer::refusal(502, &*page), ProxyFault::Failed(502)),
        (&bare, Answer::status(504), ProxyFault::Failed(504)),
        (&bare, Answer::raw("").closing(), ProxyFault::Closed),
        (
            &bare,
            Answer::raw("HTTP/1.1 200 Connection").closing(),
            ProxyFault::Closed,
        ),
        (&bare, Answer::raw("220 mail.test ESMTP\r\n"), ProxyFault::NotHttp),
        (
            &bare,
            Answer::raw(format!("HTTP/1.1 200 {page}{page}{page}")),
            ProxyFault::HeadTooLarge,
        ),
    ] {
        proxy.script(move |_| answer.clone());
        let outcome = fetch(&through(url, "http://upstream.test/api/v1"), TIMEOUT).await;
        assert_eq!(failure(outcome), no_answer(Fault::Proxy(expected)));
    }
    proxy.script(|_| Answer::hang());
    let options = through(&bare, "http://upstream.test/api/v1");
    let late = no_answer(Fault::Proxy(ProxyFault::Late));
    assert_eq!(failure(fetch(&options, LITTLE).await), late);
    let text = late.to_string();
    assert!(text.ends_with("(HTTPS_PROXY, HTTP_PROXY or ALL_PROXY)"), "{text}");
}

#[actix_rt::test]
async fn refused_credentials_are_sent_once_whoever_asks_and_whatever_for() {
    let proxy = ScriptedUpstream::start(|_| Answer::status(407));
    let url = format!("http://corp:wrong@{}", proxy.address());
    let options = through(&url, "http://upstream.test/api/v1");
    let refused = || no_answer(Fault::Proxy(ProxyFault::CredentialsRefused));
    // As environments do that are fetched at the start, each by a client of its own.
    let fetches = (0..20).map(|_| fetch(&options, TIMEOUT));
    for outcome in futures::future::join_all(fetches).await {
        assert_eq!(failure(outcome), refused());
    }
    // And as everything else that goes through it, by options that are made anew of the same variables.
    let mut elsewhere = through(&url, "http://other.test/api/v1");
    elsewhere.admissions = options.admissions.clone();
    assert_eq!(failure(fetch(&elsewhere, TIMEOUT).await), refused());
    assert_eq!(proxy.requests().len(), 1);
}

#[actix_rt::test]
async fn a_proxy_that_is_not_reached_is_told_apart_from_upstream() {
    let proxy = ScriptedUpstream::start(|_| Answer::status(500));
    let not_reached = |fault| no_answer(Fault::Proxy(ProxyFault::NotReached(Box::new(fault))));
    // https is spoken to a proxy that does not, and nobody vouches for one that does.
    let on_tls = format!("https://{}", answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let outcome = fetch(&through(&on_tls, "http://upstream.test"), TIMEOUT).await;
    assert_eq!(failure(outcome), not_reached(Fault::TlsSpokenToHttp));
    let front = TlsFront::start(
        Authority::new("Other").issue("127.0.0.1").server(),
        proxy.address(),
    );
    let unknown = format!("https://{}", front.address());
    let outcome = fetch(&through(&unknown, "http://upstream.test"), TIMEOUT).await;
    assert_eq!(failure(outcome), not_reached(Fault::CertificateAuthorityUnknown));
    // http is spoken to one that wants https.
    let plain = format!("http://{}", front.address());
    let outcome = fetch(&through(&plain, "http://upstream.test"), TIMEOUT).await;
    assert_eq!(failure(outcome), no_answer(Fault::Proxy(ProxyFault::NotHttp)));

    let url = proxy.origin();
    proxy.go_down();
    let outcome = fetch(&through(&url, "http://upstream.test"), TIMEOUT).await;
    assert_eq!(failure(outcome), not_reached(Fault::Refused));
    let mut options = through("http://proxy.test", "http://upstream.test");
    options.names = Names::new(|_| Err(io::Error::other("Name or service not known")));
    let unknown = Fault::NameUnknown("Name or service not known".to_owned());
    assert_eq!(failure(fetch(&options, TIMEOUT).await), not_reached(unknown));
}

#[actix_rt::test]
async fn faults_inside_the_tunnel_are_upstreams() {
    let authority = Authority::new("Corporate");
    let (_folder, files) = trusting(&authority);
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let front = TlsFront::start(authority.issue("upstream.test").server(), upstream.address());
    let (plain, to) = (upstream.address(), front.address());
    let proxy = ScriptedUpstream::start(move |_| Answer::tunnel(to));
    let options = |api_url| through(&proxy.origin(), api_url).with_tls_files(files.clone());
    let (https, http) = ("https://upstream.test/api/v1", "http://upstream.test/api/v1");

    // Inside the handshake, and inside the answer.
    for (bytes, expected) in [
        (100, vec![Fault::TlsClosed]),
        (2_000, vec![Fault::Closed, Fault::Cut]),
    ] {
        upstream.script(move |_| Answer::ok(" ".repeat(5_000)));
        proxy.script(move |_| Answer::tunnel_resetting_after(to, bytes));
        let FetchFailure::NoAnswer(fault) = failure(fetch(&options(https), TIMEOUT).await) else {
            panic!("no answer")
        };
        assert!(expected.contains(&fault), "{fault:?} after {bytes}");
    }
    proxy.script(move |_| Answer::tunnel(to));
    let outcome = fetch(&options("https://other.test/api/v1"), TIMEOUT).await;
    assert_eq!(failure(outcome), no_answer(Fault::CertificateForAnotherHost));
    let outcome = fetch(&options(http), TIMEOUT).await;
    assert_eq!(failure(outcome), no_answer(Fault::HttpSpokenToTls));
    let speaking_http = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    proxy.script(move |_| Answer::tunnel(speaking_http));
    assert_eq!(
        failure(fetch(&options(https), TIMEOUT).await),
        no_answer(Fault::TlsSpokenToHttp)
    );
    upstream.script(|_| Answer::hang());
    proxy.script(move |_| Answer::tunnel(plain));
    let late = no_answer(Fault::Late(Stage::Head));
    assert_eq!(failure(fetch(&options(http), LITTLE).await), late);
}
