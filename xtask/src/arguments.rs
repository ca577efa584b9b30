//! The command line: what may be asked for, and the help that says so.

mod help;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::bench::MEASURED;
use help::{
    HELP, HELP_BENCH, HELP_BUILD, HELP_DEMO, HELP_DRILL, HELP_ENVOY, HELP_FUZZ, HELP_MUTANTS,
    HELP_TEST, HELP_VERSUS,
};

/// What the user asked for.
#[derive(Debug, PartialEq)]
pub enum Task {
    Help(&'static str),
    Build,
    Envoy,
    Test(Part),
    Fuzz(Fuzzing),
    /// Files and folders of the core; none for all of it.
    Mutants(Vec<PathBuf>),
    Versus(Comparison),
    /// The arguments go to the drill program as they are.
    Drill(Vec<OsString>),
    /// The arguments go to the program that measures as they are, what to measure first.
    Bench(Vec<OsString>),
    /// The arguments go to the demo program as they are.
    Demo(Vec<OsString>),
    /// The arguments go to the example program as they are.
    Example(Vec<OsString>),
}

/// Which part of the tests to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    All,
    Lint,
    Unit,
    EndToEnd,
    Spin,
    /// In a browser, with the gate in Envoy and on Spin.
    Example,
}

/// What to fuzz, and for how long.
#[derive(Debug, PartialEq)]
pub struct Fuzzing {
    /// For each target.
    pub seconds: u32,
    /// None for all of them.
    pub targets: Vec<&'static str>,
}

/// What is wanted of the comparison with Envoy's own filters.
#[derive(Debug, PartialEq)]
pub enum Comparison {
    /// Write the page.
    Write,
    /// Fail where the page is not what would be written.
    Check,
    /// Print the native configuration for the case of that name.
    Show(OsString),
}

/// The programs of the fuzz workspace.
pub const TARGETS: [&str; 10] = [
    "token",
    "jwks",
    "metadata",
    "record",
    "policy",
    "openapi",
    "authorization",
    "path",
    "decide",
    "rsa",
];

/// How long a target runs where nothing else is said.
const FUZZ_SECONDS: u32 = 60;

/// A command line that means nothing, with the words to say so.
#[derive(Debug, PartialEq)]
pub struct Misuse {
    complaint: String,
    help: &'static str,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; `{}` lists what there is", self.complaint, self.help)
    }
}

/// Reads the words after `cargo xtask`.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Task, Misuse> {
    let mut words = words.into_iter();
    let Some(command) = words.next() else {
        return Err(misuse("no command given", "cargo xtask --help"));
    };
    let rest: Vec<OsString> = words.collect();
    let wants_help = rest.iter().any(|word| word == "--help" || word == "-h");
    match command.to_str() {
        Some("--help" | "-h" | "help") => Ok(Task::Help(HELP)),
        Some("build") if wants_help => Ok(Task::Help(HELP_BUILD)),
        Some("build") => alone(&rest, Task::Build, "cargo xtask build --help"),
        Some("envoy") if wants_help => Ok(Task::Help(HELP_ENVOY)),
        Some("envoy") => alone(&rest, Task::Envoy, "cargo xtask envoy --help"),
        Some("test") if wants_help => Ok(Task::Help(HELP_TEST)),
        Some("test") => part(&rest).map(Task::Test),
        Some("fuzz") if wants_help => Ok(Task::Help(HELP_FUZZ)),
        Some("fuzz") => fuzzing(&rest).map(Task::Fuzz),
        Some("mutants") if wants_help => Ok(Task::Help(HELP_MUTANTS)),
        Some("mutants") => places(rest).map(Task::Mutants),
        Some("versus") if wants_help => Ok(Task::Help(HELP_VERSUS)),
        Some("versus") => comparison(&rest).map(Task::Versus),
        Some("drill") if wants_help => Ok(Task::Help(HELP_DRILL)),
        Some("drill") => Ok(Task::Drill(rest)),
        Some("bench") if wants_help => Ok(Task::Help(HELP_BENCH)),
        Some("bench") => benchmark(rest).map(Task::Bench),
        Some("demo") if wants_help => Ok(Task::Help(HELP_DEMO)),
        Some("demo") => Ok(Task::Demo(rest)),
        Some("example") => Ok(Task::Example(rest)),
        _ => {
            let complaint = format!("unknown command `{}`", command.display());
            Err(misuse(complaint, "cargo xtask --help"))
        }
    }
}

