//! `deskbell`, a service desk in the terminal.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod cli;
pub mod config;
pub mod desk;
pub mod domain;
pub mod index;
pub mod mail;
pub mod outlet;
pub mod rpc;
pub mod source;
pub mod store;
pub mod sync;
pub mod tls;
pub mod tui;
