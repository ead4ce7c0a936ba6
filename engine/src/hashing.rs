//! Percentage hashes: which bucket an identity falls in.
use md5::{Digest, Md5};

/// Hashes fall on this many values; the largest of them is 100 %.
const BUCKETS: u64 = 9999;

/// The percentage of two ids: from 0 to below 100, evenly spread, the same for the same ids on every platform.
///
/// The first is a segment's id or a feature state's key, the second an identity's key or a trait's value. The rule is that
/// of Flagsmith's own engine: MD5 of `first,second`; where that gives exactly 100, MD5 of the list repeated.
pub(crate) fn hashed_percentage(first: &str, second: &str) -> f64 {
    let mut repetitions = 1;
    loop {
        let bucket = bucket(first, second, repetitions);
        if bucket != BUCKETS - 1 {
            // This order of operations rounds as the engine does.
            return (bucket as f64 / (BUCKETS - 1) as f64) * 100.0;
        }
        repetitions += 1;
    }
}

fn bucket(first: &str, second: &str, repetitions: u32) -> u64 {
    let mut hash = Md5::new();
    for repetition in 0..repetitions {
        if repetition > 0 {
            hash.update(b",");
        }
        hash.update(first);
        hash.update(b",");
        hash.update(second);
    }
    remainder(u128::from_be_bytes(hash.finalize().into()))
}

/// `number % BUCKETS` by 64-bit steps: a 128-bit division costs as much as a third of the hash.
fn remainder(number: u128) -> u64 {
    const HIGH_WEIGHT: u64 = ((1 << 64) % BUCKETS as u128) as u64;
    let (high, low) = ((number >> 64) as u64, number as u64);
    ((high % BUCKETS) * HIGH_WEIGHT + low % BUCKETS) % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equals_the_reference_engine() {
        // Recorded from flag-engine 11.1 (`get_hashed_percentage_for_object_ids`).
        let recorded = RECORDED;
        for (first, second, percentage) in recorded {
            assert_eq!(hashed_percentage(first, second), percentage, "{first},{second}");
        }
    }

    #[test]
    fn hashes_again_where_the_first_falls_on_a_hundred() {
        assert_eq!(bucket(HUNDRED.0, HUNDRED.1, 1), BUCKETS - 1);
        assert_eq!(hashed_percentage(HUNDRED.0, HUNDRED.1), HUNDRED.2);
    }

    proptest! {
        #[test]
        fn stays_in_range(first in ".*", second in ".*") {
            let percentage = hashed_percentage(&first, &second);
            prop_assert!((0.0..100.0).contains(&percentage));
        }

        #[test]
        fn remainder_is_exact(number: u128) {
            prop_assert_eq!(u128::from(remainder(number)), number % 9999);
        }
    }

    const RECORDED: [(&str, &str, f64); 6] = [
        ("1", "key_a", 53.9507901580316),
        ("12", "93", 27.655531106221243),
        ("10", "env_identifier", 83.44668933786757),
        ("a1b2", "é", 15.983196639327865),
        ("", "", 51.200240048009604),
        (
            "7",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            36.80736147229446,
        ),
    ];
    const HUNDRED: (&str, &str, f64) = ("1", "8931", 45.779155831166236);
}
