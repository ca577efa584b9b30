//! The YAML (1.2.2) of a policy file: a text as a tree of values, each with its place, within a budget.
//!
//! What a policy does not have is a [`Fault`] here: anchors and aliases, tags, keys that are no texts or stand twice, numbers about
//! which readers of YAML disagree. It is a package of its own because it alone is compiled for the smallest size.

mod node;
mod plain;
mod step;
mod tree;

pub use node::{Node, Place, Spanned, Value};
pub use tree::{Fault, tree};
