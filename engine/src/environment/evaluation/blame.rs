//! Why a segment does not match: which conditions are to blame. And why it does.
//!
//! This asks the evaluation itself about every rule and condition on its way, and combines nothing that the evaluation could
//! combine otherwise: what it says of a condition is what holds of it alone.
use super::culprit::{Asked, Blame, Culprit, Fault, Place, PlacedSplit};
use super::segments::Evaluation;
use crate::condition::Raised;
use crate::environment::compiled::{Condition, Rule, RuleKind, Segment};

/// More conditions of one segment are counted, not told.
const MOST_CULPRITS: usize = 5;
/// More percentage splits of one segment are not told.
const MOST_SPLITS: usize = 5;

impl<'e> Evaluation<'e> {
    /// Whether all rules of a segment hold, for themselves.
    pub(crate) fn holds(&self, segment: &Segment) -> bool {
        !segment.rules.is_empty() && segment.rules.iter().all(|rule| self.rule_holds(rule) == Ok(true))
    }

    /// A whole budget again, for what is asked once the outcome is known. Gives the steps taken since the last time, and
    /// whether the work was cut.
    pub(crate) fn renew_budget(&self) -> (u32, bool) {
        let (steps, is_cut) = (self.budget.spent(), self.budget.is_spent());
        self.budget.renew();
        (steps, is_cut)
    }

    /// What keeps a segment from matching; nothing where all its rules hold now.
    pub(crate) fn blame(&self, segment: &Segment) -> Blame<'e> {
        let mut walk = Walk::new(self);
        for (place, rule) in (0..).zip(&segment.rules) {
            match self.rule_holds(rule) {
                Ok(true) => continue,
                Ok(false) => walk.within(place, |walk| walk.why_not(rule)),
                Err(Raised) => walk.within(place, |walk| walk.why_raised(rule)),
            }
            break;
        }
        walk.blame
    }

    /// What makes a segment match that does: of each rule conditions that carry it.
    pub(crate) fn grounds(&self, segment: &Segment) -> Blame<'e> {
        let mut walk = Walk::new(self);
        for (place, rule) in (0..).zip(&segment.rules) {
            walk.within(place, |walk| walk.why(rule));
        }
        walk.blame
    }

    /// The percentage splits among a segment's conditions.
    pub(crate) fn splits(&self, segment: &Segment) -> Vec<PlacedSplit> {
        let mut splits = Vec::new();
        self.add_splits(&segment.rules, &mut Vec::new(), &mut splits);
        splits
    }

    fn add_splits(&self, rules: &[Rule], path: &mut Vec<u32>, splits: &mut Vec<PlacedSplit>) {
        for (place, rule) in (0..).zip(rules) {
            path.push(place);
            for (condition, own) in (0..).zip(&rule.conditions) {
                if splits.len() < MOST_SPLITS && own.splits_by_percentage() {
                    splits.push(PlacedSplit {
                        place: Place {
                            rules: path.clone(),
                            condition: Some(condition),
                        },
                        split: self.ask(own).split,
                    });
                }
            }
            self.add_splits(&rule.rules, path, splits);
            path.pop();
        }
    }
}

impl Condition {
    fn splits_by_percentage(&self) -> bool {
        matches!(self, Self::Matching { matcher, .. } if matcher.splits_by_percentage())
    }
}

/// A way through one segment's rules.
struct Walk<'w, 'e> {
    evaluation: &'w Evaluation<'e>,
    rules: Vec<u32>,
    blame: Blame<'e>,
}

impl<'w, 'e> Walk<'w, 'e> {
    fn new(evaluation: &'w Evaluation<'e>) -> Self {
        Self {
            evaluation,
            rules: Vec::new(),
            blame: Blame::default(),
        }
    }

    fn within(&mut self, place: u32, walk: impl FnOnce(&mut Self)) {
        self.rules.push(place);
        walk(self);
        self.rules.pop();
    }

    /// Why a rule does not hold.
    fn why_not(&mut self, rule: &Rule) {
        let (first_condition, first_rule) = match rule.kind {
            RuleKind::All => (self.condition(rule, false), self.rule(rule, false)),
            RuleKind::None => (self.condition(rule, true), self.rule(rule, true)),
            RuleKind::Any => return self.why_none_of(rule),
            RuleKind::Unknown => return self.push_rule(Fault::UnknownType),
        };
        if let Some((place, condition)) = first_condition {
            self.push(place, condition, fault(rule.kind == RuleKind::None));
        } else if let Some((place, inner)) = first_rule {
            self.within(place, |walk| match rule.kind {
                RuleKind::None => walk.why(inner),
                _ => walk.why_not(inner),
            });
        }
    }

