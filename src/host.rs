//! Finding, starting and sharing this machine's server process.
