//! What upstream refuses, fails at, or has no key for.
use super::*;

#[actix_rt::test]
async fn what_upstream_refuses_takes_nothing_else_along() {
    for status in [400, 403, 413, 500] {
        refused_beside_others(status).await;
    }
}

async fn refused_beside_others(status: u16) {
    let told = Arc::new(Told::default());
    let noted = Arc::clone(&told);
    let upstream = ScriptedUpstream::start(move |request| {
        if String::from_utf8_lossy(&request.body).contains(r#""i7""#) {
            return Answer::status(status);
        }
        noted.note(request);
        Answer::ok("[]")
    });
    let write_through = start(&upstream, quick());
    for identity in 0..20 {
        see(&write_through, &body(identity, 0));
    }
    told.reach(38).await;
    // Where it was the last that was tried, a 500 may be about upstream, until another one is written.
    see(&write_through, &body(20, 0));
    told.reach(40).await;
    rested(&write_through).await;
    assert_eq!(told.count(), 40);
    // It is not sent again and again, but when it changes.
    let calls = upstream.requests().len();
    see(&write_through, &body(7, 0));
    rested(&write_through).await;
    assert_eq!(upstream.requests().len(), calls);
    let noted = Arc::clone(&told);
    upstream.script(move |request| {
        noted.note(request);
        Answer::ok("[]")
    });
    see(&write_through, &body(7, 1));
    told.reach(42).await;
}

#[actix_rt::test]
async fn one_that_upstream_fails_at_is_given_up_once_another_is_written_after_it() {
    let told = Arc::new(Told::default());
    let noted = Arc::clone(&told);
    let upstream = ScriptedUpstream::start(move |request| {
        if String::from_utf8_lossy(&request.body).contains(r#""i7""#) {
            return Answer::status(500);
        }
        noted.note(request);
        Answer::ok("[]")
    });
    let write_through = start(&upstream, quick());
    see(&write_through, &body(7, 0));
    upstream.wait_for(2).await;
    assert_eq!(told.count(), 0, "it alone may be upstream's fault, and is kept");
    see(&write_through, &body(8, 0));
    told.reach(2).await;
    rested(&write_through).await;
    let calls = upstream.requests().len();
    see(&write_through, &body(9, 0));
    told.reach(4).await;
    rested(&write_through).await;
    assert_eq!(upstream.requests().len(), calls + 1, "it is not tried again");
}

#[actix_rt::test]
async fn where_a_key_is_rejected_the_next_one_writes() {
    let (upstream, told) = upstream();
    let noted = Arc::clone(&told);
    upstream.script(move |request| {
        if request.header("X-Environment-Key") == Some("ser.a") {
            return Answer::status(403);
        }
        noted.note(request);
        Answer::ok("[]")
    });
    let write_through = start(&upstream, quick());
    for identity in 0..1_000 {
        let body = body(identity, 0);
        let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
        write_through.see(MAIN, KeyKind::Server, &identity);
    }
    told.reach(2_000).await;
    let mut requests = upstream.requests();
    requests.retain(|request| request.header("X-Environment-Key") == Some("ser.a"));
    assert!((1..=4).contains(&requests.len()), "those that were under way");
}

#[actix_rt::test]
async fn where_all_keys_are_rejected_nothing_waits_for_them() {
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some("client") => Answer::ok("[]"),
        _ => Answer::status(401),
    });
    let write_through = start(&upstream, quick());
    for identity in 0..500 {
        let identifier = format!("i{identity}");
        let identity = Identity::from_query(Some(&identifier), || [0; 16]).unwrap();
        write_through.see(MAIN, KeyKind::Server, &identity);
    }
    upstream.wait_for(2).await;
    rested(&write_through).await;
    let calls = upstream.requests().len();
    let identity = Identity::from_query(Some("i0"), || [0; 16]).unwrap();
    write_through.see(MAIN, KeyKind::Server, &identity);
    rested(&write_through).await;
    assert_eq!(
        upstream.requests().len(),
        calls,
        "they are left alone for a while"
    );
    // Who writes with the public key is not.
    see(&write_through, r#"{"identifier":"j"}"#);
    upstream.wait_for(calls + 1).await;
    let last = upstream.requests().pop().unwrap();
    assert_eq!(last.header("X-Environment-Key"), Some("client"));
}

