//! The faces: what a person sees and types. Both know the same client; neither knows the other.
//!
//! - `gui`: the windows (feature `gui`).
//! - [`term`]: the terminal.

#[cfg(feature = "gui")]
pub mod gui;
pub mod term;
