//! Labels of requests: few and known, whatever clients send and upstream answers.
use actix_web::http::{Method, StatusCode};

/// The methods that specifications name, and one for all others: those are the client's own text, of any length.
pub(super) const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "OTHER",
];

/// The place of a method in [`METHODS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MethodNumber(pub(super) u8);

impl MethodNumber {
    pub(crate) const GET: Self = Self(0);
    pub(crate) const HEAD: Self = Self(1);
    pub(super) const POST: Self = Self(2);

    /// That of a request.
    pub(crate) fn of(method: &Method) -> Self {
        Self(match *method {
            Method::GET => Self::GET.0,
            Method::HEAD => Self::HEAD.0,
            Method::POST => Self::POST.0,
            Method::PUT => 3,
            Method::PATCH => 4,
            Method::DELETE => 5,
            Method::OPTIONS => 6,
            Method::TRACE => 7,
            Method::CONNECT => 8,
            _ => 9,
        })
    }

    /// How many there are.
    pub(crate) const COUNT: usize = METHODS.len();

    /// Its place among them, from 0.
    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }

    /// What logs and metrics call it.
    pub(crate) fn name(self) -> &'static str {
        METHODS.get(usize::from(self.0)).copied().unwrap_or("OTHER")
    }
}

/// What metrics call statuses: those that are answered here, or that upstream is likely to answer, and then classes for all
/// others, which upstream may make up.
pub(super) const STATUSES: [&str; 40] = [
    "200", "201", "202", "204", "206", "301", "302", "303", "304", "307", "308", "400", "401", "402", "403",
    "404", "405", "406", "408", "409", "410", "411", "413", "414", "415", "417", "422", "425", "429", "431",
    "500", "501", "502", "503", "504", "1xx", "2xx", "3xx", "4xx", "5xx",
];

/// The place of the first class.
const CLASSES: usize = STATUSES.len() - 5;

/// The first status, and how many there are that have a class.
const FIRST: u16 = 100;
const COUNT: usize = 500;

/// The place of each status in [`STATUSES`].
const PLACES: [u8; COUNT] = places();

#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated when it is compiled, which fails where a place is wrong"
)]
const fn places() -> [u8; COUNT] {
    let mut places = [0; COUNT];
    let mut status = 0;
    while status < COUNT {
        places[status] = (CLASSES + status / 100) as u8;
        status += 1;
    }
    let mut place = 0;
    while place < CLASSES {
        let digits = STATUSES[place].as_bytes();
        let status = (digits[0] - b'0') as usize * 100
            + (digits[1] - b'0') as usize * 10
            + (digits[2] - b'0') as usize;
        places[status - FIRST as usize] = place as u8;
        place += 1;
    }
    places
}

/// The place of a status in [`STATUSES`]. What is past 599 has no class (RFC 9110 §15) and counts as the last one.
pub(super) fn place_of_status(status: StatusCode) -> usize {
    let known = PLACES.get(usize::from(status.as_u16().saturating_sub(FIRST)));
    known.map_or(STATUSES.len() - 1, |place| usize::from(*place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_no_specification_names_has_no_name_of_its_own() {
        for (place, name) in METHODS.iter().enumerate() {
            let number = MethodNumber::of(&Method::from_bytes(name.as_bytes()).unwrap());
            assert_eq!((usize::from(number.0), number.name()), (place, *name));
        }
        let odd = Method::from_bytes(b"SECRET").unwrap();
        assert_eq!(MethodNumber::of(&odd).name(), "OTHER");
    }

    #[test]
    fn each_status_has_its_name_or_that_of_its_class() {
        for status in 100..1000 {
            let name = STATUSES[place_of_status(StatusCode::from_u16(status).unwrap())];
            let text = status.to_string();
            let class = format!("{}xx", (status / 100).min(5));
            assert!(name == text || name == class, "{status}: {name}");
            assert_eq!(name == text, STATUSES.contains(&text.as_str()), "{status}");
        }
    }
}
