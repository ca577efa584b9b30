//! `scopegate issuer`: a small issuer on this machine, with real keys, for tests of policies and of what stands behind a gate.

mod addresses;
mod announcement;
mod arguments;
mod desk;
mod grant;
mod key_pair;
mod key_ring;
mod local_issuer;
mod saved_keys;
mod service;
mod token_request;

use std::io::{BufRead as _, IsTerminal as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use scopegate_core::Algorithm;
use tokio::sync::mpsc;

use crate::Outcome;
use crate::clock;
use crate::http_server::{self, Server};
use crate::streams::Streams;
use addresses::Addresses;
use announcement::Announcement;
pub(crate) use arguments::IssuerArguments;
use arguments::{Format, IssuerCommand, OnceArguments, ServeArguments};
use desk::Desk;
pub use grant::Grant;
pub(crate) use key_pair::KeyPair;
pub use local_issuer::{AccessToken, Issuer};
use saved_keys::SavedKeys;

pub(crate) fn run(arguments: &IssuerArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    match &arguments.command {
        Some(IssuerCommand::Token(once)) => mint_once(once, streams),
        None => serve(&arguments.serve, streams),
    }
}

/// One token, signed with saved keys.
fn mint_once(arguments: &OnceArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let saved = SavedKeys::at(&arguments.keys);
    let wanted: Vec<Algorithm> = arguments.algorithm.into_iter().collect();
    let Some(keys) = saved.read(&wanted)? else {
        let name = arguments.keys.display();
        bail!("there is no file {name}; `scopegate issuer --keys {name}` makes one");
    };
    let issuer = Issuer::with_keys(&arguments.issuer, keys)?;
    let grant = arguments.grant.read(streams)?.over(&Grant::usual());
    let token = issuer.mint(&grant, clock::wall())?;
    writeln!(streams.out(), "{}", token.text)?;
    Ok(Outcome::Well)
}

fn serve(arguments: &ServeArguments, streams: &mut Streams) -> anyhow::Result<Outcome> {
    let listen = arguments.listen;
    if !listen.ip().is_loopback() && !arguments.danger_non_loopback {
        bail!(
            "{listen} is not loopback, and whoever can reach this issuer mints what they like: listen on 127.0.0.1, or add `--danger-non-loopback` where nobody else can reach it"
        );
    }
    let usual = arguments.grant.read(streams)?.over(&Grant::usual());
    // Before the keys are made, which takes a moment: a port that is taken is told at once.
    let listener = http_server::listen("the issuer", listen)?;
    let address = listener.local_addr()?;
    let name = match &arguments.issuer {
        Some(name) => name.clone(),
        None => Addresses::usual_name(address),
    };
    let addresses = Addresses::of(&name, address);
    let issuer = issuer(arguments, &name)?;
    let algorithms = issuer.algorithms();
    let announcement = Announcement::of(&addresses, &usual.audiences(), &algorithms)?;
    let token = match arguments.print_token {
        true => Some(issuer.mint(&usual, clock::wall())?.text),
        false => None,
    };
    let desk = Arc::new(Desk {
        issuer,
        addresses,
        usual,
        overlap: arguments.overlap,
        saved: arguments.keys.as_deref().map(SavedKeys::at),
        open: !listen.ip().is_loopback(),
        rotating: Mutex::default(),
    });
    let _server = Server::on("the issuer", listener, service::all(Arc::clone(&desk)))?;
    match arguments.format {
        Format::Text => write!(streams.out(), "{}", announcement.text(token.as_deref()))?,
        Format::Json => writeln!(streams.out(), "{}", announcement.json(token.as_deref()))?,
    }
    // Whoever started it waits for these lines.
    streams.out().flush()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(until_stopped(&desk, arguments.rotate_every, streams))?;
    Ok(Outcome::Well)
}

/// With the keys that were saved, or with new ones that are.
fn issuer(arguments: &ServeArguments, name: &str) -> anyhow::Result<Issuer> {
    let saved = arguments.keys.as_deref().map(SavedKeys::at);
    let mut wanted: Vec<Algorithm> = Vec::new();
    for algorithm in &arguments.algorithms {
        if !wanted.contains(algorithm) {
            wanted.push(*algorithm);
        }
    }
    if let Some(saved) = &saved
        && let Some(keys) = saved.read(&wanted)?
    {
        return Issuer::with_keys(name, keys);
    }
    if wanted.is_empty() {
        wanted.push(Algorithm::Rs256);
    }
    let issuer = Issuer::generate(name, &wanted)?;
    if let Some(saved) = &saved {
        saved.write(&issuer)?;
    }
    Ok(issuer)
}

/// Until somebody ends it. Enter makes new keys, and so does the clock where that is wanted.
async fn until_stopped(
    desk: &Desk,
    every: Option<Duration>,
    streams: &mut Streams,
) -> anyhow::Result<()> {
    let (told, mut entered) = mpsc::channel(1);
    if std::io::stdin().is_terminal() {
        writeln!(streams.log(), "Enter makes new keys, Ctrl-C ends.")?;
        listen_for_enter(told)?;
    }
    let mut stop = std::pin::pin!(stopped());
    loop {
        tokio::select! {
            ended = &mut stop => return ended,
            Some(()) = entered.recv() => {}
            () = passed(every) => {}
        }
        // The issuer goes on with the keys that it has.
        match desk.rotate(desk.overlap) {
            Ok(ids) => writeln!(streams.log(), "new keys: {}", ids.join(", "))?,
            Err(error) => writeln!(streams.log(), "no new keys: {error:#}")?,
        }
    }
}

/// Ctrl-C, or the polite way to end a program.
#[cfg(unix)]
async fn stopped() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate()).context("listening for signals")?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended.context("listening for signals"),
        _ = terminated.recv() => Ok(()),
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
async fn stopped() -> anyhow::Result<()> {
    let ended = tokio::signal::ctrl_c().await;
    ended.context("listening for signals")
}

async fn passed(every: Option<Duration>) {
    match every {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// On a thread that nobody waits for: reading a terminal cannot be broken off.
fn listen_for_enter(told: mpsc::Sender<()>) -> anyhow::Result<()> {
    let read = move || {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() || told.blocking_send(()).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("the keyboard".to_owned());
    thread.spawn(read).context("starting a thread")?;
    Ok(())
}
