//! Real servers behind the gate. Each of them serves the routes of `tests/upstreams/policy.yaml`, by its own routing, and answers
//! with the name of the route that it took: the gate must have authorised the same one.

pub mod differences;
pub mod servers;
pub mod spellings;

use std::path::{Path, PathBuf};

/// The servers, each as a beginner writes it, and once more as `docs/upstreams.md` advises.
pub const UPSTREAMS: [Upstream; 10] = [
    Upstream::new("nginx", Kind::Nginx, Mode::Plain),
    Upstream::new("nginx, fitted", Kind::Nginx, Mode::Fitted),
    Upstream::new("wsgiref", Kind::Wsgi, Mode::Plain),
    Upstream::new("wsgiref, fitted", Kind::Wsgi, Mode::Fitted),
    Upstream::new("express", Kind::Node("express.js"), Mode::Plain),
    Upstream::new("express, fitted", Kind::Node("express.js"), Mode::Fitted),
    Upstream::new("fastify", Kind::Node("fastify.js"), Mode::Plain),
    Upstream::new("fastify, fitted", Kind::Node("fastify.js"), Mode::Fitted),
    Upstream::new("node:http", Kind::Node("url.js"), Mode::Plain),
    Upstream::new("node:http, fitted", Kind::Node("url.js"), Mode::Fitted),
];

/// One server in one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its name in reports and in `differences.yaml`.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// How it is set up.
    pub mode: Mode,
}

impl Upstream {
    const fn new(name: &'static str, kind: Kind, mode: Mode) -> Self {
        Self { name, kind, mode }
    }
}

/// What a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// nginx, with locations.
    Nginx,
    /// Python's wsgiref.
    Wsgi,
    /// Node, with that program.
    Node(&'static str),
}

/// How a server is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As a beginner writes it.
    Plain,
    /// As `docs/upstreams.md` advises.
    Fitted,
}

/// A file of `tests/upstreams`.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("upstreams")
        .join(name)
}
