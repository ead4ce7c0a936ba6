//! What requests cost over HTTP/2, ten at a time on each connection, beside a bare handler on actix-web's server.
use std::io;

use bench::child::{BareOn, Server, Start};
use bench::comparison::measure_with;
use bench::documents::{CLIENT_KEY, Profile, SIMPLE, SIZING};
use bench::http2;
use test_support::http::{Request, ask};

use super::cases::FLAGS;
use super::options::Options;
use super::report::Report;
use super::requests::start_proxy_with;

const ROWS: [(&str, &str, Profile); 2] = [
    ("http2-flags-simple", "GET flags, simple, HTTP/2", SIMPLE),
    ("http2-flags-sizing", "GET flags, sizing, HTTP/2", SIZING),
];

/// Measures every row that is wanted.
pub(crate) fn measure(options: &Options, report: &mut Report) {
    for (name, what, profile) in ROWS {
        if options.wants(name)
            && let Err(error) = measure_row(name, what, profile, options, report)
        {
            report.failed(name, &error);
        }
    }
}

fn measure_row(
    name: &'static str,
    what: &'static str,
    profile: Profile,
    options: &Options,
    report: &mut Report,
) -> io::Result<()> {
    let start = Start {
        speaks_http2: true,
        ..Start::default()
    };
    let proxy = start_proxy_with(profile, start)?;
    // Both protocols are answered on one port.
    let answer = ask(proxy.address, &Request::get(FLAGS).key(CLIENT_KEY))?;
    let (against, other) = match options.beside.as_deref() {
        Some(build) => {
            let build = Some(build);
            (
                "the other build",
                start_proxy_with(profile, Start { build, ..start })?,
            )
        }
        None => {
            let bare = Server::start_bare(BareOn::ActixHttp2, "GET", FLAGS, &answer.bytes())?;
            ("bare GET", bare)
        }
    };
    let request = |server: &Server| {
        http::Request::builder()
            .uri(format!("http://{}{FLAGS}", server.address))
            .header("x-environment-key", CLIENT_KEY)
            .body(())
            .map_err(io::Error::other)
    };
    let servers = [&proxy, &other];
    let requests = [request(&proxy)?, request(&other)?];
    let costs = measure_with(&servers, &options.plan, |runtime, place, duration| {
        let (Some(server), Some(request)) = (servers.get(place), requests.get(place)) else {
            return Err(io::Error::other("no such server"));
        };
        let driven = http2::drive(
            server.address,
            request,
            answer.status,
            answer.body.len(),
            duration,
        );
        runtime.block_on(driven)
    })?;
    if let [own, other] = costs.as_slice() {
        report.compare(name, what, own, against, other);
    }
    Ok(())
}
