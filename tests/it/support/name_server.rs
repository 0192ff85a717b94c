//! A name server on a loopback port that knows a few TXT and A records, and nothing else.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The server; it ends with the test process.
pub struct NameServer {
    address: SocketAddr,
    questions: Arc<AtomicUsize>,
}

impl NameServer {
    /// Answers for these names with these texts; every other name does not exist.
    pub fn start(texts: &[(&str, String)]) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let texts: Vec<_> = texts.iter().map(|(name, text)| (name.to_lowercase(), text.clone())).collect();
        let questions = Arc::new(AtomicUsize::new(0));
        let count = questions.clone();
        thread::spawn(move || {
            let mut packet = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut packet) {
                count.fetch_add(1, Ordering::Relaxed);
                let _ = socket.send_to(&answer(&packet[..length], &texts), from);
            }
        });
        Self { address, questions }
    }

    /// The value of `name_server` in the config.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    pub fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }
}

/// Writes an answer (RFC 1035, section 4): the question again, and a TXT record where there is one.
fn answer(packet: &[u8], texts: &[(String, String)]) -> Vec<u8> {
    let (mut at, mut labels) = (12, Vec::new());
    while packet[at] != 0 {
        let end = at + 1 + usize::from(packet[at]);
        labels.push(String::from_utf8_lossy(&packet[at + 1..end]).to_lowercase());
        at = end;
    }
    let name = labels.join(".");
    let question = &packet[12..at + 5];
    let is_text = packet[at + 1..at + 3] == [0, 16];
    let known = texts.iter().find(|(known, _)| *known == name);
    let text = known.filter(|_| is_text).map(|(_, text)| text.as_bytes());
    let failure = if known.is_some() { 0 } else { 3 };
    let mut out = [
        &packet[..2],
        &[0x85, 0x80 | failure, 0, 1, 0, u8::from(text.is_some()), 0, u8::from(text.is_none()), 0, 0],
    ]
    .concat();
    out.extend_from_slice(question);
    if let Some(text) = text {
        let strings: Vec<u8> =
            text.chunks(255).flat_map(|part| [&[part.len() as u8], part].concat()).collect();
        out.extend_from_slice(&[0xc0, 12, 0, 16, 0, 1, 0, 0, 1, 0]);
        out.extend_from_slice(&(strings.len() as u16).to_be_bytes());
        out.extend_from_slice(&strings);
    }
    if text.is_none() {
        // How long it may be remembered that there is nothing (RFC 2308): a SOA record for the name itself.
        out.extend_from_slice(&[0xc0, 12, 0, 6, 0, 1, 0, 0, 1, 0, 0, 22, 0, 0]);
        [1, 1, 1, 1, 300_u32].iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
    }
    out
}
