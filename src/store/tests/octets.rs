//! Whatever octets stand on the disk, reading them gives an answer.

use super::super::record::{Changed, Known};
use super::super::refs::raws_of;
use super::super::segment::{HEADER, Kind, MARK, Packed, RECORD, RecordHeader, SCHEMA, SegmentHeader};
use super::super::state::State;
use super::super::{files, recovery};
use super::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_packed_is_unpacked(content: Vec<u8>, again in 1..400_usize, salt: u64, at: u64, seq: u64) {
        let content = content.repeat(again);
        let packed = Packed::new(Kind::Frame, content.clone()).unwrap();
        let header = packed.header.at(Seq(seq), at / 2);
        let octets = header.encode(salt, at);
        prop_assert_eq!(octets.len() as u64, RECORD);
        prop_assert_eq!(RecordHeader::decode(&octets, salt, at), Some(header));
        prop_assert_eq!(RecordHeader::decode(&octets, salt, at ^ 1), None);
        prop_assert_eq!(RecordHeader::decode(&octets, salt ^ 1, at), None);
        prop_assert!(header.fits(&packed.payload));
        prop_assert_eq!(header.unpack(packed.payload.to_vec()).unwrap(), content);
    }

    #[test]
    fn a_segment_header_comes_back(number: u64, first: u64, salt: u64) {
        let header = SegmentHeader { schema: SCHEMA, number, first: Seq(first), salt };
        let octets = header.encode();
        prop_assert_eq!(octets.len() as u64, HEADER);
        prop_assert_eq!(SegmentHeader::decode(&octets), Ok(header));
    }

    #[test]
    fn noise_is_no_record(mut octets: Vec<u8>, salt: u64, at: u64) {
        prop_assert_eq!(RecordHeader::decode(&octets, salt, at), None);
        octets.splice(0..0, MARK);
        prop_assert_eq!(RecordHeader::decode(&octets, salt, at), None);
        prop_assert!(SegmentHeader::decode(&octets).is_err());
        raws_of(&octets);
    }

    #[test]
    fn noise_in_place_of_a_segment_is_damage(octets: Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        files::make_folder(&dir.path().join("journal")).unwrap();
        std::fs::write(dir.path().join("journal/00000001.seg"), octets).unwrap();
        let opened = recovery::open(dir.path(), &small(), State::read(dir.path()), None, &mut Vec::new());
        let damaged = matches!(opened, Err(StoreError::Damaged { segment: 1, offset: 0 }));
        prop_assert!(damaged);
    }
}

#[test]
fn references_are_found_wherever_they_stand() {
    let raw = RawRef { segment: 1, offset: 70_000, length: 300, size: 5, from: 0 };
    let other = RawRef { offset: u64::MAX, from: 7, ..raw };
    let document = serde_json::json!({
        "a": null, "b": true, "c": 1.5, "d": -3, "size": 4, "length": "x",
        "e": [{ "a": raw, "b": { "deep": [[other]] } }],
    });
    let octets = rmp_serde::to_vec_named(&document).unwrap();
    assert_eq!(raws_of(&octets), [raw, other]);
    assert_eq!(raws_of(&Store::encode(&known(1)).unwrap()), []);
    assert_eq!(raws_of(&octets[..octets.len() - 1]), []);
}

#[test]
fn fields_that_are_not_known_are_skipped() {
    let mut document = serde_json::to_value(known(7)).unwrap();
    document["of_a_newer_version"] = serde_json::json!({ "x": [1, 2] });
    let octets = rmp_serde::to_vec_named(&document).unwrap();
    assert_eq!(Store::decode::<Known>(&octets).unwrap(), known(7));
    Store::decode::<Known>(b"noise").unwrap_err();
}

/// Its fields have no names there, so a new one may only come last.
#[test]
fn a_change_of_the_history_has_its_fields_in_their_places() {
    let octets = b"\x96\x07\x02\xb41970-01-01T00:00:00Z\x93\xa3ada\xc0\xa4mail\xa3why\
                   \x95\x01\xa5title\xc0\xa3new\xa3vip";
    let changed = Changed {
        seq: Seq(7),
        place: 2,
        at: Timestamp::UNIX_EPOCH,
        actor: Actor { via: Via::Mail, ..actor("ada") },
        reason: Some("why".into()),
        change: Change { rule: Some("vip".into()), ..change(1, "title") },
    };
    assert_eq!(rmp_serde::to_vec(&changed).unwrap(), octets);
    assert_eq!(Store::decode::<Changed>(octets).unwrap(), changed);
}
