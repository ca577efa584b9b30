//! The processes of this machine, for tests that see to it that none is left behind.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result};

/// The arguments of every process that runs, each as one line.
///
/// # Errors
/// Neither `/proc` nor `ps` tells.
pub fn running() -> Result<Vec<String>> {
    if !Path::new("/proc/self/cmdline").exists() {
        return ps(&["-e", "-o", "args="]);
    }
    let processes = fs::read_dir("/proc")?.flatten();
    // A process may end between the look at the folder and the look into it.
    Ok(processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .map(|arguments| String::from_utf8_lossy(&arguments).replace('\0', " "))
        .collect())
}

/// Whether that process runs. One that has ended and that nobody has waited for yet does not count.
///
/// # Errors
/// Neither `/proc` nor `ps` tells.
pub fn runs(id: u32) -> Result<bool> {
    let state = if Path::new("/proc/self/stat").exists() {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name of the program stands in brackets, and may hold any; the state is behind it.
        stat.rsplit_once(") ").map(|(_, state)| state.to_owned())
    } else {
        let id = id.to_string();
        ps(&["-o", "stat=", "-p", &id])?.into_iter().next()
    };
    Ok(state.is_some_and(|state| !state.starts_with('Z')))
}

/// Sends a signal by its name. The shell has `kill` built in, where a slim system has no program of that name.
///
/// # Errors
/// There is no shell.
pub fn signal(id: u32, name: &str) -> Result<ExitStatus> {
    let kill = format!("kill -s {name} {id}");
    Command::new("sh")
        .args(["-c", &kill])
        .status()
        .context("cannot start `sh`")
}

fn ps(arguments: &[&str]) -> Result<Vec<String>> {
    let output = Command::new("ps")
        .args(arguments)
        .output()
        .context("cannot start `ps`")?;
    let lines = String::from_utf8_lossy(&output.stdout);
    Ok(lines.lines().map(|line| line.trim().to_owned()).collect())
}
