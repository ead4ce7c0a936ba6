//! The places and the outcomes of the conditions that an explanation names, against the rules evaluated here.
use std::cell::RefCell;
use std::collections::HashMap;

use engine::explain::{ExplainedCondition, ExplainedSegment, Explanation};
use serde_json::Value;

use super::alone::{Alone, alone};
use super::world::World;

/// What comes of a rule; the error: it cannot be evaluated.
type Verdict = Result<bool, ()>;

/// The rules of a segment, evaluated.
struct Evaluator<'w> {
    world: &'w World,
    segment: &'w Value,
    /// The conditions that were asked so far, by their JSON.
    asked: RefCell<HashMap<String, Verdict>>,
}

pub(super) fn check(world: &World, explanation: &Explanation) {
    assert_eq!(explanation.segments.len(), world.segments.len());
    for (segment, own) in world.segments.iter().zip(&explanation.segments) {
        let asked = RefCell::default();
        Evaluator {
            world,
            segment,
            asked,
        }
        .check(own);
    }
}

/// The condition in a place; `None`: the rule itself is meant, or cannot be read.
pub(super) fn condition<'s>(segment: &'s Value, own: &ExplainedCondition) -> Option<&'s Value> {
    let mut rules = &segment["rules"];
    let path = path(own);
    let (last, outer) = path.split_last()?;
    for place in outer {
        rules = &rules[place]["rules"];
    }
    rules[last]["conditions"].get(own.condition? as usize - 1)
}

fn path(own: &ExplainedCondition) -> Vec<usize> {
    let places = own.rule.split('.');
    places
        .map(|place| place.parse::<usize>().expect("a place") - 1)
        .collect()
}

/// The parts of a rule; the error: what should be a list is none.
fn parts(list: Option<&Value>) -> Result<&[Value], ()> {
    match list {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(parts)) => Ok(parts),
        Some(_) => Err(()),
    }
}

/// What a part of this rule must come to, for the rule to come to `wanted`.
fn wanted_of_part(rule: &Value, wanted: bool) -> bool {
    wanted != (rule["type"] == "NONE")
}

