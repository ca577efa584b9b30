//! Values of the shipped `envoy/envoy.yaml` by their places, for runs that change a few of them and keep the rest as shipped.

use anyhow::{Context, Result};
use serde_json::Value;

/// The value at that JSON pointer (RFC 6901).
///
/// # Errors
/// There is none.
pub fn at<'v>(value: &'v mut Value, pointer: &str) -> Result<&'v mut Value> {
    value
        .pointer_mut(pointer)
        .with_context(|| format!("envoy/envoy.yaml has no {pointer} where it is looked for"))
}

/// The item of that name.
///
/// # Errors
/// There is none, or no list.
pub fn named<'v>(list: &'v mut Value, name: &str) -> Result<&'v mut Value> {
    list.as_array_mut()
        .and_then(|items| items.iter_mut().find(|item| item["name"] == name))
        .with_context(|| format!("envoy/envoy.yaml names no `{name}` where it is looked for"))
}

/// Where the address of a cluster's only endpoint stands.
pub const ENDPOINT: &str = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address";
