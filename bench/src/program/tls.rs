//! What requests over kept TLS connections cost, beside a bare handler on actix-web's own server with rustls.
use std::io;

use bench::child::{BareOn, Server, Start};
use bench::comparison::{Subject, measure as measure_subjects};
use bench::documents::{Profile, SIMPLE, SIZING};

use super::cases::FLAGS;
use super::options::Options;
use super::report::Report;
use super::requests::{flags_request, start_proxy_with};

const ROWS: [(&str, &str, Profile); 2] = [
    ("tls-flags-simple", "GET flags, simple, over TLS", SIMPLE),
    ("tls-flags-sizing", "GET flags, sizing, over TLS", SIZING),
];

/// Measures every row that is wanted.
pub(crate) fn measure(options: &Options, report: &mut Report) -> io::Result<()> {
    for (name, what, profile) in ROWS {
        if !options.wants(name) {
            continue;
        }
        let start = Start {
            speaks_tls: true,
            ..Start::default()
        };
        let proxy = start_proxy_with(profile, start)?;
        let answer = proxy.ask(&flags_request())?;
        let bare = Server::start_bare(BareOn::ActixTls, "GET", FLAGS, &answer.bytes())?;
        let subjects = [proxy, bare].map(|server| Subject::new(server, flags_request()));
        let [own, other] = &subjects;
        if let [own, other] = measure_subjects(&[own, other], &options.plan)?.as_slice() {
            report.compare(name, what, own, "bare GET over TLS", other);
        }
    }
    Ok(())
}
