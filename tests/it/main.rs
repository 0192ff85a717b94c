//! One test binary for everything that needs more than one module.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod addresses;
mod attach;
mod commits;
mod corpora;
mod custom;
mod damage;
mod deliver;
mod demo;
mod desk;
mod docs;
mod doctor;
mod first;
mod fuzz;
mod imap;
mod init;
mod kills;
mod layers;
mod machines;
mod mails;
mod merging;
mod outages;
mod parity;
mod quick;
mod roles;
mod screening;
mod seals;
mod smtp;
mod spam;
mod spawned;
mod staff;
mod support;
mod terminal;
mod undo;
mod whole;
