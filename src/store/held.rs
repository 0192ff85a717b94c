//! How values lie in sled: the large ones packed, since sled needs more than twice the room of what it holds. Pure.

use super::StoreError;
use super::segment::{expand, squeeze};
use std::borrow::Cow;
use std::io;
use zstd::bulk::Compressor;

/// Set in the sequence at the front where what follows is packed.
const PACKED: u8 = 0x40;
/// Smaller values gain little.
const WORTH_PACKING: usize = 512;
/// Octets of the sequence, which is never packed, and of the size that follows it where something is.
const SEQUENCE: usize = 8;
const SIZE: usize = 4;

/// Gives what sled is to hold of a value.
pub(super) fn pack<'v>(compressor: &mut Compressor<'_>, value: &'v [u8]) -> io::Result<Cow<'v, [u8]>> {
    let Some((sequence, content)) =
        value.split_first_chunk::<SEQUENCE>().filter(|_| value.len() >= WORTH_PACKING)
    else {
        return Ok(Cow::Borrowed(value));
    };
    let Ok(size) = u32::try_from(content.len()) else { return Ok(Cow::Borrowed(value)) };
    let smaller = squeeze(compressor, content)?.filter(|packed| SIZE + packed.len() < content.len());
    let Some(packed) = smaller else { return Ok(Cow::Borrowed(value)) };
    let [first, rest @ ..] = sequence;
    let held = [&[first | PACKED], rest.as_slice(), &size.to_be_bytes(), &packed].concat();
    Ok(Cow::Owned(held))
}

/// Gives the value of which sled holds this; an error where it cannot be.
pub(super) fn unpack(held: &[u8]) -> Result<Vec<u8>, StoreError> {
    if held.first().is_none_or(|first| first & PACKED == 0) {
        return Ok(held.to_vec());
    }
    let unread = || StoreError::Trees("a document does not unpack".to_owned());
    let (sequence, rest) = held.split_first_chunk::<SEQUENCE>().ok_or_else(unread)?;
    let (size, packed) = rest.split_first_chunk::<SIZE>().ok_or_else(unread)?;
    let content = expand(packed, u32::from_be_bytes(*size).into()).map_err(|_| unread())?;
    let [first, others @ ..] = sequence;
    Ok([&[first & !PACKED], others.as_slice(), &content].concat())
}

#[cfg(test)]
mod tests {
    use super::super::segment::compressor;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_repeats_itself_takes_less_room() {
        let value = [&[0; 8], b"label".repeat(1000).as_slice()].concat();
        let mut compressor = compressor().unwrap();
        let held = pack(&mut compressor, &value).unwrap();
        assert!(held.len() < 100, "{} octets", held.len());
        assert_eq!(unpack(&held).unwrap(), value);
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        let value = [&[0; 8], b"label".repeat(1000).as_slice()].concat();
        let held = pack(&mut compressor().unwrap(), &value).unwrap().into_owned();
        for cut in [3, 9, 13, held.len() - 1] {
            assert!(unpack(&held[..cut]).is_err(), "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            seq in 0..1_u64 << 62,
            elsewhere: bool,
            content in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..2000),
                prop::collection::vec(0..3_u8, 0..2000),
            ],
        ) {
            let seq = seq | u64::from(elsewhere) << 63;
            let value = [&seq.to_be_bytes(), content.as_slice()].concat();
            let held = pack(&mut compressor().unwrap(), &value).unwrap();
            prop_assert_eq!(unpack(&held).unwrap(), value);
        }

        #[test]
        fn noise_is_unpacked_or_refused(noise in prop::collection::vec(any::<u8>(), 0..100)) {
            let small = [&[PACKED, 0, 0, 0, 0, 0, 0, 0, 0, 1], noise.as_slice()].concat();
            let _ = (unpack(&noise[..noise.len().min(8)]), unpack(&small));
        }
    }
}
