mod recorded;

use proptest::prelude::*;

use super::*;
use crate::condition::budget::AUTOMATON;

fn compile(pattern: &str) -> Result<Regex, RegexError> {
    Regex::new(pattern, &mut RegexCache::default())
}

fn outcome(pattern: &str, text: &str) -> char {
    let Ok(regex) = compile(pattern) else {
        return 'R';
    };
    if regex.matches_start(text, &Budget::new()).unwrap() {
        'T'
    } else {
        'F'
    }
}

fn check(cases: &[(&str, &str, char)]) {
    for (pattern, text, expected) in cases {
        assert_eq!(outcome(pattern, text), *expected, "{pattern:?} {text:?}");
        // The backtracking engine agrees on the patterns that it is spared.
        if let Ok(read) = parse::parse(pattern) {
            let program = Program::new(&read, &mut Sets::default());
            let matched = backtrack::matches_start(&program, text, &Budget::new()).unwrap();
            assert_eq!(matched, *expected == 'T', "backtracking {pattern:?} {text:?}");
        }
    }
}

#[test]
fn characters_by_name() {
    check(&recorded::NAMED);
}

#[test]
fn anchors() {
    check(&recorded::ANCHORS);
}

#[test]
fn boundaries() {
    check(&recorded::BOUNDARIES);
}

#[test]
fn classes() {
    check(&recorded::CLASSES);
}

#[test]
fn categories() {
    check(&recorded::CATEGORIES);
}

#[test]
fn escapes() {
    check(&recorded::ESCAPES);
}

#[test]
fn quantifiers() {
    check(&recorded::QUANTIFIERS);
}

#[test]
fn groups() {
    check(&recorded::GROUPS);
}

#[test]
fn look_around() {
    check(&recorded::LOOK_AROUND);
}

#[test]
fn flags() {
    check(&recorded::FLAGS);
}

#[test]
fn case() {
    check(&recorded::CASE);
}

#[test]
fn ordinary_patterns_run_in_linear_time() {
    for pattern in [
        "(a+)+$",
        "(a|a)*b",
        "^(a*)*$",
        "(?i)(x+x+)+y",
        r"\bfoo(\w+\s?)*$",
        "(?:a?){50}a{50}",
    ] {
        assert!(compile(pattern).unwrap().linear.is_some(), "{pattern}");
    }
}

#[test]
fn catastrophic_patterns_cost_no_more_than_their_bytes_on_an_automaton() {
    let budget = Budget::new();
    let regex = compile("(a+)+$").unwrap();
    let text = format!("{}b", "a".repeat(10_000));
    assert_eq!(regex.matches_start(&text, &budget), Ok(false));
    assert_eq!(budget.spent(), AUTOMATON + 2 * 10_001);
    // What is not looked at costs nothing.
    assert_eq!(regex.matches_start(&text.replace('a', "x"), &budget), Ok(false));
    assert_eq!(budget.spent(), 2 * AUTOMATON + 2 * 10_002);
}

#[test]
fn automata_count_in_the_budget_too() {
    let budget = Budget::new();
    let regex = compile("a*$").unwrap();
    let text = "a".repeat(100_000);
    let answered = (0..100)
        .take_while(|_| regex.matches_start(&text, &budget).is_ok())
        .count();
    assert_eq!(answered, 9);
    assert_eq!(regex.matches_start("b", &budget), Err(Raised));
}

