//! Makes a case that differs as small as can be.

use super::live::Oracle;
use super::{Case, Difference, compare};
use crate::tree::Tree;

/// Questions to the oracle that one shrinking may take.
const MOST_ATTEMPTS: usize = 1500;

/// A case of one identity, about which engine and oracle disagree.
pub(crate) struct Repro {
    document: Tree,
    identity: Tree,
    pub difference: Difference,
}

impl std::fmt::Display for Repro {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Difference {
            what,
            ours,
            theirs,
            identity,
        } = &self.difference;
        let identity = if identity.is_some() {
            self.identity.to_json()
        } else {
            "none".to_owned()
        };
        let document = self.document.to_json();
        write!(
            f,
            "{what} differs\ndocument: {document}\nidentity: {identity}\nours:\n{ours}\ntheirs:\n{theirs}"
        )
    }
}

/// Takes away elements of arrays for as long as the two still differ in the same part of the answer.
pub(crate) fn shrink(oracle: &mut Oracle, case: &Case<'_>, difference: Difference) -> Repro {
    let identity = case.identities[difference.identity.unwrap_or(0)];
    let (document, identity) = (Tree::parse(case.document.get()), Tree::parse(identity.get()));
    let mut repro = Repro {
        document,
        identity,
        difference,
    };
    let mut attempts = 0;
    loop {
        let before = (repro.document.count(), repro.identity.count());
        take_away(oracle, &mut repro, &mut attempts, |repro| &mut repro.document);
        take_away(oracle, &mut repro, &mut attempts, |repro| &mut repro.identity);
        if before == (repro.document.count(), repro.identity.count()) || attempts >= MOST_ATTEMPTS {
            return repro;
        }
    }
}

fn take_away(
    oracle: &mut Oracle,
    repro: &mut Repro,
    attempts: &mut usize,
    tree: fn(&mut Repro) -> &mut Tree,
) {
    let mut part = 0;
    while part < tree(repro).count() {
        let mut element = 0;
        while let Some(Tree::List(elements)) = tree(repro).part(part) {
            if element >= elements.len() || *attempts >= MOST_ATTEMPTS {
                break;
            }
            let taken = elements.remove(element);
            *attempts += 1;
            if let Some(difference) = still_differs(oracle, repro) {
                repro.difference = difference;
            } else if let Some(Tree::List(elements)) = tree(repro).part(part) {
                elements.insert(element, taken);
                element += 1;
            }
        }
        part += 1;
    }
}

fn still_differs(oracle: &mut Oracle, repro: &Repro) -> Option<Difference> {
    let case = format!(
        r#"{{"document":{},"identities":[{}]}}"#,
        repro.document.to_json(),
        repro.identity.to_json()
    );
    let answer = oracle.ask(&case);
    let case: Case<'_> = serde_json::from_str(&case).expect("a case is JSON");
    compare(&case, &answer)
        .into_iter()
        .find(|difference| difference.what == repro.difference.what)
}
