//! Reading and writing, and what each SDK makes of the number.
use super::*;

#[test]
fn reads_what_flagsmith_writes() {
    let with_zone = UpdatedAt::parse("2024-12-26T16:18:08.760000+00:00").unwrap();
    assert_eq!(with_zone.to_string(), "1735229888.76");
    assert_eq!(with_zone.to_rfc3339(), "2024-12-26T16:18:08.760000+00:00");
    assert_eq!(with_zone.to_http_date(), "Thu, 26 Dec 2024 16:18:08 GMT");
    for same in [
        "2024-12-26T16:18:08.76Z",
        "2024-12-26T17:18:08.76+01:00",
        "2024-12-26T16:18:08.76",
    ] {
        assert_eq!(UpdatedAt::parse(same), Some(with_zone), "{same}");
    }
    assert_eq!(UpdatedAt::parse("yesterday"), None);
}

#[test]
fn displays_a_decimal_point_always() {
    for (micros, text) in [
        (1_735_229_888_000_000, "1735229888.0"),
        (1_735_229_888_000_001, "1735229888.000001"),
        // Their nearest doubles lie above.
        (1_795_289_031_258_311, "1795289031.2583108"),
        (1_735_229_888_000_003, "1735229888.0000029"),
        (0, "0.0"),
        (1, "0.000001"),
        (-500_000, "-0.5"),
        (253_402_300_799_000_000, "253402300799.0"),
    ] {
        assert_eq!(UpdatedAt::from_micros(micros).to_string(), text, "{micros}");
    }
}

/// 2^31 s, the year 2038: from then on doubles are half a microsecond apart.
const YEAR_2038: i64 = 1 << 31;
/// 2^32 s, the year 2106: from then on they are a microsecond apart, and Python's SDK would round to the wrong one.
const YEAR_2106: i64 = 1 << 32;

/// Microseconds since the epoch: random ones, and those around moments at which something changes.
fn times() -> impl Iterator<Item = i64> {
    const YEAR_2020: i64 = 1_577_836_800;
    let mut rng = fastrand::Rng::with_seed(7);
    let random = (0..100_000).map(move |turn| {
        let years = match turn % 4 {
            0 => 1..YEAR_2106,
            1 => YEAR_2038..YEAR_2106,
            _ => YEAR_2020..YEAR_2038,
        };
        rng.i64(years.start * MICROS_PER_SECOND..years.end * MICROS_PER_SECOND - 1)
    });
    let edges = [2, YEAR_2020, 1_735_229_888, 1 << 30, YEAR_2038, YEAR_2106 - 1];
    let around = |seconds: i64| (-1_000..1_000).map(move |micros| seconds * MICROS_PER_SECOND + micros);
    edges.into_iter().flat_map(around).chain(random)
}

/// What an SDK reads: each takes the text of the event, and that of the header, for a double.
fn told(micros: i64) -> f64 {
    UpdatedAt::from_micros(micros).to_string().parse().unwrap()
}

/// Whether a double of at least 1 lies above so many microseconds, in whole numbers.
fn is_above(seconds: f64, micros: i64) -> bool {
    const MANTISSA_BITS: u64 = 52;
    let bits = seconds.to_bits();
    let mantissa = (bits & ((1 << MANTISSA_BITS) - 1)) | (1 << MANTISSA_BITS);
    // seconds = mantissa / 2^shift
    let shift = MANTISSA_BITS + 1023 - (bits >> MANTISSA_BITS);
    i128::from(mantissa) * i128::from(MICROS_PER_SECOND) > i128::from(micros) << shift
}

#[test]
fn it_is_the_greatest_double_that_is_not_above() {
    let mut nearest_is_above = 0;
    for micros in times() {
        let seconds = told(micros);
        assert!(!is_above(seconds, micros), "{micros}: {seconds}");
        assert!(is_above(seconds.next_up(), micros), "{micros}: {seconds}");
        nearest_is_above += usize::from(is_above(micros as f64 / 1e6, micros));
    }
    assert!(nearest_is_above > 40_000, "{nearest_is_above}");
}

/// Go 5 (`realtime.go`): `seconds := int64(f); nanoseconds := int64((f - float64(seconds)) * 1e9)`, which is
/// `time.Time.After` the document's `updated_at` where there is news.
#[test]
fn go_refetches_a_new_document_and_no_other() {
    let nanoseconds = |told: f64| {
        let seconds = told as i64;
        seconds * 1_000_000_000 + ((told - seconds as f64) * 1e9) as i64
    };
    for micros in times() {
        let document = UpdatedAt::parse(&UpdatedAt::from_micros(micros).to_rfc3339()).unwrap();
        let document = document.as_micros() * 1_000;
        assert!(nanoseconds(told(micros)) <= document, "{micros}");
        assert!(nanoseconds(told(micros + 1)) > document, "{micros}");
    }
}

/// The other ways to cut a number of seconds off: `math.Modf`, `time.UnixMicro(int64(f * 1e6))`,
/// `time.UnixMilli(int64(f * 1e3))`, `new Date(f * 1000)`.
#[test]
fn whoever_cuts_it_off_finds_no_news_in_an_unchanged_document() {
    for micros in times() {
        let seconds = told(micros);
        let parts = seconds.trunc() as i64 * MICROS_PER_SECOND + (seconds.fract() * 1e6) as i64;
        assert!(parts <= micros, "{micros}");
        assert!((seconds * 1e6) as i64 <= micros, "{micros}");
        assert!((seconds * 1e3) as i64 <= micros.div_euclid(1_000), "{micros}");
        // And news in a later one, as far as what is left tells it.
        assert!((told(micros + 2) * 1e6) as i64 > micros, "{micros}");
        assert!(
            (told(micros + 2_000) * 1e3) as i64 > micros.div_euclid(1_000),
            "{micros}"
        );
    }
}

/// Python (`datetime.fromtimestamp`, CPython's `_PyTime_ObjectToTimeval`): the fraction times 1e6, rounded half to even.
#[test]
fn python_finds_the_document_s_own_microsecond() {
    for micros in times() {
        let (seconds, fraction) = (told(micros).trunc(), told(micros).fract());
        let rounded = (fraction * 1e6).round_ties_even() as i64;
        assert_eq!(seconds as i64 * MICROS_PER_SECOND + rounded, micros);
    }
}

/// The browser and React Native, iOS and Kotlin compare the event's double to the header's, Ruby and Flutter to that of
/// the event before.
#[test]
fn doubles_tell_two_microseconds_apart() {
    for micros in times() {
        assert!(told(micros) < told(micros + 1), "{micros}");
    }
}
