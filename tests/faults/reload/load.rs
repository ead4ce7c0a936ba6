//! Reloads while clients ask and listen.
use serde_json::{Value, json};
use test_support::findings::Findings;

use super::clients::Clients;
use super::scene::{KEY, READ_AGAIN, REFUSED, Scene, overwrite, pair};
use crate::harness::volume;

/// The configuration number `step`: each of its bits switches some options.
fn varied(scene: &Scene, step: usize) -> Value {
    let bit = |place: u32| step & (1 << place) != 0;
    let mut pairs = vec![pair(KEY)];
    if bit(0) {
        pairs.insert(0, pair(&format!("comes-{}", step % 7)));
    }
    if bit(1) {
        pairs[0]["server_side_keys"] = json!(["ser.next"]);
    }
    let mut config = scene.config(&pairs);
    config["allow_origins"] = if bit(2) {
        json!(["https://a.b"])
    } else {
        json!("*")
    };
    config["api_poll_frequency_seconds"] = json!(if bit(3) { 1 } else { 3600 });
    config["api_poll_timeout_seconds"] = json!(if bit(3) { 3 } else { 5 });
    config["realtime"]["authentication_token"] = json!(format!("token {}", step % 3));
    config["realtime"]["max_subscribers"] = json!(1_000 + step % 5);
    config["realtime"]["notify_spread_ms"] = json!(step % 4);
    config["server"]["max_body_bytes_in_flight"] = json!(64 * 1024 * 1024 + step);
    config["upstream"] = json!({"document_memory_bytes": 512 * 1024 * 1024 + step});
    config["health_check"] = json!({"environment_update_grace_period_seconds": 30 + step % 9});
    config["logging"] = json!({"log_format": if bit(4) { "json" } else { "generic" }});
    config["analytics"] = json!(!bit(5));
    config["forward_identities"] = json!(bit(6));
    if bit(7) {
        config["realtime"]["upstream_url"] = json!(scene.upstream.origin());
    }
    config
}

pub(super) fn reloads_under_load(findings: &mut Findings) -> Result<(), String> {
    let (reloads, asking, listening) = (volume(60, 1_000), volume(4, 16), volume(8, 100));
    let invalid_each = volume(30, 200);
    let scene = Scene::start();
    let clients = Clients::start(&scene.proxy, asking, listening);
    let warm = reloads / 4;
    let mut before = (0, 0);
    for step in 1..=reloads {
        if step % invalid_each == 0 {
            overwrite(&scene.path(), r#"{"environment_key_pairs": [{"#);
            scene.wait_for(step / invalid_each, REFUSED);
            findings.tried(1);
        }
        overwrite(&scene.path(), &varied(&scene, step).to_string());
        scene.proxy.signal("HUP");
        scene.wait_for(step, READ_AGAIN);
        if step == warm {
            before = (scene.proxy.resident_kib(), scene.proxy.descriptors());
        }
    }
    overwrite(&scene.path(), &varied(&scene, warm).to_string());
    scene.proxy.signal("HUP");
    scene.wait_for(reloads + 1, READ_AGAIN);
    let (resident, descriptors) = (scene.proxy.resident_kib(), scene.proxy.descriptors());
    clients.end(findings)?;
    findings.log(format!("{reloads} times: {READ_AGAIN}, and is in force"));
    findings.readiness(scene.proxy.readiness().to_string());
    // Connections to upstream idle for half a minute.
    let upstream_connections = 8;
    if descriptors > before.1 + upstream_connections {
        return Err(format!("{descriptors} descriptors, {} before", before.1));
    }
    if resident > before.0 * 11 / 10 + 2_048 {
        return Err(format!("{resident} KiB resident, {} before", before.0));
    }
    findings.clients(format!(
        "resident {} KiB, then {resident} KiB; {} descriptors, then {descriptors}",
        before.0, before.1
    ));
    Ok(())
}
