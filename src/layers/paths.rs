//! Paths as clients write them: slashes in a row count as one, as before the servers that most SDKs were tried with.
//! `https://host/api/v1/` and `/flags/` put together make `//`, and so do rules of balancers.
//!
//! Only paths change, never queries. Nothing is copied where there is nothing to change.
use actix_web::dev::ServiceRequest;
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, Uri};

/// Gives the request with single slashes in its path.
///
/// `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7), so it is about the root.
pub(super) fn normalised(mut request: ServiceRequest) -> ServiceRequest {
    let path = request.path();
    let changed = if has_doubled_slash(path) {
        Some(with_single_slashes(path))
    } else if path == "*" && *request.method() == Method::OPTIONS {
        Some("/".to_owned())
    } else {
        None
    };
    // What was a path and a query before is one without some slashes.
    if let Some(uri) = changed.and_then(|path| with_path(request.uri(), &path)) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    request
}

/// Every request pays for this one, so it looks at eight bytes at a time: a third of the instructions.
fn has_doubled_slash(path: &str) -> bool {
    let path = path.as_bytes();
    let Some(last) = path.last_chunk() else {
        return path.windows(2).any(|pair| pair == b"//");
    };
    let mut rest = path;
    while let Some(word) = rest.first_chunk() {
        if holds_doubled_slash(*word) {
            return true;
        }
        // The last byte again: it may be the first of a pair.
        rest = rest.get(7..).unwrap_or_default();
    }
    holds_doubled_slash(*last)
}

/// Finds the bytes that are a slash, all eight at once, and two of them side by side.
fn holds_doubled_slash(word: [u8; 8]) -> bool {
    const LOW_BITS: u64 = u64::from_ne_bytes([0x7f; 8]);
    let zero_where_slash = u64::from_le_bytes(word) ^ u64::from_ne_bytes([b'/'; 8]);
    // The high bit of each byte is set where the byte is zero (Hacker's Delight, 6-1); no carry leaves its byte.
    let slashes = !(((zero_where_slash & LOW_BITS) + LOW_BITS) | zero_where_slash | LOW_BITS);
    slashes & (slashes >> 8) != 0
}

fn with_single_slashes(path: &str) -> String {
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    single
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn slashes_in_a_row_are_one_and_the_query_stays() {
        for (given, expected) in [
            ("/api/v1/flags/", "/api/v1/flags/"),
            ("//", "/"),
            ("//api///v1//flags//", "/api/v1/flags/"),
            ("//a?next=http://b//c", "/a?next=http://b//c"),
            ("/a?next=//b", "/a?next=//b"),
            ("//a%2F%2Fb//?", "/a%2F%2Fb/?"),
            ("http://host//a//b?c", "http://host/a/b?c"),
        ] {
            let request = normalised(TestRequest::with_uri(given).to_srv_request());
            assert_eq!(request.uri().to_string(), expected, "{given}");
            assert_eq!(request.match_info().as_str(), request.path(), "what is routed");
        }
    }

    #[test]
    fn a_doubled_slash_is_found_wherever_it_is() {
        for length in 0..40 {
            // Bytes beside a slash in value, and of the other half.
            for filler in ["a", ".", "0", "\u{af}", "\u{7f}"] {
                let plain: String = std::iter::once("/")
                    .chain(std::iter::repeat_n(filler, length))
                    .collect();
                assert!(!has_doubled_slash(&plain), "{plain}");
                assert_eq!(has_doubled_slash(&format!("{plain}/")), length == 0, "{plain}/");
                let places: Vec<_> = plain.char_indices().map(|(index, _)| index).collect();
                for index in places {
                    let mut doubled = plain.clone();
                    doubled.insert_str(index, "//");
                    assert!(has_doubled_slash(&doubled), "{doubled}");
                }
            }
        }
        assert!(!has_doubled_slash(&"/a".repeat(50)));
        assert!(has_doubled_slash(&format!("{}//", "/a".repeat(50))));
    }

    #[test]
    fn options_of_the_server_are_those_of_its_root() {
        for (method, path) in [(Method::OPTIONS, "/"), (Method::GET, "*")] {
            let request = TestRequest::with_uri("*").method(method).to_srv_request();
            assert_eq!(normalised(request).path(), path);
        }
    }
}
