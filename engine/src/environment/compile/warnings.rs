use crate::Warning;

/// A document may have as many faults as parts; nobody reads more.
const MOST_WARNINGS: usize = 100;

/// The warnings of one compilation.
#[derive(Default)]
pub(super) struct Warnings {
    warnings: Vec<Warning>,
    left_out: usize,
}

impl Warnings {
    pub(super) fn push(&mut self, part: &str, problem: &str) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(Warning {
                part: part.to_owned(),
                problem: problem.to_owned(),
            });
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn finish(mut self) -> Vec<Warning> {
        if self.left_out > 0 {
            let problem = format!("{} more parts could not be understood", self.left_out);
            self.warnings.push(Warning {
                part: "environment document".to_owned(),
                problem,
            });
        }
        self.warnings
    }
}
