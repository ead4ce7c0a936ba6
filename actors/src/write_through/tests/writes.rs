//! What is written, and how often.
use super::*;

#[actix_rt::test]
async fn of_100_000_identities_each_change_arrives_once_and_in_batches() {
    const IDENTITIES: usize = 100_000;
    let (upstream, told) = upstream();
    let options = WriteThroughOptions {
        period: Duration::from_millis(100),
        // So that none of 300,000 drives another one out.
        remembered: 1 << 22,
        ..quick()
    };
    let write_through = start(&upstream, options);
    // After each look the last batch may be a part of one.
    let looks = || usize::try_from(*write_through.shared.looks.all.borrow()).unwrap() + 1;
    for identity in 0..IDENTITIES {
        see(&write_through, &body(identity, 0));
    }
    told.reach(2 * IDENTITIES).await;
    let calls = upstream.requests().len();
    assert!((1_000..=1_000 + looks()).contains(&calls), "{calls}");

    // A tenth changes, and everybody is seen several times.
    let before = looks();
    for _ in 0..3 {
        for identity in 0..IDENTITIES {
            see(&write_through, &body(identity, usize::from(identity % 10 == 0)));
        }
    }
    told.reach(2 * IDENTITIES + IDENTITIES / 10).await;
    rested(&write_through).await;
    let told = told.traits.lock().unwrap();
    for identity in 0..IDENTITIES {
        let of = |key: &str| &told[&(format!("i{identity}"), key.to_owned())];
        assert_eq!(*of("plan"), ["pro"]);
        let changes = if identity % 10 == 0 { &[0, 1][..] } else { &[0] };
        assert_eq!(*of("n"), changes, "{identity}");
    }
    let more = upstream.requests().len() - calls;
    assert!((100..=100 + looks() - before).contains(&more), "{more}");
}

#[actix_rt::test]
async fn a_write_says_what_flagsmith_expects() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let write_through = start(&upstream, quick());
    see(
        &write_through,
        r#"{"identifier":" \"é ","traits":[{"trait_key":"a","trait_value":1.50},{"trait_key":"b","trait_value":null}]}"#,
    );
    upstream.wait_for(1).await;
    let request = upstream.requests().remove(0);
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/api/v1/bulk-identities/")
    );
    assert_eq!(request.header("X-Environment-Key"), Some("client"));
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    assert_eq!(
        String::from_utf8(request.body).unwrap(),
        r#"{"data":[{"identifier":"\"é","traits":[{"trait_key":"a","trait_value":1.50},{"trait_key":"b","trait_value":null}]}]}"#
    );
}

#[actix_rt::test]
async fn what_is_transient_or_known_is_not_written() {
    let (upstream, told) = upstream();
    let write_through = start(&upstream, quick());
    for body in [
        r#"{"identifier":"s","transient":true,"traits":[{"trait_key":"k","trait_value":1}]}"#,
        r#"{"traits":[{"trait_key":"k","trait_value":1}]}"#,
        r#"{"identifier":"i","traits":[{"trait_key":"s","trait_value":1,"transient":true},{"trait_key":"k","trait_value":1}]}"#,
        r#"{"identifier":"i","traits":[{"trait_key":"s","trait_value":2,"transient":true},{"trait_key":"k","trait_value":1}]}"#,
        r#"{"identifier":"i"}"#,
    ] {
        see(&write_through, body);
    }
    told.reach(1).await;
    // Two services that know different traits of one identity.
    for _ in 0..10 {
        for sent in ["k", "l"] {
            see(
                &write_through,
                &format!(r#"{{"identifier":"i","traits":[{{"trait_key":"{sent}","trait_value":1}}]}}"#),
            );
            rested(&write_through).await;
        }
    }
    see(&write_through, r#"{"identifier":"alone"}"#);
    upstream.wait_for(3).await;
    rested(&write_through).await;
    let requests = upstream.requests();
    let last = requests[2].json();
    assert_eq!(last["data"][0]["identifier"], "alone");
    assert_eq!((requests.len(), told.count()), (3, 2));
}

#[actix_rt::test]
async fn a_trait_that_changes_back_is_written_again() {
    let (upstream, told) = upstream();
    let write_through = start(&upstream, quick());
    for (value, count) in [(1, 2), (2, 3), (1, 4)] {
        see(&write_through, &body(0, value));
        told.reach(count).await;
    }
    let told = told.traits.lock().unwrap();
    assert_eq!(told[&("i0".to_owned(), "n".to_owned())], [1, 2, 1]);
}

#[actix_rt::test]
async fn what_somebody_else_writes_is_news_again() {
    let (upstream, told) = upstream();
    let write_through = start(&upstream, quick());
    see(&write_through, &body(0, 1));
    told.reach(2).await;
    rested(&write_through).await;
    let identity = Identity::from_json(br#"{"identifier":"i0"}"#, || [0; 16]).unwrap();
    write_through.written_elsewhere(MAIN, &identity, Some("n"));
    see(&write_through, &body(0, 1));
    told.reach(3).await;
    rested(&write_through).await;
    let told = told.traits.lock().unwrap();
    assert_eq!(told[&("i0".to_owned(), "n".to_owned())], [1, 1]);
}

#[actix_rt::test]
async fn without_bulk_identities_are_written_one_by_one() {
    for status in [404, 405, 415] {
        let told = Arc::new(Told::default());
        let noted = Arc::clone(&told);
        let upstream = ScriptedUpstream::start(move |request| {
            if request.target == "/api/v1/bulk-identities/" {
                return Answer::status(status);
            }
            assert_eq!(request.target, "/api/v1/identities/");
            noted.note(request);
            Answer::ok("{}")
        });
        let write_through = start(&upstream, quick());
        for identity in 0..20 {
            see(&write_through, &body(identity, 0));
        }
        told.reach(40).await;
        let bulk = |upstream: &ScriptedUpstream| {
            let mut requests = upstream.requests();
            requests.retain(|request| request.target.contains("bulk"));
            requests.len()
        };
        let tried = bulk(&upstream);
        assert!((1..=4).contains(&tried), "{tried}");
        see(&write_through, &body(0, 1));
        told.reach(41).await;
        assert_eq!(bulk(&upstream), tried, "it is not tried again for a while");
    }
}

#[actix_rt::test]
async fn environments_from_files_write_nothing() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let write_through = WriteThroughHandle::start(
        quick(),
        UpstreamOptions::new(upstream.api_url()),
        configured(DocumentSource::File("environment.json".into())),
        Arc::default(),
        &Lifelines::new(),
    )
    .unwrap();
    see(&write_through, &body(0, 0));
    rested(&write_through).await;
    assert!(upstream.requests().is_empty());
}
