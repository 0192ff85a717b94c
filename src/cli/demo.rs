//! stub
use super::args::{Demo, Global};
use crate::domain::Fault;
pub async fn run(_: &Global, _: Demo) -> anyhow::Result<u8> {
    Err(Fault::refused("this command is not there yet").into())
}
