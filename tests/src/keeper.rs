//! Keeps a child process, and sees to it that it never outlives this one.
//!
//! A destructor does not run when a process is killed, so the end of the child has to be arranged beforehand. On
//! Linux `setpriv --pdeathsig KILL` (util-linux) does it in the kernel. Elsewhere a shell waits on a pipe of ours: when we
//! are gone the pipe closes, and the shell kills the child. (Asking the kernel from this process would need unsafe code.)
//!
//! A program that starts another of its own (`spin up` does) would leave that one behind: neither way reaches it. Such a child
//! is kept with its whole process group, and by the shell on every system.
//!
//! The kernel's death signal is tied to the *thread* that started the child, not to the process. Each child therefore
//! has a thread of its own, which starts it and stays until the child has ended.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};

/// What ends with a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The process alone: it starts no other.
    Process,
    /// Its process group: what it started goes with it.
    Group,
}

/// Where the standard streams of a child go. They may go to one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output<'p> {
    /// Standard output.
    pub(crate) out: &'p Path,
    /// Standard error.
    pub(crate) err: &'p Path,
}

impl<'p> From<&'p Path> for Output<'p> {
    fn from(file: &'p Path) -> Self {
        Self {
            out: file,
            err: file,
        }
    }
}

/// A child process with its keeper. Dropping it kills the child and waits until it is gone.
#[derive(Debug)]
pub(crate) struct Kept {
    id: u32,
    ended: Arc<OnceLock<String>>,
    // Dropped to tell the keeper to end the child.
    leash: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl Kept {
    /// Starts the program with these arguments, and with these variables over our own environment.
    pub(crate) fn spawn<'p>(
        program: &Path,
        arguments: &[OsString],
        environment: &[(&str, &Path)],
        output: impl Into<Output<'p>>,
        reach: Reach,
    ) -> Result<Self> {
        let Output { out, err } = output.into();
        // For appending: Envoy may open its standard output a second time (an access log to /dev/stdout).
        let open = |file: &Path| {
            File::options()
                .create(true)
                .append(true)
                .open(file)
                .with_context(|| format!("creating {}", file.display()))
        };
        let mut command = bound_command(program);
        // Its own process group: a Ctrl-C in the terminal is for us, and we end the child in good order.
        command
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(open(out)?)
            .stderr(open(err)?)
            .process_group(0);

        let (leash, released) = channel();
        let (started, start) = channel();
        let ended = Arc::new(OnceLock::new());
        let end = Arc::clone(&ended);
        let keeper = std::thread::Builder::new()
            .name("keeper of a child".to_owned())
            .spawn(move || {
                let child = command.spawn();
                match child {
                    Ok(child) => {
                        // Nobody waits for the answer only if `spawn` below is gone already.
                        let _ = started.send(Ok(child.id()));
                        keep(child, reach, &released, &end);
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                    }
                }
            })?;
        let id = start
            .recv()?
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self {
            id,
            ended,
            leash: Some(leash),
            keeper: Some(keeper),
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.get().is_some()
    }

    /// Kills the child, if it still runs, and waits until it is gone.
    pub(crate) fn stop(&mut self) {
        drop(self.leash.take());
        if let Some(keeper) = self.keeper.take() {
            // A keeper that panicked has no child left to wait for.
            let _ = keeper.join();
        }
    }

    /// How it ended, for a message.
    pub(crate) fn end(&self) -> &str {
        self.ended.get().map_or("it still runs", String::as_str)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until the child ends by itself or the leash is dropped; then the child is gone either way.
fn keep(mut child: Child, reach: Reach, released: &Receiver<()>, ended: &OnceLock<String>) {
    let guard = Guard::of(&child, reach);
    let status = loop {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) => break status.to_string(),
            Err(error) => break error.to_string(),
        }
        if let Err(RecvTimeoutError::Disconnected) =
            released.recv_timeout(Duration::from_millis(20))
        {
            if reach == Reach::Group {
                kill_group(&child);
            }
            // Killing fails only when it has ended already.
            let _ = child.kill();
            break child
                .wait()
                .map_or_else(|error| error.to_string(), |status| status.to_string());
        }
    };
    drop(guard);
    let _ = ended.set(status);
}

/// Kills all that the child started. Its group bears its number (see `process_group` above), which nobody else can have before
/// the child has been waited for.
fn kill_group(child: &Child) {
    let group = format!("-{}", child.id());
    // Without a shell the child itself is still killed.
    let _ = Command::new("/bin/sh")
        .args(["-c", "kill -s KILL -- \"$1\"", "sh", &group])
        .stderr(Stdio::null())
        .status();
}

/// The command that runs the program bound to our own life where the system's tool can do that.
fn bound_command(program: &Path) -> Command {
    match setpriv() {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

fn setpriv() -> Option<PathBuf> {
    ["/usr/bin/setpriv", "/bin/setpriv"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| cfg!(target_os = "linux") && path.is_file())
}

/// Where `setpriv` is missing or does not reach far enough: a shell that reads from our pipe, and kills the child, or its group, when
/// the pipe closes.
struct Guard(Option<Child>);

impl Guard {
    fn of(child: &Child, reach: Reach) -> Self {
        let target = match reach {
            Reach::Process if setpriv().is_some() => return Self(None),
            Reach::Process => child.id().to_string(),
            Reach::Group => format!("-{}", child.id()),
        };
        let watch = |target: &str| -> io::Result<Child> {
            Command::new("/bin/sh")
                .args([
                    "-c",
                    "trap '' INT TERM HUP; read -r line; kill -s KILL -- \"$1\" 2>/dev/null",
                    "sh",
                ])
                .arg(target)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn()
        };
        // Without a shell the child may outlive a killed parent; a normal end still takes it along.
        Self(watch(&target).ok())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut shell) = self.0.take() {
            let _ = shell.kill();
            let _ = shell.wait();
        }
    }
}
