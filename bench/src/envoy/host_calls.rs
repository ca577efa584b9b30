//! Whether `wasm-hostcalls` and `wasm-floor` make the host calls that the gate makes: Envoy's trace log names every call.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use e2e::envoy::Launch;
use e2e::http1;

use crate::envoy::floor::Floor;
use crate::envoy::policy;
use crate::envoy::setup::{self, Setup};
use crate::envoy::subject::Bench;
use crate::envoy::workload::{Load, head};
use crate::issuer::Algorithm;

/// How long the log may take to be written.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where they differ, in words; nothing where they do not.
pub(crate) fn differences(bench: &Bench) -> Result<Vec<String>> {
    let issuer = &bench.issuer;
    let cache = bench.caches.of(Load::Rs256One)?;
    let policy = policy::few_routes(issuer, cache.kibibytes);
    let mut launch = Launch::new(&bench.envoy_bin);
    "wasm:trace".clone_into(&mut launch.component_log_level);
    let envoy = launch.start(&setup::gate_and_floors(&bench.files, &policy, issuer)?)?;
    let listeners = envoy.listeners()?;
    let mut requests = 0;
    // The calls for the last of these requests.
    let mut calls = |listener: &str, heads: &[Vec<u8>]| -> Result<Vec<String>> {
        let address = listeners.get(listener).context("a listener is missing")?;
        for head in heads {
            http1::exchange(*address, head)?;
            requests += 1;
        }
        let begin = Instant::now();
        loop {
            let log = envoy.log();
            if log.matches(RETURN).count() >= requests {
                return of_last_request(&log).context("a trace log without a request");
            }
            if begin.elapsed() > PATIENCE {
                bail!("Envoy's trace log does not tell of the requests");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    // The first one waits for keys, the second one's token is known.
    let known = vec![head(Some(&issuer.token(Algorithm::EdDsa)?)); 3];
    let new = |algorithm| anyhow::Ok(vec![head(Some(&issuer.token(algorithm)?))]);
    let compared = [
        (Setup::WasmHostcalls.name(), known.clone()),
        (Floor::Known.name(), known),
        (Floor::Rs256.name(), new(Algorithm::Rs256)?),
        (Floor::Es256.name(), new(Algorithm::Es256)?),
        (Floor::Refused.name(), vec![head(None)]),
    ];
    let mut told = Vec::new();
    for (listener, heads) in compared {
        let gate = calls(Setup::Scopegate.name(), &heads)?;
        let floor = calls(listener, &heads)?;
        if gate != floor {
            told.push(format!("for {listener} the gate calls {}", gate.join(", ")));
            told.push(format!("{listener} calls {}", floor.join(", ")));
        }
    }
    Ok(told)
}

const ENTRY: &str = "[host->vm] proxy_on_request_headers(";
const RETURN: &str = "[host<-vm] proxy_on_request_headers";
const CALL: &str = "[vm->host] env.";

/// The names of the host calls that the last request made, in their order.
fn of_last_request(log: &str) -> Option<Vec<String>> {
    let start = log.rfind(ENTRY)?;
    let start = log.get(..start)?.rfind('\n').map_or(0, |line| line + 1);
    let lines = log.get(start..)?.lines();
    let thread = thread_of(log.get(start..)?)?;
    let calls = lines
        // The main thread's VM ticks meanwhile.
        .filter(|line| thread_of(line) == Some(thread))
        .take_while(|line| !line.contains(RETURN))
        .filter_map(|line| line.split_once(CALL)?.1.split_once('('))
        .map(|(name, _)| name.trim_start_matches("proxy_").to_owned())
        // What the gate logs, it logs because the level is `trace` here.
        .filter(|name| name != "log");
    Some(calls.collect())
}

/// The second thing in brackets.
fn thread_of(line: &str) -> Option<&str> {
    line.split('[').nth(2)?.split(']').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_the_last_request_are_found() {
        let log = "\
[01:12:54.1][39][trace][wasm] [w.cc:39] [host->vm] proxy_on_request_headers(2, 8, 1)
[01:12:54.1][39][trace][wasm] [w.cc:39] [vm->host] env.proxy_log(4, 1)
[01:12:54.1][39][trace][wasm] [w.cc:39] [host<-vm] proxy_on_request_headers return: 0
[01:12:54.2][39][trace][wasm] [w.cc:39] [host->vm] proxy_on_request_headers(3, 8, 1)
[01:12:54.2][39][trace][wasm] [w.cc:39] [vm->host] env.proxy_get_header_map_pairs(0, 1, 2)
[01:12:54.2][39][trace][wasm] [w.cc:39] [host->vm] proxy_on_memory_allocate(235)
[01:12:54.2][38][trace][wasm] [w.cc:39] [vm->host] env.proxy_record_metric(0, 1)
[01:12:54.2][39][trace][wasm] [w.cc:39] [vm<-host] env.proxy_get_header_map_pairs return: 0
[01:12:54.2][39][trace][wasm] [w.cc:39] [vm->host] env.proxy_set_property(1, 2, 3, 4)
[01:12:54.2][39][trace][wasm] [w.cc:39] [host<-vm] proxy_on_request_headers return: 0
[01:12:54.2][39][trace][wasm] [w.cc:39] [vm->host] env.proxy_log(4, 1)
";
        let calls = of_last_request(log).unwrap();
        assert_eq!(calls, ["get_header_map_pairs", "set_property"]);
    }
}
