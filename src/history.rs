//! The client's database and the thread that owns it.
