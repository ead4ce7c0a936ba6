//! Whether a text of upstream's repeats what upstream was told in confidence: a key, a header's value, a proxy's credentials; pure.
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// So many characters of a secret, in a row, are no chance: whoever says "you sent abcdefgh…" has said too much.
const TELLING: usize = 8;
/// Parts of a value that are shorter than this are words, and secret as part of the whole alone.
const SHORTEST_PART: usize = 6;
/// What stands before credentials (RFC 9110, 11.4) and is none.
const SCHEMES: [&str; 6] = ["apikey", "basic", "bearer", "digest", "negotiate", "token"];

/// Whether a text repeats a secret in any case: the whole of it, a part between blanks and marks of punctuation, what a part
/// stands for in base64 (RFC 7617), or a long piece of any of them.
pub(super) fn is_repeated_in(text: &str, secret: &str) -> bool {
    let text = text.to_lowercase();
    let says = |said: &str| !said.is_empty() && text.contains(said);
    says(&secret.trim().to_lowercase()) || parts(secret).any(|part| says_piece(&text, &part))
}

/// Whether a text in lower case has a part, or a telling piece of it.
fn says_piece(text: &str, part: &str) -> bool {
    let part: Vec<char> = part.to_lowercase().chars().collect();
    let mut pieces = part.windows(TELLING.min(part.len()).max(1));
    pieces.any(|piece| text.contains(&piece.iter().collect::<String>()))
}

/// The parts of a value that are secret by themselves.
fn parts(secret: &str) -> impl Iterator<Item = String> {
    let between = |character: char| character.is_whitespace() || "=;,:\"'".contains(character);
    let words = secret.split(between).filter(|word| {
        let is_scheme = SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(word));
        !word.is_empty() && !is_scheme
    });
    words.flat_map(|word| {
        let is_long = word.chars().count() >= SHORTEST_PART;
        let word_itself = is_long.then(|| word.to_owned());
        word_itself.into_iter().chain(credentials(word))
    })
}

/// User and password, where a word is these in base64.
fn credentials(word: &str) -> Vec<String> {
    let decoded = STANDARD_NO_PAD
        .decode(word)
        .or_else(|_| URL_SAFE_NO_PAD.decode(word));
    let text = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match text.as_deref().and_then(|text| text.split_once(':')) {
        Some((user, password)) => [user, password]
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_whole_in_part_cut_and_decoded_in_any_case() {
        for (secret, text) in [
            (
                "Bearer s3cr3t-gateway-0123",
                "you sent Bearer s3cr3t-gateway-0123",
            ),
            ("Bearer s3cr3t-gateway-0123", "Invalid token s3cr3t-gateway-0123."),
            ("Bearer s3cr3t-gateway-0123", "Invalid token S3CR3T-GATEWAY-0123"),
            ("Bearer s3cr3t-gateway-0123", "Invalid token s3cr3t-g…"),
            ("Bearer s3cr3t-gateway-0123", "Invalid token …way-0123"),
            ("id=1; session=abcdef", "no session of ABCDEF"),
            ("abc", "no consumer is ABC"),
            // `gate:pass-w0rd`
            ("Basic Z2F0ZTpwYXNzLXcwcmQ=", "not Z2F0ZTpwYXNzLXcwcmQ="),
            ("basic Z2F0ZTpwYXNzLXcwcmQ=", "the password pass-w0rd is wrong"),
            ("Z2F0ZTpwYXNzLXcwcmQ=", "GATE is no consumer"),
        ] {
            assert!(is_repeated_in(text, secret), "{secret}: {text}");
        }
    }

    #[test]
    fn a_sentence_that_repeats_none_is_told() {
        let sentence = "Organisation is disabled from serving flags; send a Bearer token or Basic ones.";
        for secret in [
            "",
            " ",
            "Bearer s3cr3t-gateway-0123",
            "Basic Z2F0ZTpwYXNzLXcwcmQ=",
            "id=1; session=xyz",
        ] {
            assert!(!is_repeated_in(sentence, secret), "{secret}");
        }
    }
}
