//! What one client was answered, in its course.
use std::time::Instant;

use test_support::http::Response;

/// One run of equal answers.
#[derive(Debug)]
pub(crate) struct Sighting {
    pub(crate) status: u16,
    /// The feature's value in it, where it is a 200.
    pub(crate) value: Option<String>,
    /// How many answers.
    pub(crate) answers: u64,
    /// The first of them.
    pub(crate) since: Instant,
    body: Vec<u8>,
}

/// The answers to one request, repeated.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// What is asked, and as whom.
    pub(crate) what: String,
    pub(crate) sightings: Vec<Sighting>,
    /// 304s, which are counted among the answers.
    pub(crate) not_modified: u64,
    /// Requests without an answer, and what came in place of one.
    pub(crate) lost: Vec<String>,
    /// What an answer should not be.
    pub(crate) wrong: Vec<String>,
    /// The newest `X-Flagsmith-Document-Updated-At`.
    updated_at: f64,
}

impl Course {
    pub(crate) fn of(what: String) -> Self {
        Self {
            what,
            ..Self::default()
        }
    }

    /// An answer has come.
    pub(crate) fn answered(&mut self, answer: Response) {
        self.compare_updated_at(&answer);
        if answer.status == 503 {
            let wait = answer
                .header("retry-after")
                .and_then(|wait| wait.parse::<u32>().ok());
            if !wait.is_some_and(|wait| (1..=10).contains(&wait)) {
                self.wrong.push(format!("503 with Retry-After {wait:?}"));
            }
        }
        let last = self.sightings.last_mut();
        if answer.status == 304 {
            self.not_modified += 1;
            match last.filter(|last| last.status == 200) {
                Some(last) => last.answers += 1,
                None => self.wrong.push("304 before a 200".to_owned()),
            }
            return;
        }
        match last.filter(|last| last.is_like(&answer)) {
            Some(last) => last.answers += 1,
            None => self.sightings.push(Sighting {
                status: answer.status,
                value: (answer.status == 200).then(|| value_in(&answer.body)),
                answers: 1,
                since: Instant::now(),
                body: answer.body,
            }),
        }
    }

    /// When the newest answer's content was first there, if that has this value.
    pub(crate) fn since(&self, value: &str) -> Option<Instant> {
        let last = self.sightings.last()?;
        (last.value.as_deref() == Some(value)).then_some(last.since)
    }

    /// It never falls.
    fn compare_updated_at(&mut self, answer: &Response) {
        let Some(number) = answer.header("x-flagsmith-document-updated-at") else {
            return;
        };
        match number.parse() {
            Ok(number) if number >= self.updated_at => self.updated_at = number,
            _ => self
                .wrong
                .push(format!("updated_at {number} after {}", self.updated_at)),
        }
    }
}

impl Sighting {
    /// 503s vary in their `Retry-After` alone.
    fn is_like(&self, answer: &Response) -> bool {
        self.status == answer.status && (self.status == 503 || self.body == answer.body)
    }
}

/// The value of the only feature, in any of the three sorts of answers. Read as text: an answer may have 60 MB.
fn value_in(answer: &[u8]) -> String {
    const FIELD: &[u8] = br#""feature_state_value":""#;
    let found = answer.windows(FIELD.len()).position(|text| text == FIELD);
    let value = found.map_or(&[][..], |at| &answer[at + FIELD.len()..]);
    let end = value.iter().position(|byte| *byte == b'"').unwrap_or_default();
    String::from_utf8_lossy(&value[..end]).into_owned()
}
