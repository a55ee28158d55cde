//! The other half of the plain protocol.
