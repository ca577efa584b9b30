//! The policies: services of a hundred routes each, as a gate in front of many teams has them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// Numbers of routes.
const SIZES: [usize; 3] = [100, 1_000, 10_000];

/// Routes of one service.
const SERVICE: usize = 100;

/// A policy, and the same with one scope less in the middle.
pub(crate) struct Policy {
    pub(crate) routes: usize,
    pub(crate) file: PathBuf,
    pub(crate) changed: PathBuf,
    /// The path of a route in the middle.
    pub(crate) path: String,
}

/// Writes them into that folder.
pub(crate) fn write(folder: &Path) -> Result<Vec<Policy>> {
    let mut policies = Vec::new();
    for routes in SIZES {
        let middle = routes / 2;
        let (file, changed) = (
            folder.join(format!("{routes}.yaml")),
            folder.join(format!("{routes}-changed.yaml")),
        );
        std::fs::write(&file, text(routes, None))?;
        std::fs::write(&changed, text(routes, Some(middle)))?;
        policies.push(Policy {
            routes,
            file,
            changed,
            path: format!("/service-{}/things-{middle}/17", middle / SERVICE),
        });
    }
    Ok(policies)
}

fn text(routes: usize, changed: Option<usize>) -> String {
    let mut text = String::from(
        "version: 1\nrealm: bench\nissuers:\n  one: { issuer: \"https://tenant.example/\", audiences: [api] }\nroutes:\n",
    );
    for route in 0..routes {
        let service = route / SERVICE;
        let demand = match changed == Some(route) {
            true => "authenticated: true".to_owned(),
            false => format!("scopes: [read:{service}]"),
        };
        let _ = writeln!(
            text,
            "  - {{ path: \"/service-{service}/things-{route}/{{id}}\", methods: [GET], {demand} }}"
        );
    }
    text
}