    /// Why a rule of the type ANY does not hold: all its conditions are to blame, or all its rules.
    fn why_none_of(&mut self, rule: &Rule) {
        if !rule.conditions.is_empty() && self.condition(rule, true).is_none() {
            for (place, condition) in (0..).zip(&rule.conditions) {
                self.push(place, condition, Fault::DoesNotHold);
            }
            return;
        }
        for (place, inner) in (0..).zip(&rule.rules) {
            self.within(place, |walk| walk.why_not(inner));
        }
    }

    /// Why a rule holds.
    fn why(&mut self, rule: &Rule) {
        if !rule.conditions.is_empty() {
            match rule.kind {
                RuleKind::All => {
                    for (place, condition) in (0..).zip(&rule.conditions) {
                        self.push(place, condition, Fault::Holds);
                    }
                }
                kind => {
                    if let Some((place, condition)) = self.condition(rule, kind == RuleKind::Any) {
                        self.push(place, condition, fault(kind == RuleKind::Any));
                    }
                }
            }
            return;
        }
        if rule.rules.is_empty() {
            return self.push_rule(Fault::EmptyRuleHolds);
        }
        match rule.kind {
            RuleKind::All => {
                for (place, inner) in (0..).zip(&rule.rules) {
                    self.within(place, |walk| walk.why(inner));
                }
            }
            kind => {
                if let Some((place, inner)) = self.rule(rule, kind == RuleKind::Any) {
                    self.within(place, |walk| match kind {
                        RuleKind::Any => walk.why(inner),
                        _ => walk.why_not(inner),
                    });
                }
            }
        }
    }

    /// What cannot be evaluated in a rule: the first of it that is reached.
    fn why_raised(&mut self, rule: &Rule) {
        if rule.kind == RuleKind::Unknown {
            return self.push_rule(Fault::UnknownType);
        }
        let stops_at = rule.kind != RuleKind::All;
        for (place, condition) in (0..).zip(&rule.conditions) {
            match self.evaluation.condition_holds(condition) {
                Err(Raised) => return self.push(place, condition, Fault::Raises),
                Ok(holds) if holds == stops_at => break,
                Ok(_) => {}
            }
        }
        for (place, inner) in (0..).zip(&rule.rules) {
            match self.evaluation.rule_holds(inner) {
                Err(Raised) => return self.within(place, |walk| walk.why_raised(inner)),
                Ok(holds) if holds == stops_at => break,
                Ok(_) => {}
            }
        }
        self.push_rule(Fault::TooDeep);
    }

    /// The first condition of a rule that has this outcome.
    fn condition<'r>(&self, rule: &'r Rule, outcome: bool) -> Option<(u32, &'r Condition)> {
        let mut conditions = (0..).zip(&rule.conditions);
        conditions.find(|(_, condition)| self.evaluation.condition_holds(condition) == Ok(outcome))
    }

    /// The first rule in a rule that has this outcome.
    fn rule<'r>(&self, rule: &'r Rule, outcome: bool) -> Option<(u32, &'r Rule)> {
        let mut rules = (0..).zip(&rule.rules);
        rules.find(|(_, rule)| self.evaluation.rule_holds(rule) == Ok(outcome))
    }

    fn push(&mut self, place: u32, condition: &Condition, fault: Fault) {
        if !self.has_room() {
            return;
        }
        self.blame.culprits.push(Culprit {
            place: Place {
                rules: self.rules.clone(),
                condition: Some(place),
            },
            fault,
            asked: self.evaluation.ask(condition),
        });
    }

    fn push_rule(&mut self, fault: Fault) {
        if !self.has_room() {
            return;
        }
        self.blame.culprits.push(Culprit {
            place: Place {
                rules: self.rules.clone(),
                condition: None,
            },
            fault,
            asked: Asked::default(),
        });
    }

    fn has_room(&mut self) -> bool {
        let has_room = self.blame.culprits.len() < MOST_CULPRITS;
        self.blame.more += usize::from(!has_room);
        has_room
    }
}

fn fault(holds: bool) -> Fault {
    if holds { Fault::Holds } else { Fault::DoesNotHold }
}
