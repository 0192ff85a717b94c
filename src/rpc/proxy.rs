//! The protocol on other streams: what `attach --stdio` puts between ssh and the socket.

use super::wire::{Frame, Reader, Writer};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// Passes frames both ways until one side ends. With `user` the caller is that user, whatever they say, and
/// has no more rights than that user.
pub async fn relay<R, W, SR, SW>(
    input: R,
    output: W,
    from_desk: SR,
    to_desk: SW,
    user: Option<String>,
) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    SR: AsyncRead + Unpin,
    SW: AsyncWrite + Unpin,
{
    let there = async {
        let (mut reader, mut writer) = (Reader::new(input), Writer::new(to_desk));
        while let Some(mut frame) = reader.receive().await? {
            if let (Frame::Hello { user: said, fixed, .. }, Some(user)) = (&mut frame, &user) {
                *said = Some(user.clone());
                *fixed = true;
            }
            writer.send(&frame).await?;
        }
        io::Result::Ok(())
    };
    let back = async {
        let (mut reader, mut writer) = (Reader::new(from_desk), Writer::new(output));
        while let Some(frame) = reader.receive().await? {
            writer.send(&frame).await?;
        }
        io::Result::Ok(())
    };
    tokio::select! {
        ended = there => ended,
        ended = back => ended,
    }
}
