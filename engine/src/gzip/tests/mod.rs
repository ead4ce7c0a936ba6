//! What every decoder must understand, and the parts that make it.
use std::io::Read;

use flate2::read::MultiGzDecoder;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::crc::{extended, moved};
use super::huffman::code_lengths;
use super::{
    Example, GzipAnswer, GzipCoder, Part, Phrase, PhraseCollector, PhraseId, Run, Runs, Scratch, Source,
};

const CUT: usize = 4;

fn decoded(gzip: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    MultiGzDecoder::new(gzip).read_to_end(&mut body).expect("gzip");
    body
}

/// A buffer of parts, each with a comma behind.
fn buffer(parts: &[Vec<u8>]) -> (Vec<u8>, Vec<Part>) {
    let mut bytes = Vec::new();
    let places = parts.iter().map(|part| {
        let start = bytes.len() as u32;
        bytes.extend_from_slice(part);
        bytes.push(b',');
        let end = bytes.len() as u32;
        Part { start, end }
    });
    let places = places.collect();
    (bytes, places)
}

struct Coded {
    coder: GzipCoder,
    runs: Runs,
    phrases: Vec<PhraseId>,
}

/// A coder for a buffer of parts. What starts and ends the first of them is a phrase too.
fn coder(bytes: &[u8], parts: &[Part]) -> Coded {
    let mut phrases = PhraseCollector::default();
    let first = phrases.add_text(br#"{"feature":{"id":"#);
    let last = phrases.add_text(br#","reason":"DEFAULT"}"#);
    let whole = br#"{"feature":{"id":1,"reason":"DEFAULT"}"#;
    let text = whole;
    let whole = phrases.add(Phrase { text, first, last });
    let some = parts
        .iter()
        .filter_map(|part| phrases.add_text(text_of(bytes, part)));
    let ids = [first, last, whole]
        .into_iter()
        .flatten()
        .chain(some.take(5))
        .collect();
    let source = Source {
        bytes,
        parts: parts.to_vec(),
        weight: 3,
    };
    let all: Vec<u8> = (0..=255).collect();
    let own = [Example {
        texts: &[br#"{"identifier":"0123456789"}"#, &all],
        references: &[(3, 1), (258, 32_768), (2, 9), (259, 9), (9, 32_769)],
        weight: 2,
    }];
    let (coder, mut runs) = GzipCoder::new(vec![source], &own, phrases.finish(), CUT as u32);
    Coded {
        coder,
        runs: runs.pop().expect("the runs of the source"),
        phrases: ids,
    }
}

fn text_of<'b>(bytes: &'b [u8], part: &Part) -> &'b [u8] {
    &bytes[part.start as usize..part.end as usize]
}

/// The sum of the codes' shares of all strings: one where the code is complete.
fn is_complete(lengths: &[u8], longest: u8) -> bool {
    let used = lengths.iter().filter(|length| **length > 0);
    let shares: u64 = used.map(|length| 1_u64 << (longest - length)).sum();
    shares == 1 << longest
}

/// A part of an answer: own bytes, a phrase without so many of its last bytes, or a run by the places of its parts.
#[derive(Debug, Clone)]
enum Piece {
    Own(Vec<u8>),
    Literals(Vec<u8>),
    Phrase(Index, usize),
    Run { from: Option<Index>, to: Index },
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        text().prop_map(Piece::Own),
        text().prop_map(Piece::Literals),
        (any::<Index>(), 0..40_usize).prop_map(|(phrase, cut)| Piece::Phrase(phrase, cut)),
        (any::<Option<Index>>(), any::<Index>()).prop_map(|(from, to)| Piece::Run { from, to }),
    ]
}

/// Bytes as they come, or like flags.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..60),
        vec(prop::sample::select(&b"ab,"[..]), 0..400),
        (0..40_u32, "[a-z]{0,12}", any::<bool>()).prop_map(|(id, name, enabled)| format!(
            r#"{{"feature":{{"id":{id},"name":"{name}","type":"STANDARD"}},"enabled":{enabled},"reason":"DEFAULT"}}"#
        ).into_bytes()),
    ]
}

