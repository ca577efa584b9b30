//! The issuer and the API of the example on their usual ports, for an Envoy that is started by hand.
//!
//! `cargo run -p timesheets` prints tokens to try, and stays until Ctrl-C. `cargo xtask demo` needs none of this.

use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result};
use scopegate::issuer::{Grant, Issuer};
use scopegate_core::Algorithm;
use timesheets::api::Api;

/// The ports that policy.yaml and envoy/envoy.yaml name.
const ISSUER_PORT: u16 = 9101;
const API_PORT: u16 = 9102;

/// A working day.
const TOKEN_SECONDS: i64 = 12 * 60 * 60;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let issuer = Issuer::generate(
        &format!("http://127.0.0.1:{ISSUER_PORT}/"),
        &[Algorithm::Rs256, Algorithm::Es256],
    )?;
    let _keys = issuer.serve(ISSUER_PORT)?;
    let api = Api::start(API_PORT)?;
    println!("issuer  http://127.0.0.1:{ISSUER_PORT}/ (keys in .well-known/jwks.json)");
    println!(
        "API     http://{}/ (not to be called past the gate)",
        api.address()
    );
    for scope in ["read:timesheets", "read:timesheets create:timesheets"] {
        let mut grant = Grant::new("alice", "https://timesheets.example.com/api", scope);
        grant.expires_in = Some(TOKEN_SECONDS);
        let token = issuer
            .mint(&grant, SystemTime::now())
            .context("minting a token")?
            .text;
        println!("\na token of alice, 12 hours, {scope}:\n{token}");
    }
    println!("\nCtrl-C ends both.");
    loop {
        std::thread::park();
    }
}
