//! Session, socket and history behind one inbox.
