//! Connections of which one half is closed: the client says that it sends nothing more, at every point of a request.
use std::io::Read as _;

use serde_json::json;
use test_support::documents::FIXTURE;
use test_support::findings::Findings;

use super::scene::{BadClient, Scene, flags, identity};
use crate::harness::volume;

pub(super) fn halves(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start(FIXTURE, json!({}));
    let good = scene.good_client();
    let (mut answered, mut ended) = (0_u64, 0_u64);
    for request in [flags().bytes(), identity().bytes()] {
        let step = volume(7, 1);
        for length in (0..=request.len()).step_by(step).chain([request.len()]) {
            let mut client = BadClient::connect(scene.address()).map_err(|error| error.to_string())?;
            client
                .write(&request[..length])
                .map_err(|error| error.to_string())?;
            client.finish();
            let status = client.status();
            let is_whole = length == request.len();
            match status {
                Some(200) if is_whole => answered += 1,
                // Of what breaks off there is an answer where a request has begun.
                None | Some(400..=499) if !is_whole => ended += 1,
                _ => return Err(format!("{status:?} for {length} bytes of {}", request.len())),
            }
            let mut rest = Vec::new();
            let is_ended = client.0.read_to_end(&mut rest).is_ok();
            if !is_ended {
                return Err(format!(
                    "the connection does not end in good order behind {length} bytes"
                ));
            }
        }
    }
    findings.tried(answered + ended);
    findings.clients(format!(
        "{answered} whole requests answered, {ended} parts refused or ended"
    ));
    scene.end(good, findings)
}
