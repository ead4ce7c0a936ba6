use crate::Warning;

/// A document may have as many faults as parts; nobody reads more.
const MOST_WARNINGS: usize = 100;

/// What is longer is cut: names in a document may be of any length, and each warning that has one repeats it.
const MOST_CHARACTERS: usize = 500;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.split_at(end).0),
        None => text.to_owned(),
    }
}

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
                part: shortened(part),
                problem: shortened(problem),
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