/// Puts pieces together, in gzip and plain.
fn put_together(
    scratch: &mut Scratch,
    coded: &Coded,
    (bytes, parts): (&[u8], &[Part]),
    head: &[u8],
    pieces: &[Piece],
) -> (Vec<u8>, Vec<u8>) {
    let mut answer = GzipAnswer::new(&coded.coder, scratch, (0, 0), |out| out.extend_from_slice(head));
    let mut plain = head.to_vec();
    let (mut before, mut behind) = (Vec::new(), usize::MAX);
    for piece in pieces {
        match piece {
            Piece::Own(own) => {
                answer.append(own);
                answer.own(own);
                plain.extend_from_slice(own);
                (before, behind) = (own.clone(), answer.length() - own.len());
            }
            Piece::Literals(own) => {
                answer.append(own);
                answer.literals(own);
                plain.extend_from_slice(own);
            }
            Piece::Phrase(phrase, 0) => {
                let phrase = coded.phrases[phrase.index(coded.phrases.len())];
                answer.append(coded.coder.text(phrase));
                // What follows was own bytes, perhaps right behind the same phrase.
                let more = answer.phrase_and(phrase, &before, behind);
                answer.append(&before[..more]);
                plain.extend_from_slice(coded.coder.text(phrase));
                plain.extend_from_slice(&before[..more]);
            }
            Piece::Phrase(phrase, cut) => {
                let phrase = coded.phrases[phrase.index(coded.phrases.len())];
                let text = coded.coder.text(phrase);
                let text = &text[..text.len().saturating_sub(*cut)];
                plain.extend_from_slice(text);
                answer.append(text);
                answer.phrase_without(phrase, *cut);
            }
            Piece::Run { from, to } if !parts.is_empty() => {
                let to = to.index(parts.len());
                let from = from.map_or(0, |from| from.index(to + 1));
                let run = Run {
                    runs: &coded.runs,
                    buffer: bytes,
                    first: parts[from].start,
                    last: parts[to].start,
                };
                let start = parts[from].start as usize;
                let mut coded = start;
                let mut appended = start;
                if let Some(found) = run.find() {
                    assert!(to > from + 1, "three parts or more");
                    let second = parts[from + 1].start as usize;
                    answer.append(&bytes[start..second]);
                    answer.own(&bytes[start..second]);
                    answer.literals(&bytes[second..second + CUT]);
                    answer.run(run, &found);
                    appended = parts[to].start as usize;
                    coded = appended + CUT;
                }
                let end = parts[to].end as usize;
                answer.append(&bytes[appended..end]);
                answer.literals(&bytes[coded..end]);
                plain.extend_from_slice(&bytes[start..end]);
            }
            Piece::Run { .. } => {}
        }
        assert_eq!(answer.length(), plain.len());
    }
    (answer.finish(), plain)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_put_together_decodes(
        parts in vec(text(), 0..40), answers in vec((vec(any::<u8>(), 0..60), vec(piece(), 0..12)), 1..4),
    ) {
        let (bytes, parts) = buffer(&parts);
        let coded = coder(&bytes, &parts);
        // One scratch for all: nothing of an answer may be in the next.
        let mut scratch = Scratch::default();
        for (head, pieces) in answers {
            let (gzip, plain) = put_together(&mut scratch, &coded, (&bytes, &parts), &head, &pieces);
            prop_assert_eq!(decoded(&gzip), plain);
        }
    }

    #[test]
    fn every_code_is_complete_and_short(parts in vec(text(), 0..20)) {
        let (bytes, parts) = buffer(&parts);
        let [lengths, distances] = coder(&bytes, &parts).coder.table.code_lengths();
        prop_assert!(is_complete(&lengths, 15) && is_complete(&distances, 15));
        prop_assert!(lengths.iter().skip(257).chain(&distances).all(|length| *length > 0));
        let has = |byte: &u8| lengths[usize::from(*byte)] > 0;
        prop_assert!(bytes.iter().all(has) && (b'a'..=b'z').all(|byte| has(&byte)));
    }

    #[test]
    fn codes_of_any_counts_are_complete(counts in vec(prop_oneof![0..3_u32, any::<u32>()], 2..286), longest in 9..=15_u8) {
        prop_assume!(counts.iter().filter(|count| **count > 0).count() > 1);
        let lengths = code_lengths(&counts, longest);
        prop_assert!(is_complete(&lengths, longest));
        prop_assert!(counts.iter().zip(&lengths).all(|(count, length)| (*count > 0) == (*length > 0)));
    }

    #[test]
    fn crcs_are_combined(before in vec(any::<u8>(), 0..50), behind in vec(any::<u8>(), 0..70_000)) {
        let combined = moved(extended(0, &before), behind.len() as u32) ^ extended(0, &behind);
        prop_assert_eq!(combined, extended(0, &[before, behind].concat()));
    }
}

