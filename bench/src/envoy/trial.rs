//! The trial before anything is measured: each configuration does what its figures will stand for.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use e2e::http1;
use serde_json::json;

use crate::envoy::floor::Floor;
use crate::envoy::setup::{CHECK_HOST, SEEN, Setup};
use crate::envoy::workload::{Load, head_to, refused};
use crate::issuer::{Algorithm, Issuer};

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Rs256,
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Ps256,
];

/// Asks every listener for what it must let pass, and for what it must not.
pub(crate) fn pass(
    address: impl Fn(&str) -> Result<SocketAddr>,
    issuer: &Issuer,
    loads: &[Load],
) -> Result<()> {
    for floor in Floor::ALL {
        let request = head_to(CHECK_HOST, Some(&issuer.token(Algorithm::Rs256)?));
        let got = http1::exchange(address(floor.name())?, &request)?.status;
        ensure!(got == floor.status(), "{} answers {got}", floor.name());
    }
    for setup in Setup::ALL {
        if setup == Setup::WasmFloor {
            continue;
        }
        let apart = loads.iter().filter(|load| setup.is_apart(**load));
        for load in std::iter::once(&Load::Rs256One).chain(apart) {
            let listener = setup.listener(*load);
            one(setup, address(&listener)?, issuer)
                .with_context(|| format!("the listener {listener}"))?;
        }
    }
    Ok(())
}

fn one(setup: Setup, address: SocketAddr, issuer: &Issuer) -> Result<()> {
    for algorithm in ALGORITHMS {
        let token = issuer.token(algorithm)?;
        // Twice: the second time it may be known.
        for _ in 0..2 {
            let answer = http1::exchange(address, &head_to(CHECK_HOST, Some(&token)))?;
            ensure!(
                answer.status == 200,
                "a good token, signed with {}, gets {}",
                algorithm.name(),
                answer.status
            );
            let seen = answer.header(SEEN);
            let sets_header = !matches!(setup, Setup::None | Setup::WasmHeader);
            ensure!(
                !sets_header || seen == ["auth0|507f1f77bcf86cd799439011"],
                "the upstream would see {seen:?} as x-auth-sub"
            );
        }
    }
    let status = |request: &[u8]| anyhow::Ok(http1::exchange(address, request)?.status);
    for request in refused(issuer)? {
        let (wanted, got) = (if setup.is_a_gate() { 401 } else { 200 }, status(&request)?);
        ensure!(got == wanted, "what a gate refuses gets {got}");
    }
    let poor = issuer.mint(Algorithm::Rs256, "poor", &json!({ "scope": "openid" }))?;
    let got = status(&head_to(CHECK_HOST, Some(&poor)))?;
    let wanted = if setup.checks_scopes() { 403 } else { 200 };
    ensure!(got == wanted, "a token without the scope gets {got}");
    Ok(())
}
