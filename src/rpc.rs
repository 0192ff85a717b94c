//! Requests, responses and events over a Unix socket, or over stdin and stdout through ssh.
//!
//! Owns framing, the socket, the lock and who the peer is. Knows nothing of what a request means.

mod client;
mod place;
mod proxy;
mod server;
mod wire;

pub use client::{Client, Events};
pub use place::{Lock, Owner, Place};
pub use proxy::relay;
pub use server::{Answering, Knowing, Server, Serving};
pub use wire::{Frame, PROTOCOL, decode, encode};
