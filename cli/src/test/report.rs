//! What became of tests: for people, and as JUnit for CI servers.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use scopegate_core::explain::{Step, StepOutcome};

use super::Suite;
use super::run::Tested;

const BAD: Style = AnsiColor::Red.on_default().bold();

/// What is not as expected; nothing where all is.
pub(super) fn text(suite: &Suite, cover: bool) -> String {
    let mut shown = String::new();
    for tested in suite
        .tested
        .iter()
        .filter(|tested| !tested.differences.is_empty())
    {
        let _ = writeln!(shown, "{BAD}failed{BAD:#} {}: {}", suite.name, tested.name);
        for difference in &tested.differences {
            let _ = writeln!(shown, "    {difference}");
        }
        if let Some(why) = why(tested) {
            let _ = writeln!(shown, "    {why}");
        }
    }
    if cover {
        for path in &suite.unreached {
            let _ = writeln!(
                shown,
                "{BAD}failed{BAD:#} {}: no test reaches {path}",
                suite.name
            );
        }
    }
    shown
}

/// The step that refused, with what was wanted and found.
fn why(tested: &Tested) -> Option<String> {
    let refuses = |step: &&Step| step.outcome != StepOutcome::Holds;
    let step = tested.explanation.steps.iter().find(refuses)?;
    let mut why = format!("refused by the step `{}`", step.check.name());
    if !step.wanted.is_empty() {
        why.push_str(&format!("; wanted: {}", step.wanted.join(", ")));
    }
    if !step.found.is_empty() {
        why.push_str(&format!("; found: {}", step.found.join(", ")));
    }
    Some(why)
}

/// A JUnit report of all of them.
pub(super) fn junit(suites: &[Suite], cover: bool) -> anyhow::Result<String> {
    let mut report = Report::new("scopegate test");
    for suite in suites {
        let mut written = TestSuite::new(&suite.name);
        for tested in &suite.tested {
            written.add_test_case(case(tested));
        }
        for path in suite.unreached.iter().filter(|_| cover) {
            let status = failure("no test reaches this route");
            written.add_test_case(TestCase::new(format!("route {path}"), status));
        }
        report.add_test_suite(written);
    }
    Ok(report.to_string()?)
}

fn case(tested: &Tested) -> TestCase {
    let status = match tested.differences.as_slice() {
        [] => TestCaseStatus::success(),
        differences => {
            let why = why(tested);
            let lines: Vec<&str> = differences.iter().chain(&why).map(String::as_str).collect();
            failure(&lines.join("; "))
        }
    };
    TestCase::new(&tested.name, status)
}

fn failure(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message);
    status
}
