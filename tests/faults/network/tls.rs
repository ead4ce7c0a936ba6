//! TLS with upstream that fails.
use super::{Authority, Detour, Reach, Row, TLS12, TLS13, answering, replace, row};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("upstream's certificate has expired", |findings| {
            let expired =
                |way: &super::Way| way.present(&way.authority.issue_between("localhost", 2000, 2001));
            Detour::of(Reach::Directly, expired, &["the certificate has expired"]).run(findings)
        }),
        row("upstream's certificate is not valid yet", |findings| {
            let future =
                |way: &super::Way| way.present(&way.authority.issue_between("localhost", 3000, 4000));
            Detour::of(Reach::Directly, future, &["the certificate is not valid yet"]).run(findings)
        }),
        row("upstream's certificate is for another host", |findings| {
            let other = |way: &super::Way| way.present(&way.authority.issue("other.test"));
            Detour::of(Reach::Directly, other, &["the certificate is for another host"]).run(findings)
        }),
        row("an authority that is not trusted", |findings| {
            let unknown = |way: &super::Way| way.present(&Authority::new("Unknown").issue("localhost"));
            Detour::of(
                Reach::Directly,
                unknown,
                &["an authority that is not trusted here"],
            )
            .run(findings)
        }),
        row("a new authority, until upstream.ca_file has it", |findings| {
            let renewed = |way: &super::Way| {
                let next = Authority::new("Corporate, renewed");
                way.present(&next.issue("localhost"));
                replace(&way.files.path().join("next.pem"), &next.pem());
            };
            let trust = |way: &super::Way| {
                let next = std::fs::read_to_string(way.files.path().join("next.pem")).unwrap();
                replace(
                    &way.files.path().join("ca.pem"),
                    &format!("{}{next}", way.authority.pem()),
                );
            };
            let detour = Detour::of(
                Reach::Directly,
                renewed,
                &["an authority that is not trusted here"],
            );
            detour.mended_by_a_file(trust).run(findings)
        }),
        row("a client's certificate is wanted, by TLS 1.2", |findings| {
            let wanting = |way: &super::Way| {
                let staff = Authority::new("Staff");
                let server = way.authority.issue("localhost");
                way.front.present(server.server_of(Some(&staff), &[&TLS12]));
            };
            Detour::of(
                Reach::Directly,
                wanting,
                &["the server wants a client's certificate"],
            )
            .run(findings)
        }),
        row("a client's certificate is wanted, by TLS 1.3", |findings| {
            let wanting = |way: &super::Way| {
                let staff = Authority::new("Staff");
                let server = way.authority.issue("localhost");
                way.front.present(server.server_of(Some(&staff), &[&TLS13]));
            };
            Detour::of(
                Reach::Directly,
                wanting,
                &["the server wants a client's certificate"],
            )
            .run(findings)
        }),
        row("https is spoken to an http port", |findings| {
            let speaking_http = |way: &super::Way| {
                way.lead_to(answering(
                    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                ))
            };
            let says = &["https is spoken to a port that does not speak it"];
            Detour::of(Reach::Through(""), speaking_http, says).run(findings)
        }),
        row("http is spoken to an https port", |findings| {
            let speaking_tls = |way: &super::Way| way.lead_to(way.front.address());
            let says = &["http is spoken to a port that expects https"];
            Detour::of(Reach::PlainThrough, speaking_tls, says).run(findings)
        }),
        row("closed inside the TLS handshake", |findings| {
            let closing = |way: &super::Way| way.lead_to(answering(b""));
            let says = &["the connection ends within the TLS handshake"];
            Detour::of(Reach::Through(""), closing, says).run(findings)
        }),
    ]
}
