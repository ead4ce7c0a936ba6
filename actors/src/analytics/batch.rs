//! What one request to upstream carries; pure.
use std::hash::Hash;

use awc::http::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use hashbrown::HashMap;
use serde_json::json;

use super::evaluation::Evaluation;
use super::labels::{HEADERS, Labels};
use super::room::{Cost, Room};

/// The features or evaluations of one request: core writes a row of its database for each.
const MOST_ENTRIES: usize = 1_000;

/// The bytes of one request's texts: far below the 1 MiB that nginx lets pass unless told otherwise, and core's 2.5 MB.
const MOST_BYTES: usize = 64 * 1024;

/// The greatest count of one entry: core's column holds 32 bits with a sign, and a greater one fails all of its batch. Sums stop
/// here, too: no more of one entry waits than one request carries.
pub const MOST_COUNT: u32 = i32::MAX as u32;

/// How much one request takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchSize {
    pub(super) entries: usize,
    pub(super) bytes: usize,
    /// Of one entry.
    pub(super) count: u32,
}

impl BatchSize {
    pub(super) const FULL: Self = Self {
        entries: MOST_ENTRIES,
        bytes: MOST_BYTES,
        count: MOST_COUNT,
    };

    /// The smallest that there is: asks whether upstream takes anything.
    pub(super) const PROBE: Self = Self {
        entries: 1,
        bytes: MOST_BYTES,
        count: 1,
    };

    /// Takes so much out of the counts, and gives back the room of what is gone.
    pub(super) fn take<K: Clone + Eq + Hash>(
        self,
        counts: &mut HashMap<K, u64>,
        cost: impl Fn(&K) -> Cost,
        room: &mut Room,
    ) -> Vec<(K, u32)> {
        let (mut taken, mut rests, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        for (key, sum) in counts.extract_if(|_, _| true) {
            let count = u32::try_from(sum).unwrap_or(u32::MAX).min(self.count);
            let cost = cost(&key);
            if sum > count.into() {
                rests.push((key.clone(), sum - u64::from(count)));
            } else {
                room.give_back(cost);
            }
            bytes = bytes.saturating_add(cost.text_bytes());
            taken.push((key, count));
            if taken.len() >= self.entries || bytes >= self.bytes {
                break;
            }
        }
        counts.extend(rests);
        taken
    }
}

/// Which of the two endpoints takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// The counts of one request to upstream, all under the same labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) labels: Labels,
    pub(super) content: Content,
}

/// What a batch counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Features(Vec<(Box<str>, u32)>),
    Evaluations(Vec<(Evaluation, u32)>),
}

impl Batch {
    pub(super) fn version(&self) -> Version {
        match self.content {
            Content::Features(_) => Version::One,
            Content::Evaluations(_) => Version::Two,
        }
    }

    /// The entries.
    pub(super) fn len(&self) -> usize {
        match &self.content {
            Content::Features(counts) => counts.len(),
            Content::Evaluations(counts) => counts.len(),
        }
    }

    /// The sum of its counts.
    pub(super) fn sum(&self) -> u64 {
        match &self.content {
            Content::Features(counts) => counts.iter().map(|(_, count)| u64::from(*count)).sum(),
            Content::Evaluations(counts) => counts.iter().map(|(_, count)| u64::from(*count)).sum(),
        }
    }

    /// Takes the latter half of its entries off; `None`: it has one alone.
    pub(super) fn split_off(&mut self) -> Option<Self> {
        let half = self.len().div_ceil(2);
        if half == self.len() {
            return None;
        }
        let content = match &mut self.content {
            Content::Features(counts) => Content::Features(counts.split_off(half)),
            Content::Evaluations(counts) => Content::Evaluations(counts.split_off(half)),
        };
        Some(Self {
            labels: self.labels.clone(),
            content,
        })
    }

    /// The labels as headers, as they were received.
    pub(super) fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        HEADERS
            .into_iter()
            .zip(&self.labels.0)
            .filter_map(|(name, value)| {
                let value = HeaderValue::from_bytes(value.as_deref()?).ok()?;
                Some((name, value))
            })
    }

    /// The body, as SDKs write it.
    pub(super) fn body(&self) -> Bytes {
        let body = match &self.content {
            Content::Features(counts) => {
                let counts = counts
                    .iter()
                    .map(|(feature, count)| (String::from(&**feature), json!(count)));
                json!(counts.collect::<serde_json::Map<_, _>>())
            }
            Content::Evaluations(counts) => {
                let evaluations: Vec<_> = counts
                    .iter()
                    .map(|(evaluation, count)| {
                        let mut entry = json!({
                            "feature_name": evaluation.feature,
                            "enabled_when_evaluated": evaluation.enabled,
                            "count": count,
                        });
                        // Core refuses null.
                        if let (Some(identity), Some(entry)) = (&evaluation.identity, entry.as_object_mut()) {
                            entry.insert("identity_identifier".to_owned(), json!(identity));
                        }
                        entry
                    })
                    .collect();
                json!({ "evaluations": evaluations })
            }
        };
        Bytes::from(body.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::labels::LabelsRef;
    use super::*;

    fn labels(name: &[u8]) -> Labels {
        LabelsRef([Some(name), None, None, Some(b"agent")]).into()
    }

    fn evaluation(identity: Option<&str>) -> Evaluation {
        Evaluation {
            feature: "a".into(),
            identity: identity.map(Into::into),
            enabled: true,
        }
    }

    #[test]
    fn version_1_is_an_object_of_counts() {
        let batch = Batch {
            labels: labels(b"sh\xf6p"),
            content: Content::Features(vec![("a \"b\"".into(), 3), ("c".into(), MOST_COUNT)]),
        };
        assert_eq!(batch.body(), r#"{"a \"b\"":3,"c":2147483647}"#);
        assert_eq!(
            (batch.version(), batch.len(), batch.sum()),
            (Version::One, 2, 2_147_483_650)
        );
        let headers: Vec<_> = batch.headers().collect();
        assert_eq!(headers.len(), 2);
        assert_eq!(headers[0].0, "flagsmith-application-name");
        assert_eq!(headers[0].1.as_bytes(), b"sh\xf6p");
        assert_eq!(headers[1].0, "user-agent");
    }

    #[test]
    fn version_2_is_a_list_of_evaluations() {
        let batch = Batch {
            labels: Labels::default(),
            content: Content::Evaluations(vec![(evaluation(Some("bob")), 2), (evaluation(None), 1)]),
        };
        let body: serde_json::Value = serde_json::from_slice(&batch.body()).unwrap();
        assert_eq!(
            body,
            json!({"evaluations": [
                {"feature_name": "a", "identity_identifier": "bob", "enabled_when_evaluated": true, "count": 2},
                {"feature_name": "a", "enabled_when_evaluated": true, "count": 1},
            ]})
        );
        assert_eq!(
            (batch.version(), batch.sum(), batch.headers().count()),
            (Version::Two, 3, 0)
        );
        assert!(!format!("{batch:?}").contains("bob"));
    }
}
