//! Types and functions that every layer may use. The modules, in reading order:
//!
//! - [`model`]: types that cannot hold what the protocol forbids.
//! - [`shown`]: other people's texts as they may be shown. Pure.
//! - [`fold`]: texts as a search compares them. Pure.
//! - [`pinyin`]: names as they are typed without Chinese characters. Pure.
//! - [`timer`]: the retransmission timeout and backoff as values. Pure.
//! - `timer_thread`: what the timer threads of client and server do.
//! - `json`: a line of JSON that commands no terminal. Pure.
//! - [`private`]: files and folders that are their owner's alone.
//! - [`migration`]: a database's file brought up to the form that this program writes.
//! - [`trouble`]: the system's errors in words for a person.
//! - [`settings`]: what was chosen, and the folders.
//! - [`logging`]: logs to the terminal and to a bounded file a day.
//! - [`cli`]: command-line options that programs share; completions and manual pages.

pub mod cli;
pub mod fold;
pub(crate) mod json;
pub mod logging;
pub mod migration;
pub mod model;
pub mod pinyin;
pub mod private;
pub mod settings;
pub mod shown;
pub mod timer;
pub(crate) mod timer_thread;
pub mod trouble;
