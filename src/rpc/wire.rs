//! Frames: self-describing MessagePack, cut into chunks so that a large one holds up no other.
//!
//! Fields that a peer does not know are skipped, so that one step of version skew works.

use crate::domain::{Call, Event, Fault, Response};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

/// The version of the conversation; a peer with another one is refused in words.
pub const PROTOCOL: u32 = 1;
/// Octets of a chunk's content.
const CHUNK: usize = 256 * 1024;
/// Octets of a whole frame; a mail of 50 MB fits several times.
const FRAME: usize = 512 * 1024 * 1024;
/// How many frames a peer may have begun and not finished.
const OPEN_FRAMES: usize = 64;

/// What travels between a front end and the desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// The first frame of a client.
    Hello {
        protocol: u32,
        version: String,
        /// Who acts; it counts only from the account that owns the desk.
        user: Option<String>,
        /// Whether the client wants to hear of events.
        events: bool,
        /// Whether a relay chose the user: who is behind it has nothing of the account that owns the desk.
        #[serde(default)]
        fixed: bool,
    },
    /// The first frame of a server.
    Welcome {
        protocol: u32,
        version: String,
        user: String,
        pid: u32,
    },
    Ask {
        number: u64,
        call: Call,
    },
    Answer {
        number: u64,
        result: Result<Response, Fault>,
    },
    Event(Event),
    /// The peer is not served; the connection ends.
    Refused(Fault),
    /// An `Ask` whose request this version does not know. It never travels.
    #[serde(skip)]
    Strange {
        number: u64,
    },
}

/// What can be read of a frame from a peer of another version.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Foreign {
    Ask { number: u64 },
}

/// Writes a frame as octets.
pub fn encode(frame: &Frame) -> io::Result<Vec<u8>> {
    rmp_serde::to_vec_named(frame).map_err(io::Error::other)
}

/// Reads a frame from octets.
pub fn decode(octets: &[u8]) -> io::Result<Frame> {
    rmp_serde::from_slice(octets).or_else(|error| match rmp_serde::from_slice(octets) {
        Ok(Foreign::Ask { number }) => Ok(Frame::Strange { number }),
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    })
}

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(CHUNK + 16).new_codec()
}

/// The writing half of a connection.
pub(super) struct Writer<W> {
    chunks: FramedWrite<W, LengthDelimitedCodec>,
    next: u32,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub fn new(stream: W) -> Self {
        Self { chunks: FramedWrite::new(stream, codec()), next: 0 }
    }

    /// Sends a frame, chunk by chunk.
    pub async fn send(&mut self, frame: &Frame) -> io::Result<()> {
        let mut rest = Bytes::from(encode(frame)?);
        self.next = self.next.wrapping_add(1);
        loop {
            let part = rest.split_to(rest.len().min(CHUNK));
            let mut chunk = BytesMut::with_capacity(part.len() + 5);
            chunk.put_u32(self.next);
            chunk.put_u8(u8::from(rest.is_empty()));
            chunk.put(part);
            self.chunks.feed(chunk.freeze()).await?;
            if rest.is_empty() {
                return SinkExt::<Bytes>::flush(&mut self.chunks).await;
            }
        }
    }
}

/// The reading half of a connection.
pub(super) struct Reader<R> {
    chunks: FramedRead<R, LengthDelimitedCodec>,
    open: HashMap<u32, BytesMut>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub fn new(stream: R) -> Self {
        Self { chunks: FramedRead::new(stream, codec()), open: HashMap::new() }
    }

    /// Receives the next whole frame; `None` when the peer is gone.
    pub async fn receive(&mut self) -> io::Result<Option<Frame>> {
        while let Some(chunk) = self.chunks.next().await {
            if let Some(octets) = self.add(chunk?)? {
                return decode(&octets).map(Some);
            }
        }
        Ok(None)
    }

    fn add(&mut self, mut chunk: BytesMut) -> io::Result<Option<BytesMut>> {
        let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        if chunk.len() < 5 {
            return Err(broken("a chunk without its head"));
        }
        let number = chunk.get_u32();
        let last = chunk.get_u8() == 1;
        let frame = self.open.entry(number).or_default();
        if frame.len() + chunk.len() > FRAME {
            return Err(broken("a frame over its limit"));
        }
        frame.unsplit(chunk);
        if last {
            return Ok(self.open.remove(&number));
        }
        if self.open.len() > OPEN_FRAMES {
            return Err(broken("too many frames begun"));
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Request, RequestId, Via};

    #[test]
    fn an_ask_of_a_newer_peer_is_known_by_its_number() {
        for request in [serde_json::json!("dance"), serde_json::json!({"dance": {"to": 7}})] {
            let call = serde_json::json!({"id": "x", "via": "tui", "request": request});
            let frame = serde_json::json!({"ask": {"number": 7, "call": call}});
            let octets = rmp_serde::to_vec_named(&frame).unwrap();
            assert_eq!(decode(&octets).unwrap(), Frame::Strange { number: 7 });
        }
        for broken in [&b"\x81\xa3ask"[..], b"", b"\xc0"] {
            assert!(decode(broken).is_err());
        }
    }

    #[tokio::test]
    async fn a_frame_larger_than_a_chunk_arrives_whole() {
        let (a, b) = tokio::io::duplex(64 * 1024);
        let sent = Frame::Answer { number: 7, result: Ok(Response::Bytes(vec![42; 3 * CHUNK + 11])) };
        let copy = sent.clone();
        let writing = tokio::spawn(async move { Writer::new(a).send(&copy).await });
        let got = Reader::new(b).receive().await.unwrap();
        writing.await.unwrap().unwrap();
        assert_eq!(got, Some(sent));
    }

    #[tokio::test]
    async fn garbage_ends_the_connection_and_nothing_else() {
        for garbage in
            [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0, 0, 0, 1, 9], &[0, 0, 0, 7, 0, 0, 0, 1, 1, 0xc1, 0xff]]
        {
            let got = Reader::new(garbage).receive().await;
            assert!(got.is_err(), "{garbage:?}");
        }
    }

    #[test]
    fn fields_of_a_newer_peer_are_skipped() {
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Newer {
            Hello { protocol: u32, version: String, user: Option<String>, events: bool, colour: String },
        }
        let newer = Newer::Hello {
            protocol: 1,
            version: "9".into(),
            user: None,
            events: true,
            colour: "blue".into(),
        };
        let octets = rmp_serde::to_vec_named(&newer).unwrap();
        let frame = Frame::Hello { protocol: 1, version: "9".into(), user: None, events: true, fixed: false };
        assert_eq!(decode(&octets).unwrap(), frame);
    }

    #[test]
    fn the_octets_of_a_frame_stay_as_they_are() {
        let call = Call { id: RequestId("r1".into()), via: Via::Command, request: Request::Undo };
        let octets = encode(&Frame::Ask { number: 1, call }).unwrap();
        let golden =
            b"\x81\xa3ask\x82\xa6number\x01\xa4call\x83\xa2id\xa2r1\xa3via\xa7command\xa7request\xa4undo";
        assert_eq!(octets, golden);
    }
}
