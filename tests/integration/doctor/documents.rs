//! Documents, from upstream and from files, that are not what is meant.
use serde_json::{Value, json};
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{answering, at, config, document, examine, examine_in, folder};
use crate::harness::{CLIENT_KEY, SERVER_KEY, command, merge};

fn with(change: impl FnOnce(&mut Value)) -> ScriptedUpstream {
    let mut document = document();
    change(&mut document);
    ScriptedUpstream::serving(&document)
}

#[test]
fn what_is_no_document() {
    for (body, says) in [
        (r#"{"detail": "hello"}"#, "no environment document"),
        ("{ broken", "not JSON"),
    ] {
        let upstream = answering(Answer::ok(body).header("Content-Type", "application/json"));
        let diagnosis = examine(&at(&upstream.api_url()));
        diagnosis.assert_fails(("key pair 1", "document"), says);
        assert!(
            diagnosis
                .says(("key pair 1", "key"))
                .contains("takes the server-side key")
        );
    }
}

/// Nothing redirects, and nobody logs in.
#[test]
fn a_next_page_that_is_elsewhere() {
    for next in ["https://other.test/?page_id=1", "ftp://other.test/"] {
        let answer = Answer::ok(document().to_string()).header("Content-Type", "application/json");
        let upstream = answering(answer.header("Link", format!("<{next}>; rel=\"next\"")));
        let diagnosis = examine(&at(&upstream.api_url()));
        diagnosis.assert_fails(("key pair 1", "document"), "the next page of identity overrides");
        let told = diagnosis.says(("key pair 1", "document"));
        assert!(!told.contains("redirect") && !told.contains("login"), "{told}");
        let (detail, advice) = told.split_once(" \u{2192} ").unwrap();
        assert!(detail.ends_with("for keys are not sent there"), "{told}");
        assert!(advice.starts_with("check what is between"), "{told}");
    }
}

/// What to do stands apart, and is nothing about a file.
#[test]
fn a_document_in_utf_16() {
    let text = format!("\u{FEFF}{}", document());
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let upstream = answering(Answer::ok(bytes).header("Content-Type", "application/json"));
    let diagnosis = examine(&at(&upstream.api_url()));
    assert_eq!(
        diagnosis.says(("key pair 1", "document")),
        "the answer is not JSON (it is UTF-16, and JSON is UTF-8) \u{2192} check that api_url names Flagsmith's API"
    );
}

#[test]
fn a_document_that_nearly_or_wholly_takes_too_much_memory() {
    for (bytes, verdict, says) in [
        (100_000, "ok", ""),
        (190_000, "warning", "KiB of 512 KiB"),
        (400_000, "failure", "upstream.document_memory_bytes"),
    ] {
        let upstream = with(|document| document["padding"] = json!("x".repeat(bytes)));
        let mut config = at(&upstream.api_url());
        merge(
            &mut config,
            &json!({"upstream": {"document_memory_bytes": 1024 * 1024}}),
        );
        let diagnosis = examine(&config);
        match verdict {
            "ok" => diagnosis.assert_is_sound(),
            verdict => diagnosis.assert(verdict, ("key pair 1", "document"), says),
        }
    }
}

#[test]
fn what_the_engine_does_not_understand() {
    let upstream = with(|document| {
        document["project"]["segments"] = json!([{"id": 7, "name": "beta", "feature_states": [], "rules": [
            {"type": "ALL", "rules": [], "conditions": [{"operator": "REGEX", "property_": "plan", "value": "("}]},
        ]}]);
    });
    examine(&at(&upstream.api_url())).assert_warns(("key pair 1", "warnings"), "beta");
}

#[test]
fn an_organisation_that_serves_no_flags() {
    let upstream = with(|document| document["project"]["organisation"]["stop_serving_flags"] = json!(true));
    examine(&at(&upstream.api_url()))
        .assert_warns(("key pair 1", "organisation"), "disabled from serving flags");
}

#[test]
fn a_project_without_realtime_updates() {
    let upstream = with(|document| document["project"]["enable_realtime_updates"] = json!(false));
    let mut config = at(&upstream.api_url());
    merge(
        &mut config,
        &json!({"realtime": {"upstream_url": upstream.origin()}}),
    );
    examine(&config).assert_warns(("realtime", "project"), "realtime updates are off");
}

#[test]
fn keys_of_two_environments_in_one_pair() {
    // The second pair's document is that of the first one.
    let upstream = ScriptedUpstream::serving(&document());
    let mut config = at(&upstream.api_url());
    config["environment_key_pairs"] = json!([
        {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY},
        {"client_side_key": "another-client-key", "server_side_key": "ser.another"},
    ]);
    let diagnosis = examine(&config);
    diagnosis.assert_fails(("key pair 2", "environment"), "that of key pair 1");
    assert!(!diagnosis.report.to_string().contains("another-client-key"));
}

#[test]
fn overrides_on_several_pages_are_counted() {
    let upstream = ScriptedUpstream::start(|request| {
        let json = |body: Value| Answer::ok(body.to_string()).header("Content-Type", "application/json");
        match request.target.contains("page_id") {
            true => json(json!({"identity_overrides": document()["identity_overrides"]})),
            false => json(document()).header("Link", r#"<?page_id=2>; rel="next""#),
        }
    });
    let diagnosis = examine(&at(&upstream.api_url()));
    diagnosis.assert_is_sound();
    assert!(
        diagnosis
            .says(("key pair 1", "overrides"))
            .contains("2 identities have overrides, on 2 pages")
    );
}

#[test]
fn files_that_cannot_serve() {
    let served =
        json!({"environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "d.json"}]});
    for (content, says) in [
        (None, "No such file"),
        (Some("{"), "not JSON"),
        (Some("{}"), "no environment document"),
    ] {
        let folder = folder(&config(&served));
        if let Some(content) = content {
            std::fs::write(folder.path().join("d.json"), content).unwrap();
        }
        examine_in(folder.path(), &[]).assert_fails(("key pair 1", "file"), says);
    }
}

/// As `check` does, and a start: it is served.
#[test]
fn a_file_with_another_environment_s_document_is_warned_of() {
    let upstream = ScriptedUpstream::serving(&document());
    let mut foreign = document();
    foreign["api_key"] = json!("another-client-key");
    foreign["updated_at"] = json!(engine::UpdatedAt::now().to_rfc3339());
    let mut with_fallback = at(&upstream.api_url());
    with_fallback["environment_key_pairs"][0]["fallback_document_path"] = json!("d.json");
    let served = json!({"client_side_key": CLIENT_KEY, "document_path": "d.json"});
    let served = config(&json!({"environment_key_pairs": [served]}));
    for (config, check, says) in [
        (served, "environment", "key pair 1: its document is another"),
        (
            with_fallback,
            "fallback",
            "key pair 1: fallback_document_path: its document is another",
        ),
    ] {
        let folder = folder(&config);
        std::fs::write(folder.path().join("d.json"), foreign.to_string()).unwrap();
        let diagnosis = examine_in(folder.path(), &[]);
        diagnosis.assert_warns(("key pair 1", check), "another environment");
        assert!(!diagnosis.report.to_string().contains("another-client-key"));
        let output = command(folder.path()).arg("check").output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(told.contains(says), "{told}");
    }
}

#[test]
fn fallback_documents_that_are_of_no_use() {
    let mut newer = document();
    newer["updated_at"] = json!("2025-03-01T00:00:00+00:00");
    let upstream = ScriptedUpstream::serving(&newer);
    let mut config = at(&upstream.api_url());
    config["environment_key_pairs"][0]["fallback_document_path"] = json!("seed.json");
    let mut fresh = document();
    fresh["updated_at"] = json!(engine::UpdatedAt::now().to_rfc3339());
    for (content, verdict, says) in [
        (None, "failure", "No such file"),
        (Some("{".to_owned()), "failure", "not JSON"),
        (Some(document().to_string()), "warning", "days ago"),
        // Nothing has changed since, however long that is.
        (Some(newer.to_string()), "ok", ""),
        (Some(fresh.to_string()), "ok", ""),
    ] {
        let folder = folder(&config);
        if let Some(content) = content {
            std::fs::write(folder.path().join("seed.json"), content).unwrap();
        }
        let diagnosis = examine_in(folder.path(), &[]);
        match verdict {
            "ok" => diagnosis.assert_is_sound(),
            verdict => diagnosis.assert(verdict, ("key pair 1", "fallback"), says),
        }
    }
}
