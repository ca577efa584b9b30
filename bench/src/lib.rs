//! What all measurements share, also those that are programs of their own: how much is measured, and what becomes of the figures.

pub mod options;
pub mod statistics;
