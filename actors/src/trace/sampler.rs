use super::caller::Caller;
use super::ids::TraceId;

/// Which traces are recorded (`OTEL_TRACES_SAMPLER`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampler {
    /// Whether the caller's decision holds, where there is a caller.
    pub is_parent_based: bool,
    /// What decides otherwise.
    pub root: RootSampler,
}

/// What decides where no caller has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootSampler {
    /// All are recorded.
    AlwaysOn,
    /// None is.
    AlwaysOff,
    /// So many of each 2^64 are, by their ids: every process decides alike. See [`RootSampler::ratio`].
    Ratio(u64),
}

impl Default for Sampler {
    /// `parentbased_always_on`.
    fn default() -> Self {
        Self {
            is_parent_based: true,
            root: RootSampler::AlwaysOn,
        }
    }
}

impl Sampler {
    pub(super) fn samples(self, trace_id: TraceId, caller: &Caller) -> bool {
        match &caller.parent {
            Some(parent) if self.is_parent_based => parent.is_sampled,
            _ => self.root.samples(trace_id),
        }
    }
}

impl RootSampler {
    /// This part of all traces, from 0 to 1; what is more or less counts as these.
    pub fn ratio(part: f64) -> Self {
        if part >= 1.0 {
            Self::AlwaysOn
        } else {
            // Below zero the cast gives zero.
            Self::Ratio((part * 2.0_f64.powi(64)) as u64)
        }
    }

    /// The part of all traces that is recorded, from 0 to 1.
    pub fn part(self) -> f64 {
        match self {
            Self::AlwaysOn => 1.0,
            Self::AlwaysOff => 0.0,
            Self::Ratio(of_all) => of_all as f64 / 2.0_f64.powi(64),
        }
    }

    fn samples(self, trace_id: TraceId) -> bool {
        match self {
            Self::AlwaysOn => true,
            Self::AlwaysOff => false,
            Self::Ratio(of_all) => trace_id.low() < of_all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Propagators;
    use super::*;

    fn caller(flags: &str) -> Caller {
        let parent = format!("00-ffffffffffffffffffffffffffffffff-b7ad6b7169203331-{flags}");
        Caller::read(
            Propagators::default(),
            [parent.as_bytes()].into_iter(),
            [].into_iter(),
            [].into_iter(),
        )
    }

    #[test]
    fn a_caller_decides_where_it_may() {
        let nobody = Caller::default();
        let id = TraceId::parse(&[b'f'; 32]).unwrap();
        for (is_parent_based, root, of_nobody, of_sampled, of_unsampled) in [
            (true, RootSampler::AlwaysOn, true, true, false),
            (true, RootSampler::AlwaysOff, false, true, false),
            (true, RootSampler::ratio(0.5), false, true, false),
            (false, RootSampler::AlwaysOn, true, true, true),
            (false, RootSampler::AlwaysOff, false, false, false),
            (false, RootSampler::ratio(0.5), false, false, false),
        ] {
            let sampler = Sampler {
                is_parent_based,
                root,
            };
            let samples = [&nobody, &caller("01"), &caller("00")].map(|caller| sampler.samples(id, caller));
            assert_eq!(samples, [of_nobody, of_sampled, of_unsampled], "{sampler:?}");
        }
    }

    #[test]
    fn a_ratio_is_met() {
        let ids: Vec<_> = (0..10_000).map(|_| TraceId::random()).collect();
        for (ratio, least, most) in [
            (0.0, 0, 0),
            (0.1, 800, 1_200),
            (0.5, 4_700, 5_300),
            (1.0, 10_000, 10_000),
        ] {
            let sampled = ids
                .iter()
                .filter(|id| RootSampler::ratio(ratio).samples(**id))
                .count();
            assert!(
                (least..=most).contains(&sampled),
                "{sampled} of 10,000 at {ratio}"
            );
        }
    }
}
