//! What became of each fault that was caused, as a table.
use std::fmt::{self, Write as _};
use std::time::Duration;

/// What was observed while one fault was there. What is set twice keeps both, in their order.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    clients: Vec<String>,
    readiness: Vec<String>,
    log: Vec<String>,
    fresh_after: Option<Duration>,
    tried: u64,
    lost: u64,
}

impl Findings {
    /// What clients saw, such as `412 answers, all as before`.
    pub fn clients(&mut self, seen: impl Into<String>) {
        self.clients.push(seen.into());
    }

    /// What `/proxy/health/readiness` said.
    pub fn readiness(&mut self, said: impl Into<String>) {
        self.readiness.push(said.into());
    }

    /// What the log said, a line each time.
    pub fn log(&mut self, line: impl Into<String>) {
        self.log.push(line.into());
    }

    /// How long after the fault's end clients had what is new; of several the longest counts.
    pub fn fresh_after(&mut self, time: Duration) {
        self.fresh_after = self.fresh_after.max(Some(time));
    }

    /// So many bad inputs more were tried: answers of upstream, requests, files.
    pub fn tried(&mut self, inputs: u64) {
        self.tried += inputs;
    }

    /// So much more was lost of what should not be: requests of good clients, streams, counts, documents.
    pub fn lost(&mut self, things: u64) {
        self.lost += things;
    }

    /// Whether anything was lost.
    pub fn has_lost(&self) -> bool {
        self.lost > 0
    }

    fn cells(&self, name: &str) -> [String; 5] {
        let fresh_after = self
            .fresh_after
            .map_or_else(|| "–".to_owned(), |time| format!("{:.2} s", time.as_secs_f64()));
        let cell = |parts: &[String]| match parts {
            [] => "–".to_owned(),
            parts => parts.join("\n"),
        };
        [
            name.to_owned(),
            cell(&self.clients),
            cell(&self.readiness),
            cell(&self.log),
            fresh_after,
        ]
    }
}

/// The heads of the columns, and how wide a cell may be before it goes on in another line.
const COLUMNS: [(&str, usize); 5] = [
    ("fault", 34),
    ("what clients saw", 44),
    ("readiness", 26),
    ("the log's line", 72),
    ("fresh after", 11),
];

/// The findings of many faults, by groups.
#[derive(Debug, Default)]
pub struct FaultTable {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    group: String,
    name: String,
    findings: Findings,
    failure: Option<String>,
}

impl FaultTable {
    /// Adds a row; `failure`: which of its claims does not hold.
    pub fn add(&mut self, group: &str, name: &str, findings: Findings, failure: Option<String>) {
        self.rows.push(Row {
            group: group.to_owned(),
            name: name.to_owned(),
            findings,
            failure,
        });
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Groups in the order of their first rows, rows in theirs.
    fn groups(&self) -> Vec<(&str, Vec<&Row>)> {
        let mut groups: Vec<(&str, Vec<&Row>)> = Vec::new();
        for row in &self.rows {
            match groups.iter_mut().find(|(group, _)| *group == row.group) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((&row.group, vec![row])),
            }
        }
        groups
    }
}

impl fmt::Display for FaultTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = COLUMNS.map(|(head, _)| head.to_owned());
        let cells = self.rows.iter().map(|row| row.findings.cells(&row.name));
        let lines: Vec<_> = cells.chain([heads.clone()]).map(wrapped).collect();
        let widths = std::array::from_fn(|column| {
            let parts = lines.iter().flat_map(|cells| &cells[column]);
            parts.map(|part| part.chars().count()).max().unwrap_or_default()
        });
        write_cells(f, heads, &widths)?;
        for (group, rows) in self.groups() {
            writeln!(f, "\n{}", group.to_uppercase())?;
            for row in rows {
                write_cells(f, row.findings.cells(&row.name), &widths)?;
                if let Some(failure) = &row.failure {
                    writeln!(f, "  DOES NOT HOLD: {failure}")?;
                }
            }
        }
        let sum = |of: fn(&Findings) -> u64| self.rows.iter().map(|row| of(&row.findings)).sum::<u64>();
        writeln!(
            f,
            "\nbad inputs tried: {}, things lost: {}",
            grouped(sum(|findings| findings.tried)),
            grouped(sum(|findings| findings.lost))
        )
    }
}

fn write_cells(f: &mut fmt::Formatter<'_>, cells: [String; 5], widths: &[usize; 5]) -> fmt::Result {
    let cells = wrapped(cells);
    let height = cells.iter().map(Vec::len).max().unwrap_or_default();
    for line in 0..height {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let part = cell.get(line).map_or("", String::as_str);
            write!(text, "{part:width$} | ")?;
        }
        writeln!(f, "{}", text.trim_end_matches([' ', '|']))?;
    }
    Ok(())
}

/// The lines of each cell.
fn wrapped(cells: [String; 5]) -> [Vec<String>; 5] {
    let mut widths = COLUMNS.iter().map(|(_, width)| *width);
    cells.map(|cell| {
        let width = widths.next().unwrap_or_default();
        cell.lines().flat_map(|line| wrap(line, width)).collect()
    })
}

/// Words in lines of at most this width; what is longer than a line is cut into several.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut room = width;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let mut line = lines.pop().unwrap_or_default();
        if line.is_empty() {
            room = width;
        } else if word.len() < room {
            line.push(' ');
            room -= 1;
        } else {
            lines.push(std::mem::take(&mut line));
            room = width;
        }
        while word.len() > room {
            let rest = word.split_off(room);
            line.extend(word);
            lines.push(std::mem::take(&mut line));
            (word, room) = (rest, width);
        }
        room -= word.len();
        line.extend(word);
        lines.push(line);
    }
    lines
}

/// With a comma after each third digit from the end.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_sums_come_last() {
        let mut table = FaultTable::default();
        assert!(table.is_empty());
        let mut refused = Findings::default();
        refused.clients("12 answers, all as before");
        refused.readiness("200");
        refused.log("the connection is refused");
        refused.log("its documents arrive again");
        refused.fresh_after(Duration::from_millis(1234));
        refused.fresh_after(Duration::from_millis(99));
        refused.tried(1200);
        table.add("upstream", "refused", refused, None);
        let mut torn = Findings::default();
        torn.lost(2);
        torn.tried(34);
        assert!(torn.has_lost());
        table.add("disk", "torn file", torn, Some("two were lost".to_owned()));
        table.add("upstream", "reset", Findings::default(), None);

        assert_eq!(
            table.to_string(),
            "fault     | what clients saw          | readiness | the log's line             | fresh after\n\
             \n\
             UPSTREAM\n\
             refused   | 12 answers, all as before | 200       | the connection is refused  | 1.23 s\n          \
             |                           |           | its documents arrive again\n\
             reset     | –                         | –         | –                          | –\n\
             \n\
             DISK\n\
             torn file | –                         | –         | –                          | –\n  \
             DOES NOT HOLD: two were lost\n\
             \n\
             bad inputs tried: 1,234, things lost: 2\n"
        );
    }

    #[test]
    fn long_cells_go_on_in_further_lines() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("a abcdefgh", 4), ["a", "abcd", "efgh"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let grouped = [0, 999, 1000, 123_456, 1_234_567].map(grouped);
        assert_eq!(grouped, ["0", "999", "1,000", "123,456", "1,234,567"]);
    }
}
