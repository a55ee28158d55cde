//! The socket, its receiver thread, the timer thread and the clock.