#[actix_rt::test]
async fn a_rejected_key_takes_no_room_of_another_environment() {
    const OTHER: EnvironmentId = EnvironmentId::after(Some(MAIN));
    let (upstream, told) = upstream();
    let noted = Arc::clone(&told);
    upstream.script(move |request| {
        if request.header("X-Environment-Key") == Some("other") {
            return Answer::status(403);
        }
        noted.note(request);
        Answer::ok("[]")
    });
    let environments = [(MAIN, "client"), (OTHER, "other")].map(|(id, key)| ConfiguredEnvironment {
        id,
        options: EnvironmentOptions {
            client_side_key: EnvironmentKey::new(key),
            server_side_keys: Vec::new(),
            source: DocumentSource::Upstream,
            fallback: None,
        },
    });
    let options = WriteThroughOptions {
        intake_bytes: 256 * 1024,
        pending_bytes: 256 * 1024,
        ..quick()
    };
    let configured = watch::channel(Arc::from(environments)).1;
    let api = UpstreamOptions::new(upstream.api_url());
    let counts = Arc::default();
    let write_through =
        WriteThroughHandle::start(options, api, configured, counts, &Lifelines::new()).unwrap();
    let value = "v".repeat(1_000);
    let flood = |number: usize| {
        let body =
            format!(r#"{{"identifier":"o{number}","traits":[{{"trait_key":"k","trait_value":"{value}"}}]}}"#);
        let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
        write_through.see(OTHER, KeyKind::Client, &identity);
    };
    flood(0);
    rested(&write_through).await;
    let calls = upstream.requests().len();
    // Its share is many times what it is given here between two looks.
    for round in 0..20 {
        (0..500).for_each(|number| flood(round * 500 + number));
        for identity in 0..10 {
            see(&write_through, &body(round * 10 + identity, 0));
        }
        rested(&write_through).await;
        assert_eq!(
            told.count(),
            (round + 1) * 20,
            "none of the other one's is turned away"
        );
    }
    let mut requests = upstream.requests().split_off(calls);
    requests.retain(|request| request.header("X-Environment-Key") == Some("other"));
    assert!(requests.is_empty(), "the rejected key is left alone");
}

#[actix_rt::test]
async fn an_upstream_that_fails_at_everything_is_called_less_and_gets_everything_in_the_end() {
    let (upstream, told) = upstream();
    upstream.script(|_| Answer::status(500));
    let options = WriteThroughOptions {
        waits: (Duration::from_millis(100), Duration::from_secs(100)),
        ..quick()
    };
    let write_through = start(&upstream, options);
    for identity in 0..1_000 {
        see(&write_through, &body(identity, 0));
    }
    upstream.wait_for(20).await;
    // Those that find it out, and one after each wait, which is twice as long as the one before.
    for _ in 0..20 {
        looked(&write_through).await;
    }
    let calls = upstream.requests().len();
    assert!(calls < 60, "{calls}");
    let noted = Arc::clone(&told);
    upstream.script(move |request| {
        noted.note(request);
        Answer::ok("[]")
    });
    told.reach(2_000).await;
}

#[actix_rt::test]
async fn many_that_upstream_fails_at_keep_nobody_else_back() {
    let told = Arc::new(Told::default());
    let noted = Arc::clone(&told);
    let upstream = ScriptedUpstream::start(move |request| {
        if String::from_utf8_lossy(&request.body).contains("bad") {
            return Answer::status(500);
        }
        noted.note(request);
        Answer::ok("[]")
    });
    let write_through = start(&upstream, quick());
    // The first ones of all, more than it takes to believe that it is not well.
    for identity in 0..100 {
        see(&write_through, &format!(r#"{{"identifier":"bad{identity}"}}"#));
    }
    for identity in 0..100 {
        see(&write_through, &body(identity, 0));
    }
    told.reach(200).await;
}
