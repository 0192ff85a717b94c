//! `deskbell`, a service desk in the terminal: customers write mail, staff answer from the keyboard.
//!
//! # What flows where
//!
//! ```text
//!   IMAP, Graph, Maildir, files                             SMTP, Graph, sendmail, Maildir
//!          │ source                                                        ▲ outlet
//!          ▼                                                               │
//!        sync ──── raw mail ────▶ desk ──── due rows of the outbox ─────▶ sync
//!                                 │  ▲
//!                    one commit   │  │ records, rows, texts
//!                                 ▼  │
//!                   store (journal, trees) ──▶ index
//!                                 ▲
//!        Request, Response, Event │
//!   tui ◀──── cli ◀──── rpc ◀─────┘
//! ```
//!
//! A mail comes in: [`source`] hands over bytes, [`sync`] gives them to [`desk`], which reads them with
//! [`mail`], decides where they belong, and commits everything at once: the raw mail, the note, the issue,
//! the Message-IDs, the entry of the intake, the rows of the outbox it causes and the cursor of the mailbox.
//! Only then is the server told. An answer goes out the same way round: the note and its rows are one
//! commit, [`sync`] takes what is due to an [`outlet`], and each result is recorded before the next mail.
//!
//! The journal in [`store`] is the desk. The trees beside it, the rows and the full text of [`index`] are
//! derived from it and can be thrown away. Whoever wants something asks with a [`domain::Request`], in the
//! process or over the socket of [`rpc`]; whoever shows something follows [`domain::Event`]s, which name what
//! changed and carry nothing else.
//!
//! # Layers
//!
//! | layer | owns | may use |
//! |---|---|---|
//! | [`domain`] | nouns, pure rules, the contract of every front end | nothing |
//! | [`config`] | the TOML file as plain structs | `domain` |
//! | [`child`] | programs that are started: what they say has an end, and nothing of them is left behind | nothing |
//! | [`crypt`] | `gpg` and `gpgsm`: how they are called, what they answer | `domain`, `config`, `child` |
//! | [`git`] | `git`: how it is called, what reached a branch | `domain`, `child` |
//! | [`tls`] | how a server is trusted | `domain`, `config` |
//! | [`http`] | one question, one answer that has an end | `config`, `tls` |
//! | [`oauth`] | access tokens: got, kept, renewed | `config`, `child`, `http` |
//! | [`graph`] | Microsoft Graph: how it is called, what it answers | `config`, `http`, `oauth` |
//! | [`mail`] | bytes to meaning and back | `domain` |
//! | [`store`] | the journal, and sled derived from it | `domain` |
//! | [`index`] | issue rows and full text | `domain` |
//! | [`source`] | where mail comes from | `domain`, `config`, `tls`, `oauth`, `graph` |
//! | [`outlet`] | where mail goes | `domain`, `config`, `tls`, `oauth`, `graph` |
//! | [`spam`] | who is asked whether a mail is wanted | `domain`, `config`, `http` |
//! | [`desk`] | every decision; the only writer of the store | `domain`, `config`, `crypt`, `git`, `mail`, `store`, `index`, `spam` |
//! | [`web`] | the page to unsubscribe on, figures for Prometheus | `domain`, `desk` |
//! | [`sync`] | when things happen | `domain`, `config`, `child`, `git`, `oauth`, `source`, `outlet`, `desk`, `web` |
//! | [`rpc`] | frames, the socket, who the peer is | `domain` |
//! | [`tui`] | the screens | `domain`, `child` |
//! | [`cli`] | arguments, commands, printing | everything |
//!
//! A test reads the `use` lines and fails on one that goes the wrong way; each outside crate has one owner.
//!
//! # What holds everywhere
//!
//! - Nothing is acknowledged before it is durable, and everything can be repeated without harm.
//! - Nothing waits for the network, or for another person's work, on the way to the screen.
//! - Everything from outside is hostile: mails, headers, server lines, templates, config, socket peers.
//! - Failures in the background are states with a cause and a next try, never popups.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod child;
pub mod cli;
pub mod config;
pub mod crypt;
pub mod desk;
pub mod domain;
pub mod git;
pub mod graph;
pub mod http;
pub mod index;
pub mod mail;
pub mod oauth;
pub mod outlet;
pub mod rpc;
pub mod source;
pub mod spam;
pub mod store;
pub mod sync;
pub mod tls;
pub mod tui;
pub mod web;
