//! A proxy that makes no way to upstream.
use std::time::Duration;

use super::{Answer, Detour, Reach, Row, Way, row};
use crate::harness::is_full;

/// An attempt ends within four fifths of it.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Refused credentials are not sent again before.
const REFUSED: Duration = Duration::from_secs(60);

const CLOSED: &str = "the connection ends without an answer";
const CUT: &str = "the answer breaks off";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        row("a proxy that is down", |findings| {
            let down = |way: &Way| way.proxy.go_down();
            let up = |way: &Way| way.proxy.come_up();
            let says = &["the proxy before it is not reached: the connection is refused"];
            Detour::of(Reach::Through(""), down, says)
                .mended_by(up)
                .run(findings)
        }),
        row("407 without credentials", |findings| {
            let refusing =
                |way: &Way| way.answer(Answer::status(407).header("Proxy-Authenticate", "Basic realm=x"));
            let says = &["the proxy before it wants credentials (407)"];
            Detour::of(Reach::Through(""), refusing, says).run(findings)
        }),
        row("403 of the proxy", |findings| {
            let refusing = |way: &Way| way.answer(Answer::refusal(403, "<html>blocked</html>"));
            let says = &["the proxy before it refuses the way there (403)"];
            Detour::of(Reach::Through(""), refusing, says).run(findings)
        }),
        row("502 of the proxy", |findings| {
            let failing = |way: &Way| way.answer(Answer::refusal(502, "<html>Bad Gateway</html>"));
            let says = &["the proxy before it finds no way there (502)"];
            Detour::of(Reach::PlainThrough, failing, says).run(findings)
        }),
        row("a proxy that does not answer", |findings| {
            let hanging = |way: &Way| way.answer(Answer::hang());
            let says = &["the proxy before it makes no connection in time"];
            Detour::of(Reach::Through(""), hanging, says)
                .hanging(TIMEOUT)
                .run(findings)
        }),
        row("a proxy that speaks no HTTP", |findings| {
            let garbage = |way: &Way| way.answer(Answer::raw("220 mail.test ESMTP\r\n"));
            let says = &["the proxy before it does not speak HTTP/1.1"];
            Detour::of(Reach::Through(""), garbage, says).run(findings)
        }),
        row("a proxy that closes", |findings| {
            let closing = |way: &Way| way.answer(Answer::raw("").closing());
            let says = &["the proxy before it ends the connection without an answer"];
            Detour::of(Reach::Through(""), closing, says).run(findings)
        }),
        row("an endless head of the proxy", |findings| {
            let endless =
                |way: &Way| way.answer(Answer::raw(format!("HTTP/1.1 200 {}", "x".repeat(64 * 1024))));
            let says = &["the proxy's answer has a longer head than is read"];
            Detour::of(Reach::Through(""), endless, says).run(findings)
        }),
        row("reset in the tunnel, inside the TLS handshake", |findings| {
            let resetting = |way: &Way| way.answer(Answer::tunnel_resetting_after(way.front.address(), 100));
            let says = &["the connection ends within the TLS handshake"];
            Detour::of(Reach::Through(""), resetting, says).run(findings)
        }),
        row("reset in the tunnel, inside the answer", |findings| {
            let resetting =
                |way: &Way| way.answer(Answer::tunnel_resetting_after(way.upstream.address(), 200));
            Detour::of(Reach::PlainThrough, resetting, &[CUT, CLOSED]).run(findings)
        }),
        row("a proxy on TLS whose certificate has expired", |findings| {
            let expired = |way: &Way| {
                let issued = way.authority.issue_between("localhost", 2000, 2001);
                way.proxy_front.present(issued.server());
            };
            let says = &["the proxy before it is not reached: the certificate has expired"];
            Detour::of(Reach::PlainThroughTls, expired, says).run(findings)
        }),
    ];
    if is_full() {
        // Twice a minute.
        rows.push(row("407 with credentials", |findings| {
            let refusing = |way: &Way| way.answer(Answer::status(407));
            let says = &["the proxy before it does not take the credentials (407)"];
            Detour::of(Reach::Through("name:Kq7secret@"), refusing, says)
                .asked_again_after(REFUSED)
                .run(findings)
        }));
    }
    rows
}
