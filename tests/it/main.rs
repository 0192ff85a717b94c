//! One test binary for everything that needs more than one module.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attach;
mod damage;
mod deliver;
mod first;
mod imap;
mod kills;
mod outages;
mod smtp;
mod support;
mod whole;
