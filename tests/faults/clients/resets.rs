//! Connections that are reset while their answers are on the way.
use std::io::Read as _;

use serde_json::json;
use test_support::documents::with_many_features;
use test_support::findings::{Findings, grouped};
use test_support::http::Request;

use super::scene::{BadClient, CLIENT_KEY, Scene, document, flags, identity, share_out};
use crate::harness::volume;

/// The document has some 2 MB then, far more than the kernel keeps of an answer.
const FEATURES: usize = 5_000;

pub(super) fn resets(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start(with_many_features(FEATURES).to_string(), json!({}));
    let good = scene.good_client();
    let stream = Request::get(&format!("/sse/environments/{CLIENT_KEY}/stream"));
    let requests = [document(), flags(), identity(), stream].map(|request| request.bytes());
    let reset = share_out(volume(200, 10_000), |_, times| {
        for time in 0..times {
            let mut client = BadClient::connect(scene.address()).expect("a connection");
            let request = &requests[(time % 4) as usize];
            // Before its answer, at the answer's head, or in its body; dropping it resets it.
            client.write(request).expect("a request");
            let read = [0, 1, 100, 10_000][(time / 4 % 4) as usize];
            let most = if time % 4 == 3 { 100 } else { read };
            let _ = client.0.read_exact(&mut vec![0; read.min(most)]);
        }
        times
    });
    let reset: u64 = reset.into_iter().sum();
    findings.tried(reset);
    findings.clients(format!("{} connections reset", grouped(reset)));
    scene.end(good, findings)
}
