//! The program: serves until SIGTERM or SIGINT.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Result;
use spin_host::arguments::{self, Instead, USAGE};
use spin_host::host::{Host, Options};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let options = match arguments::read(std::env::args_os().skip(1), std::env::vars_os()) {
        Ok(options) => options,
        Err(Instead::Help) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(Instead::Wrong(error)) => {
            eprintln!("Error: {error:#}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Error: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve(&options)) {
        // Requests that are still under way do not hold the end up, and instances do not die one by one.
        Ok(()) => std::process::exit(0),
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: &Options) -> Result<()> {
    // Before anything is said, so that who reads it may send a signal at once.
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let host = Host::start(options).await?;
    show(&host)?;
    futures_util::future::select(Box::pin(terminated.recv()), Box::pin(interrupted.recv())).await;
    Ok(())
}

/// Says where it serves, in one write: whoever waits for the first line may close the pipe behind it.
fn show(host: &Host) -> Result<()> {
    let base = format!("http://{}", host.address());
    let mut text = format!("Serving {base}\n");
    if let Some(control) = host.control_address() {
        writeln!(text, "Control http://{control}")?;
    }
    writeln!(text, "Available Routes:")?;
    for (route, component, description) in host.routes() {
        writeln!(text, "  {component}: {base}{route}")?;
        if !description.is_empty() {
            writeln!(text, "    {description}")?;
        }
    }
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
