//! Random bytes, and valid requests with random changes.
use test_support::documents::FIXTURE;
use test_support::findings::Findings;

use fastrand::Rng;
use serde_json::json;

use super::scene::{BadClient, CLIENT_KEY, SERVER_KEY, Scene, document, flags, identity, share_out};
use crate::harness::volume;

/// What changes are made of, beside random bytes: what parsers stumble over.
const TOKENS: [&[u8]; 22] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"Content-Length: 18446744073709551616\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    b"Content-Encoding: gzip\r\n",
    b"\xff\xfe",
    b"%00%ff%",
    b"[[[[[[[[",
    b"\"\\ud800",
    b"1e999",
];

/// Requests that are valid as they stand.
fn valid() -> Vec<Vec<u8>> {
    let chunked = format!(
        "POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: {CLIENT_KEY}\r\nTransfer-Encoding: chunked\r\n\r\n\
         14\r\n{{\"identifier\":\"bob\"}}\r\n0\r\n\r\n"
    );
    let streamed = format!("GET /sse/environments/{CLIENT_KEY}/stream HTTP/1.1\r\nHost: p\r\n\r\n");
    let analytics = format!(
        "POST /api/v1/analytics/flags/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: {SERVER_KEY}\r\nContent-Length: 12\r\n\r\n\
         {{\"banner\":1}}"
    );
    let preflight = "OPTIONS /api/v1/flags/ HTTP/1.1\r\nHost: p\r\nOrigin: https://a\r\n\
                     Access-Control-Request-Method: GET\r\n\r\n";
    let probe = "GET /proxy/health HTTP/1.0\r\n\r\n";
    let text = [
        chunked,
        streamed,
        analytics,
        preflight.to_owned(),
        probe.to_owned(),
    ];
    let mut valid = vec![flags().bytes(), identity().bytes(), document().bytes()];
    valid.extend(text.map(String::into_bytes));
    valid
}

/// A valid request with a few changes, or nothing but random bytes.
fn request(random: &mut Rng, valid: &[Vec<u8>]) -> Vec<u8> {
    if random.u8(..) < 64 {
        let length = random.usize(1..=400);
        return (0..length).map(|_| random.u8(..)).collect();
    }
    let mut bytes = valid[random.usize(..valid.len())].clone();
    for _ in 0..random.usize(1..=6) {
        let at = random.usize(..=bytes.len());
        match random.u8(..6) {
            0 => bytes.insert(at, random.u8(..)),
            1 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            2 => bytes.truncate(at),
            3 => {
                let token = TOKENS[random.usize(..TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
            4 => {
                let other = &valid[random.usize(..valid.len())];
                let from = random.usize(..other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
            _ => {
                let end = random.usize(at..=bytes.len());
                let part = bytes[at..end].repeat(random.usize(..4));
                bytes.splice(at..end, part);
            }
        }
        if bytes.is_empty() {
            bytes.push(b'\n');
        }
    }
    bytes
}

pub(super) fn random_bytes(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start(FIXTURE, json!({}));
    let good = scene.good_client();
    let valid = valid();
    let wrong = share_out(volume(3_000, 100_000), |number, requests| {
        let mut random = Rng::with_seed(number);
        let (mut answered, mut refused) = (0, 0);
        for _ in 0..requests {
            let bytes = request(&mut random, &valid);
            let mut client = BadClient::connect(scene.address()).map_err(|error| error.to_string())?;
            // What is refused early is not read to its end.
            let _ = client.write(&bytes);
            client.finish();
            match client.status() {
                Some(100..=399) | None => answered += 1,
                // Streams past a limit, and writes to an upstream that has no such path.
                Some(400..=499 | 503) => refused += 1,
                Some(status) => return Err(format!("{status} for {:?}", String::from_utf8_lossy(&bytes))),
            }
        }
        Ok((answered, refused))
    });
    let (mut answered, mut refused) = (0_u64, 0_u64);
    for outcome in wrong {
        let (with_answer, with_refusal) = outcome?;
        answered += with_answer;
        refused += with_refusal;
    }
    findings.tried(answered + refused);
    findings.clients(format!(
        "{refused} refused with 4xx or 503, {answered} answered or ended, no other 5xx"
    ));
    scene.end(good, findings)
}
