//! What stands under a key: the sequence that wrote it, and the document or where the journal has it. Pure.

use crate::domain::{RawRef, Seq};

/// Set in the sequence where no document follows but its place.
const ELSEWHERE: u64 = 1 << 63;

/// A document, or where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Here(&'a [u8]),
    There(RawRef),
}

impl<'a> Value<'a> {
    /// Splits what stands under a key.
    pub fn split(stored: &'a [u8]) -> Option<(Seq, Self)> {
        let (seq, rest) = stored.split_first_chunk::<8>()?;
        let seq = u64::from_be_bytes(*seq);
        let value = match seq & ELSEWHERE {
            0 => Self::Here(rest),
            _ => Self::There(place(rest)?),
        };
        Some((Seq(seq & !ELSEWHERE), value))
    }

    /// Gives what is to stand under a key.
    pub fn join(self, seq: Seq) -> Vec<u8> {
        match self {
            Self::Here(document) => [&seq.0.to_be_bytes(), document].concat(),
            Self::There(raw) => {
                let RawRef { segment, offset, length, size, from } = raw;
                let mut octets = (seq.0 | ELSEWHERE).to_be_bytes().to_vec();
                for number in [segment, offset, length.into(), size, from] {
                    push(&mut octets, number);
                }
                octets
            }
        }
    }

    /// Gives the document, if it is here.
    pub fn here(self) -> Option<&'a [u8]> {
        match self {
            Self::Here(document) => Some(document),
            Self::There(_) => None,
        }
    }
}

fn place(mut rest: &[u8]) -> Option<RawRef> {
    let (segment, offset) = (pull(&mut rest)?, pull(&mut rest)?);
    let length = u32::try_from(pull(&mut rest)?).ok()?;
    let (size, from) = (pull(&mut rest)?, pull(&mut rest)?);
    rest.is_empty().then_some(RawRef { segment, offset, length, size, from })
}

/// Writes a number in groups of seven bits, the least first; the top bit says that more follow.
fn push(octets: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        octets.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    octets.push(number as u8);
}

fn pull(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (octet, behind) = rest.split_first()?;
        *rest = behind;
        number |= u64::from(octet & 0x7f).checked_shl(shift)?;
        if octet & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_joined_is_split(
            seq in 0..ELSEWHERE,
            document: Vec<u8>,
            place: (u64, u64, u32, u64, u64),
        ) {
            let (segment, offset, length, size, from) = place;
            let raw = RawRef { segment, offset, length, size, from };
            for value in [Value::Here(&document), Value::There(raw)] {
                let stored = value.join(Seq(seq));
                prop_assert_eq!(Value::split(&stored), Some((Seq(seq), value)));
            }
        }

        #[test]
        fn noise_is_split_or_refused(noise: Vec<u8>) {
            Value::split(&noise);
            Value::split(&[&[0xff; 8], noise.as_slice()].concat());
        }
    }
}