fn alone(rest: &[OsString], task: Task, help: &'static str) -> Result<Task, Misuse> {
    match rest.first() {
        None => Ok(task),
        Some(word) => Err(misuse(
            format!("unexpected argument `{}`", word.display()),
            help,
        )),
    }
}

fn part(rest: &[OsString]) -> Result<Part, Misuse> {
    let unexpected = |word: &OsString| {
        misuse(
            format!("unexpected argument `{}`", word.display()),
            "cargo xtask test --help",
        )
    };
    match rest {
        [] => Ok(Part::All),
        [flag, host] if flag == "--host" && host == "spin" => Ok(Part::Spin),
        [flag] if flag == "--host=spin" => Ok(Part::Spin),
        [flag] if flag == "--example" => Ok(Part::Example),
        [_, extra, ..] => Err(unexpected(extra)),
        [word] => match word.to_str() {
            Some("lint") => Ok(Part::Lint),
            Some("unit") => Ok(Part::Unit),
            Some("e2e") => Ok(Part::EndToEnd),
            _ => Err(unexpected(word)),
        },
    }
}

fn fuzzing(rest: &[OsString]) -> Result<Fuzzing, Misuse> {
    let misused = |complaint: String| misuse(complaint, "cargo xtask fuzz --help");
    let mut fuzzing = Fuzzing {
        seconds: FUZZ_SECONDS,
        targets: Vec::new(),
    };
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        if word == "--seconds" {
            let given = words.next().and_then(|word| word.to_str());
            // libFuzzer takes 0 for "without end".
            fuzzing.seconds = given
                .and_then(|seconds| seconds.parse().ok())
                .filter(|seconds| *seconds > 0)
                .ok_or_else(|| misused("`--seconds` wants a whole number above 0".into()))?;
            continue;
        }
        let target = TARGETS.iter().find(|target| word == **target);
        let target =
            target.ok_or_else(|| misused(format!("unknown target `{}`", word.display())))?;
        fuzzing.targets.push(target);
    }
    Ok(fuzzing)
}

fn places(rest: Vec<OsString>) -> Result<Vec<PathBuf>, Misuse> {
    let option = rest
        .iter()
        .find(|word| word.to_string_lossy().starts_with('-'));
    match option {
        None => Ok(rest.into_iter().map(PathBuf::from).collect()),
        Some(word) => Err(misuse(
            format!("unexpected argument `{}`", word.display()),
            "cargo xtask mutants --help",
        )),
    }
}

fn comparison(rest: &[OsString]) -> Result<Comparison, Misuse> {
    let misused = |complaint: String| misuse(complaint, "cargo xtask versus --help");
    let known = |word: &OsString| word == "--check" || word == "--show";
    match rest {
        [] => Ok(Comparison::Write),
        [word] if word == "--check" => Ok(Comparison::Check),
        [word, case] if word == "--show" => Ok(Comparison::Show(case.clone())),
        [word] if word == "--show" => Err(misused("`--show` wants the name of a case".into())),
        [word, ..] if !known(word) => {
            Err(misused(format!("unexpected argument `{}`", word.display())))
        }
        [.., word] => Err(misused(format!("unexpected argument `{}`", word.display()))),
    }
}

fn benchmark(rest: Vec<OsString>) -> Result<Vec<OsString>, Misuse> {
    let misused = |complaint: String| misuse(complaint, "cargo xtask bench --help");
    match rest.first() {
        Some(what) if MEASURED.iter().any(|known| what == known) => Ok(rest),
        Some(word) => Err(misused(format!("unknown measurement `{}`", word.display()))),
        None => {
            let known = MEASURED.join("`, `");
            Err(misused(format!("`bench` wants what to measure: `{known}`")))
        }
    }
}