#[test]
fn texts_beyond_ascii_get_the_same_answer_where_the_automaton_knows_ascii_alone() {
    for pattern in [r"\w+ \w+$", r"(?i)straße|\w", r"[^\W\d]+$"] {
        let regex = compile(pattern).unwrap();
        assert!(regex.program.is_some(), "{pattern}");
    }
    for (pattern, text, expected) in [
        (r"\w+ \w+$", "größe é", 'T'),
        (r"\w+ \w+$", "größe -", 'F'),
        (r"\w+ \w+$", "a b", 'T'),
        (r"\w+ \w+$", "a -", 'F'),
    ] {
        assert_eq!(outcome(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn automata_of_a_document_are_bounded_together() {
    let mut cache = RegexCache::default();
    let mut linear = 0;
    for number in 0..2_000 {
        let regex = cache.compile(format!("(?:[ab]{{200}}|c{number})x")).unwrap();
        linear += usize::from(regex.linear.is_some());
        assert_eq!(
            regex.matches_start(&format!("c{number}x"), &Budget::new()),
            Ok(true)
        );
    }
    assert!((1..2_000).contains(&linear), "{linear}");
}

#[test]
fn one_budget_bounds_all_regexes_of_a_request() {
    let budget = Budget::new();
    let harmless = compile("(?=a)a").unwrap();
    let catastrophic = compile(r"(a|a)*\1b").unwrap();
    assert_eq!(harmless.matches_start("a", &budget), Ok(true));
    assert_eq!(catastrophic.matches_start(&"a".repeat(64), &budget), Err(Raised));
    // What is left is none: also for patterns that would take few steps.
    let few_steps = compile("(?=a*b)a").unwrap();
    assert_eq!(few_steps.matches_start(&"a".repeat(64), &budget), Err(Raised));
    assert_eq!(
        few_steps.matches_start(&"a".repeat(64), &Budget::new()),
        Ok(false)
    );
}

#[test]
fn a_hundred_thousand_steps_are_allowed() {
    // Each character of the text is one step back.
    let regex = compile("(?=a*b)").unwrap();
    assert_eq!(
        regex.matches_start(&"a".repeat(99_000), &Budget::new()),
        Ok(false)
    );
    assert_eq!(
        regex.matches_start(&"a".repeat(101_000), &Budget::new()),
        Err(Raised)
    );
}

#[test]
fn large_patterns_are_bounded() {
    for pattern in [
        r"(?:(?:\w{1000}){1000}){1000}",
        "(?:(?:a{60000}){60000}){60000}x",
        r"(?:[^\W\d]\w){5000}",
    ] {
        let regex = compile(pattern).unwrap();
        assert!(regex.linear.is_none(), "{pattern}");
        assert_eq!(regex.matches_start("aaa", &Budget::new()), Ok(false));
    }
    assert_eq!(
        outcome(&format!("{}a{}", "(".repeat(150), ")".repeat(150)), "a"),
        'T'
    );
    for nested in ["(", "(?:", "(?=", "(?(1)", "(?>", "(?i:"] {
        assert_eq!(outcome(&nested.repeat(100_000), "a"), 'R', "{nested}");
    }
    // A loop that takes nothing ends, whatever its count.
    assert_eq!(outcome("(?:|a){4294967294}(?=b)", "b"), 'T');
}

#[test]
fn errors_repeat_nothing_of_the_pattern() {
    assert_eq!(
        compile("secret[").unwrap_err().to_string(),
        "the pattern does not compile: unterminated character set"
    );
}

#[test]
fn equal_patterns_are_compiled_once() {
    let mut cache = RegexCache::default();
    let (one, two) = (
        cache.compile("a".to_owned()).unwrap(),
        cache.compile("a".to_owned()).unwrap(),
    );
    assert!(Arc::ptr_eq(&one, &two));
}

proptest! {
    #[test]
    fn no_pattern_panics(pattern in r"[\\a-c(){}\[\]?*+|^$.:=!<>P#\-0-3,ix é]{0,24}", text in "[a-c é\n]{0,8}") {
        if let Ok(regex) = compile(&pattern) {
            let matched = regex.matches_start(&text, &Budget::new());
            // Both engines agree.
            if let (Some(_), Ok(matched)) = (&regex.linear, matched) {
                let program = Program::new(&parse::parse(&pattern).unwrap(), &mut Sets::default());
                if let Ok(backtracked) = backtrack::matches_start(&program, &text, &Budget::new()) {
                    prop_assert_eq!(matched, backtracked);
                }
            }
        }
    }
}

#[test]
fn patterns_that_backtrack_without_end_are_linear_for_all_texts_where_that_is_possible() {
    for (pattern, is_linear) in [
        (r"(\w+\s?)*!", true),
        (r"(?:é|[^\W\d])*!", true),
        (r"\w+\s?!", false),
        (r"(\w{1,20}\s?)*!", false),
    ] {
        let regex = compile(pattern).unwrap();
        assert_eq!(regex.program.is_none(), is_linear, "{pattern}");
    }
    let text = "größe ".repeat(300);
    let budget = Budget::new();
    assert_eq!(
        compile(r"(\w+\s?)*!").unwrap().matches_start(&text, &budget),
        Ok(false)
    );
    assert!(budget.spent() < 6000);
}
