//! What is secret, and how it may look: each mark is a word that stands nowhere else.
use std::sync::LazyLock;

pub(super) const CLIENT_KEY: &str = "cl13ntK3yMarkQz";
pub(super) const SERVER_KEY: &str = "ser.s3rv3rK3yMarkQz";
pub(super) const UNKNOWN_KEY: &str = "unkn0wnK3yMarkQz";
pub(super) const REALTIME_TOKEN: &str = "r34lt1meT0kenMarkQz";
pub(super) const ADMIN_TOKEN: &str = "4dm1nT0kenMarkQz";
pub(super) const WRONG_TOKEN: &str = "wr0ngT0kenMarkQz";
pub(super) const IDENTIFIER: &str = "1d3nt1fierMarkQz";
pub(super) const TRAIT_VALUE: &str = "tr41tValu3MarkQz";
pub(super) const OVERRIDDEN: &str = "0verr1ddenMarkQz";
pub(super) const PROXY_USER: &str = "pr0xyUs3rMarkQz";
pub(super) const PROXY_PASSWORD: &str = "pr0xyPassw0rdMarkQz";
pub(super) const UPSTREAM_HEADER: &str = "upstr34mH34derMarkQz";
pub(super) const COLLECTOR_HEADER: &str = "c0llect0rH34derMarkQz";
/// What a client sends where nothing of it has a meaning: path, query, fields, bodies that cannot be read.
pub(super) const JUNK: &str = "cl13ntJunkMarkQz";
/// The name of an option is shown; its value is not.
pub(super) const UNKNOWN_OPTION: &str = "authentication_tokens";
pub(super) const UNKNOWN_OPTION_VALUE: &str = "0pt10nValu3MarkQz";

/// Each with the word that is looked for, which stays where a key has a name behind it or lost its `ser.`.
const ALL: [&str; 15] = [
    "cl13ntK3y",
    "s3rv3rK3y",
    "unkn0wnK3y",
    "r34lt1meT0ken",
    "4dm1nT0ken",
    "wr0ngT0ken",
    "1d3nt1fier",
    "tr41tValu3",
    "0verr1dden",
    "pr0xyUs3r",
    "pr0xyPassw0rd",
    "upstr34mH34der",
    "c0llect0rH34der",
    "cl13ntJunk",
    "0pt10nValu3",
];

/// Some of all secrets, by the words that are looked for: what an answer may tell its own caller.
pub(super) const OF_IDENTITIES: &[&str] = &["1d3nt1fier", "tr41tValu3"];
pub(super) const OF_DOCUMENTS: &[&str] = &["cl13ntK3y", "0verr1dden"];

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The characters of base64 (RFC 4648 §4) that a word gives wherever it stands: three alignments, without the characters
/// that its neighbours share. The words give neither `+` nor `/` nor padding, so base64url is the same.
fn in_base64(word: &str) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let bits: Vec<bool> = vec![0; before]
            .iter()
            .chain(word.as_bytes())
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
            .collect();
        let first = (before * 8).div_ceil(6);
        let characters = bits.chunks_exact(6).skip(first).map(|bits| {
            let number = bits.iter().fold(0, |number, bit| number * 2 + usize::from(*bit));
            char::from(BASE64[number])
        });
        characters.collect()
    })
}

/// How a word looks percent-encoded, escaped in JSON, in hex and backwards, where somebody encodes every letter of it.
fn spelt_out(word: &str) -> [String; 4] {
    let each = |written: fn(u8) -> String| word.bytes().map(written).collect::<String>();
    [
        each(|byte| format!("%{byte:02x}")),
        each(|byte| format!("\\u{byte:04x}")),
        each(|byte| format!("{byte:02x}")),
        // As `{:?}` of bytes has it.
        word.bytes()
            .map(|byte| byte.to_string())
            .collect::<Vec<_>>()
            .join(", "),
    ]
}

/// A word, and every form of it: those that are looked for in any case, and those in base64.
struct Forms {
    word: &'static str,
    in_any_case: Vec<String>,
    in_base64: Vec<String>,
}

static FORMS: LazyLock<Vec<Forms>> = LazyLock::new(|| ALL.into_iter().map(Forms::of).collect());

impl Forms {
    fn of(word: &'static str) -> Self {
        let plain = word.to_lowercase();
        let spelt_out = spelt_out(word).into_iter().chain(spelt_out(&plain));
        let in_any_case = spelt_out.chain([plain.clone()]).collect();
        let in_base64 = in_base64(word).into_iter().chain(in_base64(&plain)).collect();
        Self {
            word,
            in_any_case,
            in_base64,
        }
    }

    fn are_in(&self, text: &str, lower: &str) -> bool {
        self.in_any_case.iter().any(|form| lower.contains(form))
            || self.in_base64.iter().any(|form| text.contains(form))
    }
}

/// The secrets that a text shows, in any case and in any of the forms above, save some.
pub(super) fn shown(text: &str, except: &[&str]) -> Vec<&'static str> {
    let lower = text.to_lowercase();
    FORMS
        .iter()
        .filter(|forms| !except.contains(&forms.word) && forms.are_in(text, &lower))
        .map(|forms| forms.word)
        .collect()
}

/// Asserts that a text shows no secret.
pub(super) fn assert_shows_nothing(what: &str, text: &str) {
    let shown = shown(text, &[]);
    assert!(shown.is_empty(), "{what} shows {shown:?}: {text}");
}

#[test]
fn a_secret_is_found_in_every_form() {
    for (form, word) in [
        ("the key cl13ntK3yMarkQz", "cl13ntK3y"),
        ("SER.S3RV3RK3YMARKQZ", "s3rv3rK3y"),
        // `ser.s3rv3rK3yMarkQz`, with one byte before it, and with two.
        ("c2VyLnMzcnYzckszeU1hcmtReg==", "s3rv3rK3y"),
        ("IHNlci5zM3J2M3JLM3lNYXJrUXo=", "s3rv3rK3y"),
        ("ICBzZXIuczNydjNySzN5TWFya1F6", "s3rv3rK3y"),
        ("%31%64%33%6E%74%31%66%69%65%72", "1d3nt1fier"),
        (
            r"\u0031\u0064\u0033\u006e\u0074\u0031\u0066\u0069\u0065\u0072",
            "1d3nt1fier",
        ),
        ("3164336e743166696572", "1d3nt1fier"),
        ("[49, 100, 51, 110, 116, 49, 102, 105, 101, 114]", "1d3nt1fier"),
    ] {
        assert!(shown(form, &[]).contains(&word), "{form}");
        assert!(shown(form, &[word]).is_empty(), "{form}");
    }
    assert_shows_nothing(
        "a line",
        "2026-11-26T06:00:00Z INFO edge_proxy: listening on http://127.0.0.1:8000",
    );
}

#[test]
fn every_secret_has_its_word() {
    for secret in [
        CLIENT_KEY,
        SERVER_KEY,
        UNKNOWN_KEY,
        REALTIME_TOKEN,
        ADMIN_TOKEN,
        WRONG_TOKEN,
        IDENTIFIER,
        TRAIT_VALUE,
        OVERRIDDEN,
        PROXY_USER,
        PROXY_PASSWORD,
        UPSTREAM_HEADER,
        COLLECTOR_HEADER,
        JUNK,
        UNKNOWN_OPTION_VALUE,
    ] {
        assert_eq!(shown(secret, &[]).len(), 1, "{secret}");
    }
}
