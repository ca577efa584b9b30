//! Whatever the text: it is one policy, or it is refused with something that helps. And a policy lets nobody pass without
//! a token who is not let pass by name.
//!
//! An input is the text.

use std::sync::LazyLock;

use scopegate_core::{
    Decision, InvalidPolicy, KeyCache, Policy, Portable, Request, Timestamp, TokenCache, decide,
};

use crate::issuer::START;

/// The most problems that are told at once (`InvalidPolicy::problems`).
const MAX_PROBLEMS: usize = 50;

/// The most patterns of a text for which a question is asked.
const MAX_QUESTIONS: usize = 32;

/// The promise, for one input.
pub fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    match (Policy::parse(text), Policy::parse(text)) {
        (Err(first), Err(second)) => {
            assert_eq!(first, second, "refused in two ways");
            check_refusal(text, &first);
        }
        (Ok(first), Ok(second)) => {
            assert_eq!(
                format!("{first:?}"),
                format!("{second:?}"),
                "read in two ways"
            );
            check_policy(text, &first);
        }
        (first, second) => panic!("read once: {:?} {:?}", first.err(), second.err()),
    }
}

/// Every problem has a place in the text, says what is wrong and what to write, and disturbs no log.
fn check_refusal(text: &str, refusal: &InvalidPolicy) {
    assert!((1..=MAX_PROBLEMS).contains(&refusal.problems.len()));
    let breaks = text
        .chars()
        .filter(|letter| matches!(letter, '\n' | '\r'))
        .count();
    for problem in &refusal.problems {
        let (line, column) = (problem.line, problem.column);
        assert!(
            line >= 1 && u64::from(line) <= breaks as u64 + 2,
            "line {line} of {breaks}"
        );
        assert!(column >= 1, "line {line}, column {column}");
        assert!(!problem.message().is_empty() && !problem.remedy().is_empty());
        let shown = problem.to_string();
        assert!(
            shown.starts_with(&format!("line {line}, column {column}: ")),
            "{shown}"
        );
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert!(shown.len() < 4_096, "a problem of {} octets", shown.len());
    }
    let places = refusal
        .problems
        .iter()
        .map(|problem| (problem.line, problem.column));
    assert!(places.is_sorted(), "{refusal}");
}

/// Whoever shows no token passes where the policy says so, in these words, and nowhere else.
fn check_policy(text: &str, policy: &Policy) {
    static NOW: LazyLock<Timestamp> = LazyLock::new(|| Timestamp::from_secs(START));
    // A tag or an escape can spell the words in another way.
    let plain = !text.contains(['!', '\\']);
    let opens = ["public", "shadow"].iter().any(|word| text.contains(word));
    let keys = KeyCache::new(policy);
    let mut tokens = TokenCache::new(policy, 0);
    for (path, method) in questions(text) {
        let request = Request::new(method.as_bytes(), Some(path.as_bytes()), [("", ""); 0]);
        match decide(policy, &request, &keys, &mut tokens, &Portable, *NOW) {
            Decision::Deny(deny) => {
                let response = deny.response(policy, &request);
                assert!(
                    matches!(response.status, 400 | 401 | 403),
                    "{}",
                    response.status
                );
                // A realm is part of a header field.
                for (name, value) in &response.headers {
                    assert!(!value.chars().any(char::is_control), "{name}: {value:?}");
                }
            }
            Decision::NeedKeys(_) => panic!("keys are asked for without a token"),
            Decision::Allow(allow) => {
                assert!(
                    opens || !plain,
                    "{path} is open, and the policy does not say so"
                );
                assert!(allow.set.iter().next().is_none());
            }
        }
    }
}

/// Paths that the patterns in a text match, and methods: what looks like a pattern, without its braces.
fn questions(text: &str) -> impl Iterator<Item = (String, &'static str)> {
    text.split([' ', '\n', ',', '"', '\''])
        .filter(|word| word.starts_with('/'))
        .take(MAX_QUESTIONS)
        .flat_map(|pattern| {
            let path = pattern.replace(['{', '}', '*'], "");
            ["GET", "POST", "DELETE"].map(|method| (path.clone(), method))
        })
}
