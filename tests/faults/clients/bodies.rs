//! Bodies without a bound.
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use test_support::documents::FIXTURE;
use test_support::findings::Findings;

use super::scene::{BadClient, CLIENT_KEY, Scene};
use crate::harness::volume;

const GIGABYTE: u64 = 1_000_000_000;
const WHOLE: u64 = 10 * GIGABYTE;

/// What the proxy and the kernel's buffers on both sides may take before the connection ends, in bytes.
const MOST_TAKEN: u64 = 64 << 20;

/// Where a body goes, and what it is answered with.
const TARGETS: [(&str, u16); 6] = [
    ("POST /api/v1/identities/", 413),
    ("POST /api/v1/analytics/flags/", 413),
    ("POST /api/v1/traits/", 413),
    ("GET /api/v1/flags/", 200),
    ("PUT /api/v1/flags/", 405),
    ("POST /nowhere", 404),
];

pub(super) fn ten_gigabytes(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start(FIXTURE, json!({}));
    let good = scene.good_client();
    let mut most = 0;
    for _ in 0..volume(1, 20) {
        for (target, status) in TARGETS {
            for framing in [
                format!("Content-Length: {WHOLE}"),
                "Transfer-Encoding: chunked".to_owned(),
            ] {
                let is_chunked = framing.starts_with('T');
                let head = format!(
                    "{target} HTTP/1.1\r\nHost: p\r\nX-Environment-Key: {CLIENT_KEY}\r\n{framing}\r\n\r\n"
                );
                let mut client = BadClient::connect(scene.address()).map_err(|error| error.to_string())?;
                client.write(head.as_bytes()).map_err(|error| error.to_string())?;
                let taken = pour(&mut client, is_chunked);
                most = most.max(taken);
                findings.tried(1);
                if taken > MOST_TAKEN {
                    return Err(format!("{target}, {framing}: {taken} bytes were taken"));
                }
                // Where the answer came before the connection was reset, it is the right one.
                if let Some(answered) = client.status()
                    && answered != status
                {
                    return Err(format!("{target}, {framing}: {answered} in place of {status}"));
                }
            }
        }
    }
    findings.clients(format!(
        "refused, none with more than {:.1} MB taken",
        most as f64 / 1e6
    ));
    scene.end(good, findings)
}

/// Sends as fast as the proxy reads: how many bytes it and the kernel took.
fn pour(client: &mut BadClient, is_chunked: bool) -> u64 {
    let piece = vec![b'x'; 256 * 1024];
    let piece = if is_chunked {
        [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat()
    } else {
        piece
    };
    let mut taken = 0;
    while taken < WHOLE {
        match client.0.write(&piece) {
            // A piece that is not taken whole is no chunk any more; what it is matters as little as the rest.
            Ok(written) if written > 0 => taken += written as u64,
            _ => break,
        }
    }
    taken
}

/// A gigabyte of blanks takes a megabyte as gzip, which a body may have: 60 members of 17 MB each.
fn bomb() -> std::io::Result<Vec<u8>> {
    const MEMBERS: usize = 60;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let mut blanks = std::io::repeat(b' ').take(GIGABYTE.div_ceil(MEMBERS as u64));
    std::io::copy(&mut blanks, &mut encoder)?;
    Ok(encoder.finish()?.repeat(MEMBERS))
}

pub(super) fn bombs(findings: &mut Findings) -> Result<(), String> {
    let bomb = bomb().map_err(|error| error.to_string())?;
    let scene = Scene::start(FIXTURE, json!({}));
    let good = scene.good_client();
    let head = format!(
        "POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: {CLIENT_KEY}\r\nContent-Encoding: gzip\r\n\
         Content-Length: {}\r\n\r\n",
        bomb.len()
    );
    let bombs = volume(20, 1_000);
    for _ in 0..bombs {
        let mut client = BadClient::connect(scene.address()).map_err(|error| error.to_string())?;
        let _ = client.write(head.as_bytes());
        let _ = client.write(&bomb);
        let status = client.status();
        if !matches!(status, Some(413 | 503)) {
            return Err(format!("{status:?} for a body that decodes to a gigabyte"));
        }
    }
    findings.tried(bombs);
    findings.clients("all refused with 413, or 503 where many came at once");
    scene.end(good, findings)
}
