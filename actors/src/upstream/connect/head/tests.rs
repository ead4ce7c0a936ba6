use super::*;

fn text(head: &str) -> Result<(String, bool), Fault> {
    match read(head.replace('\n', "\r\n").as_bytes())? {
        Head::Interim => panic!("{head}"),
        Head::Final {
            text,
            ends_with_connection,
        } => Ok((
            String::from_utf8(text).unwrap().replace("\r\n", "|"),
            ends_with_connection,
        )),
    }
}

#[test]
fn bodies_end_as_rfc_9112_says() {
    for (head, expected, ends_with_connection) in [
        (
            "200 OK\nContent-Length: 3\n\n",
            "HTTP/1.1 200 |content-length: 3||",
            false,
        ),
        (
            "200 OK\nContent-Length: 3, 3\nContent-Length:3\n\n",
            "HTTP/1.1 200 |content-length: 3||",
            false,
        ),
        (
            "203 Changed\nTransfer-Encoding: CHUNKED\n\n",
            "HTTP/1.1 203 |transfer-encoding: chunked||",
            false,
        ),
        (
            "200\nTransfer-Encoding: identity\nContent-Length: 3\n\n",
            "HTTP/1.1 200 |content-length: 3||",
            false,
        ),
        (
            "200 OK\nTransfer-Encoding: chunked\nContent-Length: 3\n\n",
            "HTTP/1.1 200 |transfer-encoding: chunked|connection: close||",
            false,
        ),
        ("200 OK\n\n", "HTTP/1.0 200 |connection: close||", true),
        (
            "200 OK\nConnection: keep-alive\n\n",
            "HTTP/1.0 200 |connection: close||",
            true,
        ),
        (
            "304 Not Modified\nContent-Length: 3\n\n",
            "HTTP/1.1 304 ||",
            false,
        ),
        (
            "204 No Content\nTransfer-Encoding: chunked\n\n",
            "HTTP/1.1 204 ||",
            false,
        ),
        (
            "101 Switching Protocols\n\n",
            "HTTP/1.0 101 |connection: close||",
            true,
        ),
    ] {
        let read = text(&format!("HTTP/1.1 {head}"));
        assert_eq!(read, Ok((expected.to_owned(), ends_with_connection)), "{head}");
    }
}

#[test]
fn connections_are_kept_as_rfc_9112_says() {
    for (head, is_kept) in [
        ("1.1 200 OK\n", true),
        ("1.1 200 OK\nConnection: Upgrade\nUpgrade: h2,h2c\n", true),
        ("1.1 200 OK\nConnection: x, Close\n", false),
        ("1.0 200 OK\n", false),
        ("1.0 200 OK\nConnection: Keep-Alive\n", true),
    ] {
        let (read, _) = text(&format!("HTTP/{head}Content-Length: 1\n\n")).unwrap();
        assert_eq!(!read.contains("connection: close"), is_kept, "{head}");
    }
}

#[test]
fn what_cannot_be_read_has_its_name() {
    let fields = |number| "X-Field: 1\n".repeat(number);
    let links = "Link: <?p>; rel=prev\n".repeat(MOST_HANDED_ON + 1);
    for (head, fault) in [
        (
            "HTTP/1.1 200 OK\nContent-Length: 3, 4\n\n",
            Fault::UnreadableLength,
        ),
        ("HTTP/1.1 200 OK\nContent-Length: +3\n\n", Fault::UnreadableLength),
        ("HTTP/1.1 200 OK\nContent-Length:\n\n", Fault::UnreadableLength),
        (
            "HTTP/1.1 200 OK\nContent-Length: 18446744073709551616\n\n",
            Fault::UnreadableLength,
        ),
        (
            "HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked\n\n",
            Fault::TransferCoding,
        ),
        (
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked, chunked\n\n",
            Fault::TransferCoding,
        ),
        ("HTTP/2 200\n\n", Fault::NotHttp),
        ("HTTP/1.0 000 OK\n\n", Fault::NotHttp),
        ("HTTP/1.1 099 OK\n\n", Fault::NotHttp),
        ("HTTP/1.1 OK\n\n", Fault::NotHttp),
        (
            &format!("HTTP/1.1 200 OK\n{}\n", fields(MOST_FIELDS + 1)),
            Fault::TooManyFields,
        ),
        (&format!("HTTP/1.1 200 OK\n{links}\n"), Fault::TooManyFields),
    ] {
        assert_eq!(text(head), Err(fault), "{head}");
    }
    assert!(text(&format!("HTTP/1.1 200 OK\n{}\n", fields(MOST_FIELDS))).is_ok());
}

#[test]
fn what_is_read_of_an_answer_is_handed_on_in_one_line_each() {
    let (read, _) = text(
        "HTTP/1.1 200 OK\nSet-Cookie: a=b\nContent-Length: 1\nLINK : <?p>;\n\trel=next\nDate: today\nHost: a\nHost: b\n\n",
    )
    .unwrap();
    assert_eq!(
        read,
        "HTTP/1.1 200 |content-length: 1|LINK: <?p>;  \trel=next|Date: today||"
    );
    assert_eq!(
        super::read(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        Ok(Head::Interim)
    );
}

#[test]
fn the_end_of_a_head_is_found_however_it_comes() {
    for (bytes, ends) in [
        ("HTTP/1.1 200 OK\r\n\r\nbody\n\n", Some(19)),
        ("HTTP/1.1 200 OK\nA: b\n\nbody", Some(22)),
        ("HTTP/1.1 200 OK\nA: b\r\n\nbody", Some(23)),
        ("HTTP/1.1 200 OK\r\nA: b\r\n\r", None),
        ("", None),
    ] {
        assert_eq!(end(bytes.as_bytes(), 0), ends, "{bytes:?}");
        // A byte at a time.
        let found = (1..=bytes.len()).find_map(|have| end(&bytes.as_bytes()[..have], have - 1));
        assert_eq!(found, ends, "{bytes:?}");
    }
}