#[test]
fn fibonacci_counts_stay_within_the_bound() {
    let counts: Vec<u32> =
        std::iter::successors(Some((1_u32, 1_u32)), |(a, b)| Some((*b, a.checked_add(*b)?)))
            .map(|(a, _)| a)
            .collect();
    assert!(counts.len() > 40);
    let lengths = code_lengths(&counts, 15);
    assert!(is_complete(&lengths, 15), "{lengths:?}");
}

#[test]
fn long_answers_decode() {
    let parts: Vec<Vec<u8>> = (0..9_000_u64)
        .map(|place| {
            let noise = place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            format!(
                r#"{{"feature":{{"id":{place},"name":"f{noise:x}","type":"STANDARD"}},"reason":"DEFAULT"}}"#
            )
            .into_bytes()
        })
        .collect();
    let (bytes, places) = buffer(&parts);
    let own: Vec<u8> = (0..1_100_000_u32)
        .map(|place| (place.wrapping_mul(place) >> 7) as u8)
        .collect();
    let coded = coder(&bytes, &places);
    let mut scratch = Scratch::default();
    let mut answer = GzipAnswer::new(&coded.coder, &mut scratch, (bytes.len(), own.len()), |_| {});
    let mut plain = Vec::new();
    for (first, last) in [(0, 8_999), (4_000, 8_999), (8_000, 8_900)] {
        answer.append(&own);
        answer.own(&own);
        plain.extend_from_slice(&own);
        let run = Run {
            runs: &coded.runs,
            buffer: &bytes,
            first: places[first].start,
            last: places[last].start,
        };
        let (start, second) = (places[first].start as usize, places[first + 1].start as usize);
        answer.append(&bytes[start..second]);
        answer.literals(&bytes[start..second + CUT]);
        answer.run(run, &run.find().expect("a run"));
        let end = places[last].start as usize;
        answer.append(&bytes[end..end + CUT]);
        plain.extend_from_slice(&bytes[start..end + CUT]);
    }
    assert_eq!(answer.length(), plain.len());
    assert!(decoded(&answer.finish()) == plain, "another body");
}

#[test]
fn parts_apart_are_no_run() {
    let bytes = b"one...,two...,between,three.,four..,five..,".to_vec();
    let parts = [(0, 7), (7, 14), (22, 29), (29, 36), (36, 43)];
    let parts = parts.map(|(start, end)| Part { start, end });
    let coded = coder(&bytes, &parts);
    for (first, last) in [(0, 7), (0, 22), (7, 29), (0, 36), (1, 36), (22, 30), (36, 22)] {
        assert!(coded.runs.find(first, last).is_none(), "{first} to {last}");
    }
    assert!(coded.runs.find(22, 36).is_some());
}
