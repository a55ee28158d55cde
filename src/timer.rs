//! Deadlines as values: retransmission timeout, backoff. Pure.