fn misuse(complaint: impl Into<String>, help: &'static str) -> Misuse {
    Misuse {
        complaint: complaint.into(),
        help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        parse(line.split_whitespace().map(OsString::from)).map_err(|misuse| misuse.to_string())
    }

    #[test]
    fn commands_are_read() {
        let demo = |words: &[&str]| Task::Demo(words.iter().map(OsString::from).collect());
        let fuzz = |seconds, targets: &[&'static str]| {
            Task::Fuzz(Fuzzing {
                seconds,
                targets: targets.to_vec(),
            })
        };
        for (line, task) in [
            ("build", Task::Build),
            ("envoy", Task::Envoy),
            ("test", Task::Test(Part::All)),
            ("test lint", Task::Test(Part::Lint)),
            ("test unit", Task::Test(Part::Unit)),
            ("test e2e", Task::Test(Part::EndToEnd)),
            ("test --host spin", Task::Test(Part::Spin)),
            ("test --host=spin", Task::Test(Part::Spin)),
            ("demo", demo(&[])),
            (
                "demo --check --port 7000",
                demo(&["--check", "--port", "7000"]),
            ),
            ("help", Task::Help(HELP)),
            ("--help", Task::Help(HELP)),
            ("build --help", Task::Help(HELP_BUILD)),
            ("envoy -h", Task::Help(HELP_ENVOY)),
            ("test e2e --help", Task::Help(HELP_TEST)),
            ("fuzz", fuzz(60, &[])),
            ("fuzz --seconds 5", fuzz(5, &[])),
            ("fuzz path token", fuzz(60, &["path", "token"])),
            ("fuzz jwks --seconds 180", fuzz(180, &["jwks"])),
            ("fuzz --help", Task::Help(HELP_FUZZ)),
            ("mutants", Task::Mutants(Vec::new())),
            (
                "mutants core/src/time.rs",
                Task::Mutants(vec!["core/src/time.rs".into()]),
            ),
            ("mutants --help", Task::Help(HELP_MUTANTS)),
            ("demo --check --help", Task::Help(HELP_DEMO)),
            (
                "bench spin --quick",
                Task::Bench(vec!["spin".into(), "--quick".into()]),
            ),
            (
                "bench verify RS256",
                Task::Bench(vec!["verify".into(), "RS256".into()]),
            ),
            ("bench scale", Task::Bench(vec!["scale".into()])),
            ("bench verify --help", Task::Help(HELP_BENCH)),
            (
                "bench envoy --quick --loads refused",
                Task::Bench(vec![
                    "envoy".into(),
                    "--quick".into(),
                    "--loads".into(),
                    "refused".into(),
                ]),
            ),
            ("bench --help", Task::Help(HELP_BENCH)),
            ("bench envoy --help", Task::Help(HELP_BENCH)),
            (
                "drill --soak 10",
                Task::Drill(vec!["--soak".into(), "10".into()]),
            ),
            ("drill --json -h", Task::Help(HELP_DRILL)),
            ("versus", Task::Versus(Comparison::Write)),
            ("versus --check", Task::Versus(Comparison::Check)),
            (
                "versus --show case",
                Task::Versus(Comparison::Show("case".into())),
            ),
            ("versus --check --help", Task::Help(HELP_VERSUS)),
        ] {
            assert_eq!(parsed(line), Ok(task), "{line}");
        }
    }

    #[test]
    fn what_means_nothing_is_refused_by_name() {
        for (line, complaint) in [
            ("", "no command given"),
            ("bulid", "unknown command `bulid`"),
            ("--chekc", "unknown command `--chekc`"),
            ("build --fast", "unexpected argument `--fast`"),
            ("envoy now", "unexpected argument `now`"),
            ("test everything", "unexpected argument `everything`"),
            ("fuzz tokens", "unknown target `tokens`"),
            ("fuzz --seconds", "`--seconds` wants a whole number"),
            ("fuzz --seconds 0", "`--seconds` wants a whole number"),
            ("fuzz --seconds path", "`--seconds` wants a whole number"),
            ("mutants --fast", "unexpected argument `--fast`"),
            ("test unit e2e", "unexpected argument `e2e`"),
            ("versus --show", "`--show` wants the name of a case"),
            ("versus --show a b", "unexpected argument `b`"),
            ("versus case", "unexpected argument `case`"),
            ("bench", "`bench` wants what to measure"),
            ("bench speed", "unknown measurement `speed`"),
            ("bench --quick", "unknown measurement `--quick`"),
        ] {
            let refused = parsed(line).expect_err(line);
            assert!(refused.starts_with(complaint), "{line}: {refused}");
        }
    }
}