impl Evaluator<'_> {
    fn check(&self, own: &ExplainedSegment) {
        let verdict = parts(self.segment.get("rules")).and_then(|rules| match rules {
            [] => Ok(false),
            rules => self.all(rules),
        });
        let name = &own.name;
        assert_eq!(own.matches, Some(verdict == Ok(true)), "{name}");
        assert!(own.failed.is_empty() || verdict != Ok(true), "{name}");
        assert!(own.held.is_empty() || verdict == Ok(true), "{name}");
        let rules = self.segment["rules"].as_array().map_or(&[][..], Vec::as_slice);
        let first = (0..).zip(rules).find(|(_, rule)| self.rule(rule) != Ok(true));
        for failed in &own.failed {
            let path = path(failed);
            let Some((place, rule)) = first else {
                assert_eq!((&*failed.rule, failed.outcome), ("1", "cannot_be_evaluated"));
                continue;
            };
            assert_eq!(path[0], place, "{name}: the first rule that does not hold");
            match self.rule(rule) {
                Ok(verdict) => self.descend(rule, &path[1..], failed, verdict),
                Err(()) => self.descend_to_raise(rule, &path[1..], failed),
            }
        }
        for held in &own.held {
            let path = path(held);
            self.descend(&rules[path[0]], &path[1..], held, true);
        }
    }

    /// Whether all rules hold, as far as they are evaluated.
    fn all(&self, rules: &[Value]) -> Verdict {
        for rule in rules {
            if !self.rule(rule)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn rule(&self, rule: &Value) -> Verdict {
        if !rule.is_object() {
            return Err(());
        }
        let conditions = combine(rule, parts(rule.get("conditions"))?, |part| self.condition(part))?;
        let rules = parts(rule.get("rules"))?;
        Ok(combine(rule, rules, |part| self.rule(part))? && conditions)
    }

    fn condition(&self, condition: &Value) -> Verdict {
        let ask = || match alone(self.world, self.segment, condition) {
            Alone::Holds => Ok(true),
            Alone::DoesNotHold => Ok(false),
            Alone::Raises => Err(()),
        };
        let mut asked = self.asked.borrow_mut();
        *asked.entry(condition.to_string()).or_insert_with(ask)
    }

    /// Checks that what is named in a rule brings it to its verdict, and is the first of it.
    fn descend(&self, rule: &Value, path: &[usize], own: &ExplainedCondition, verdict: bool) {
        assert_eq!(self.rule(rule), Ok(verdict), "{}: {rule}", own.rule);
        let wanted = wanted_of_part(rule, verdict);
        let stops = !verdict && (rule["type"] == "ALL" || rule["type"] == "NONE");
        let conditions = parts(rule.get("conditions")).unwrap_or_default();
        match (path, own.condition) {
            ([], None) => {
                assert_eq!(own.outcome, "empty_rule_holds");
                let rules = parts(rule.get("rules")).unwrap_or_default();
                assert!(verdict && conditions.is_empty() && rules.is_empty());
            }
            ([], Some(place)) => {
                let place = place as usize - 1;
                assert_eq!(self.condition(&conditions[place]), Ok(wanted), "{}", own.says);
                assert_eq!(own.outcome, if wanted { "holds" } else { "does_not_hold" });
                let earlier = conditions[..place].iter();
                let is_first = earlier
                    .into_iter()
                    .all(|earlier| self.condition(earlier) == Ok(!wanted));
                assert!(!stops || is_first, "{}: not the first", own.says);
            }
            ([place, rest @ ..], _) => {
                let rules = parts(rule.get("rules")).unwrap_or_default();
                if stops {
                    assert!(
                        conditions
                            .iter()
                            .all(|condition| self.condition(condition) == Ok(!wanted))
                    );
                    assert!(rules[..*place].iter().all(|rule| self.rule(rule) == Ok(!wanted)));
                }
                self.descend(&rules[*place], rest, own, wanted);
            }
        }
    }

    /// Checks that what is named in a rule is the first that cannot be evaluated.
    fn descend_to_raise(&self, rule: &Value, path: &[usize], own: &ExplainedCondition) {
        assert_eq!(self.rule(rule), Err(()), "{}: {rule}", own.rule);
        match (path, own.condition) {
            ([], None) if rule.is_object() && parts(rule.get("rules")).is_ok() => {
                assert_eq!(own.outcome, "rule_of_unknown_type");
                assert!(!["ALL", "ANY", "NONE"].contains(&rule["type"].as_str().unwrap_or_default()));
            }
            ([], None) => assert_eq!(own.outcome, "cannot_be_evaluated"),
            ([], Some(place)) => {
                assert_eq!(own.outcome, "cannot_be_evaluated");
                let Ok(conditions) = parts(rule.get("conditions")) else {
                    return;
                };
                let place = place as usize - 1;
                assert_eq!(self.condition(&conditions[place]), Err(()), "{}", own.says);
                for earlier in &conditions[..place] {
                    assert!(self.condition(earlier).is_ok(), "{}: not the first", own.says);
                }
            }
            ([place, rest @ ..], _) => match parts(rule.get("rules")) {
                Ok(rules) => {
                    assert!(rules[..*place].iter().all(|rule| self.rule(rule).is_ok()));
                    self.descend_to_raise(&rules[*place], rest, own);
                }
                Err(()) => assert_eq!((rest, own.outcome), (&[][..], "cannot_be_evaluated")),
            },
        }
    }
}

fn combine(rule: &Value, parts: &[Value], mut holds: impl FnMut(&Value) -> Verdict) -> Verdict {
    let stops_at = match rule["type"].as_str() {
        _ if parts.is_empty() => return Ok(true),
        Some("ALL") => false,
        Some("ANY" | "NONE") => true,
        _ => return Err(()),
    };
    let is_any = rule["type"] == "ANY";
    for part in parts {
        if holds(part)? == stops_at {
            return Ok(is_any);
        }
    }
    Ok(!is_any)
}
