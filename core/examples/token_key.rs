//! Which key for the token cache: the whole token, or its SHA-256?
//!
//! `cargo run --release -p scopegate-core --example token_key` prints the ratio of the two for tokens of several sizes,
//! as a lookup that hits sees them: hash and compare. Built for wasm32-wasip1, it runs under any WASI runtime.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::hash::BuildHasher as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use sha2::{Digest as _, Sha256};

const ROUNDS: usize = 9;
const LOOKUPS: u32 = 20_000;

fn main() {
    for size in [400, 800, 1_600, 4_000] {
        let token = vec![b'a'; size];
        let held = token.clone();
        let table = SeedableRandomState::with_seed(7, SharedSeed::global_fixed());
        // Interleaved, and the median of the ratios: a noisy machine slows both.
        let mut ratios: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let whole = time(|| {
                    black_box(table.hash_one(black_box(&token)));
                    black_box(black_box(&token) == black_box(&held));
                });
                let digest = time(|| {
                    black_box(Sha256::digest(black_box(&token)));
                });
                digest.as_secs_f64() / whole.as_secs_f64()
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        let median = ratios.get(ROUNDS / 2).copied().unwrap_or(f64::NAN);
        println!("token of {size} octets: {median:.1} times as long by its SHA-256");
    }
}

fn time(lookup: impl Fn()) -> Duration {
    let started = Instant::now();
    for _ in 0..LOOKUPS {
        lookup();
    }
    started.elapsed()
}
