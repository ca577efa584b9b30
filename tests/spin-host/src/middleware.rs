//! Puts middleware before a component: one component out of several, as Spin composes them.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

use crate::application::{Component, Middleware};

/// What middleware imports and exports, and a component exports.
const HANDLER: &str = "wasi:http/handler@0.3.0";

/// Which interfaces need which capability. Spin denies those that a middleware does not inherit when they are called. Here the middleware
/// gets the capabilities of the component that it guards, so a manifest for which that would be too much is refused.
const CAPABILITIES: [(&str, &str); 3] = [
    ("allowed_outbound_hosts", "wasi:http/client@"),
    ("key_value_stores", "spin:key-value/"),
    ("variables", "spin:variables/"),
];

/// The bytes of the component as it runs: its own, where nothing stands before it.
pub(crate) fn compose(component: &Component) -> Result<Vec<u8>> {
    let own = read(&component.source)?;
    if component.middleware.is_empty() {
        return Ok(own);
    }
    let mut graph = CompositionGraph::new();
    let mut handler = instantiate(&mut graph, "guarded", own, None)?;
    for (number, middleware) in component.middleware.iter().enumerate().rev() {
        let name = format!("middleware{number}");
        handler = add(&mut graph, &name, middleware, handler, component)
            .with_context(|| format!("middleware `{}`", middleware.id))?;
    }
    graph.export(handler, HANDLER)?;
    Ok(graph.encode(EncodeOptions {
        // The engine validates what it compiles.
        validate: false,
        ..EncodeOptions::default()
    })?)
}

fn add(
    graph: &mut CompositionGraph,
    name: &str,
    middleware: &Middleware,
    behind: NodeId,
    guarded: &Component,
) -> Result<NodeId> {
    let bytes = read(&middleware.source)?;
    let handler = instantiate(graph, name, bytes, Some(behind))?;
    let package = graph
        .packages()
        .find(|package| package.name() == name)
        .context("just registered")?;
    let imports: Vec<&String> = graph.types()[package.ty()].imports.keys().collect();
    let inherits = |key: &str| middleware.inherits.iter().any(|inherited| inherited == key);
    for (key, interface) in CAPABILITIES {
        if imports.iter().any(|import| import.starts_with(interface)) && !inherits(key) {
            bail!("it imports `{interface}…`, but inherit_configuration does not name `{key}`");
        }
    }
    // These every component imports by way of the standard library, used or not.
    if !guarded.files.is_empty() && !inherits("files") {
        bail!("this host cannot keep the files of the component from it: inherit `files`");
    }
    if !guarded.environment.is_empty() && !inherits("environment") {
        bail!(
            "this host cannot keep the environment of the component from it: inherit `environment`"
        );
    }
    Ok(handler)
}

/// Adds a component, with the handler behind it, and gives the handler that it exports.
fn instantiate(
    graph: &mut CompositionGraph,
    name: &str,
    bytes: Vec<u8>,
    behind: Option<NodeId>,
) -> Result<NodeId> {
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())?;
    let package = graph.register_package(package)?;
    let instance = graph.instantiate(package);
    if let Some(behind) = behind {
        graph
            .set_instantiation_argument(instance, HANDLER, behind)
            .with_context(|| format!("it does not import {HANDLER}"))?;
    }
    graph
        .alias_instance_export(instance, HANDLER)
        .with_context(|| format!("it does not export {HANDLER}"))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("component {}", path.display()))
}
