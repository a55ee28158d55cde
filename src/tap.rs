//! Observed traffic as values, for the protocol window.
