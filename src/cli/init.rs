//! stub
use super::args::{Global, Init};
use crate::domain::Fault;
pub async fn run(_: &Global, _: Init) -> anyhow::Result<u8> {
    Err(Fault::refused("this command is not there yet").into())
}
