//! The component that the tests of the Spin test host run: it does what the path asks for, and says what it saw.
//! With the feature `middleware` it stands before another component instead.

#![cfg(target_family = "wasm")]

#[cfg(feature = "middleware")]
mod before;
#[cfg(not(feature = "middleware"))]
mod service;
