//! Other programs: run them, read them, and say in one sentence how they failed.

use std::io::stderr;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// A slow line is waited for; a network that swallows packets is not, there may be another way to try.
pub const STUCK: Duration = Duration::from_secs(45);

/// Runs a program to its end. Its output is the user's progress display, so it goes to standard error.
pub fn run(command: &mut Command) -> Result<()> {
    run_with_output(command.stdout(Stdio::from(stderr())))
}

/// Runs a program to its end, its standard output being ours: for output that is itself the result.
pub fn run_with_output(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", name(command)))?;
    succeeded(command, status)
}

/// Runs a program, and ends it once `progress` has not changed for `limit`.
pub fn run_while_moving(
    command: &mut Command,
    limit: Duration,
    progress: impl Fn() -> u64,
) -> Result<()> {
    let mut child = command
        .stdout(Stdio::from(stderr()))
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", name(command)))?;
    let mut seen = progress();
    let mut moved = Instant::now();
    let mut said = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return succeeded(command, status);
        }
        thread::sleep(Duration::from_millis(100));
        let now = progress();
        if now != seen {
            seen = now;
            moved = Instant::now();
        } else if moved.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            bail!("{} got nowhere for {} s", name(command), limit.as_secs());
        }
        if said.elapsed() >= Duration::from_secs(10) {
            said = Instant::now();
            eprintln!("still waiting for {}", name(command));
        }
    }
}

/// Runs a program and returns what it wrote to standard output, without the last line break.
pub fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", name(command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        succeeded(command, output.status).context(complaint)?;
    }
    let text = String::from_utf8(output.stdout)
        .with_context(|| format!("{} wrote something that is not text", name(command)))?;
    Ok(text.trim_end().to_owned())
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    ensure!(status.success(), "{} failed ({status})", name(command));
    Ok(())
}

/// The command line, shortened to what tells one call from another.
fn name(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let words = command
        .get_args()
        .take(4)
        .map(|word| word.to_string_lossy());
    let words: Vec<_> = std::iter::once(program.to_string_lossy())
        .chain(words)
        .collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let started = Instant::now();
        let limit = Duration::from_millis(200);
        let ended = run_while_moving(&mut sh("exec sleep 30"), limit, || 7);
        assert!(ended.is_err());
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_program_that_moves_may_take_longer_than_the_limit() {
        let started = Instant::now();
        let limit = Duration::from_millis(500);
        let ended = run_while_moving(&mut sh("sleep 1.5"), limit, || {
            started.elapsed().as_millis() as u64
        });
        assert!(ended.is_ok(), "{ended:?}");
    }

    #[test]
    fn a_failure_names_the_program_and_its_complaint() {
        let error = read(&mut sh("echo no such luck >&2; exit 3")).expect_err("exit status 3");
        let said = format!("{error:#}");
        assert!(
            said.contains("no such luck") && said.contains("sh -c"),
            "{said}"
        );
    }

    #[test]
    fn output_is_read_without_its_last_line_break() {
        assert_eq!(
            read(&mut sh("echo one; echo two")).ok(),
            Some("one\ntwo".into())
        );
    }
}
