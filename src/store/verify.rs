//! Checking everything: each record of the journal, each reference to raw bytes, each document.

use super::frame::StoredFrame;
use super::record::{Changed, Tree};
use super::refs::raws_of;
use super::scan::{Scan, Step};
use super::segment::HEADER;
use super::shelf::{Reading, Segment, Shelf};
use super::trees::Trees;
use super::value::Value;
use super::{RawRef, Seq, Store, StoreError};
use std::collections::BTreeMap;
use std::path::Path;

/// More findings than this are only counted.
const LISTED: usize = 100;

/// What was found wrong, in words.
#[derive(Default)]
pub(super) struct Findings {
    listed: Vec<String>,
    more: usize,
}

impl Findings {
    fn add(&mut self, finding: String) {
        if self.listed.len() < LISTED {
            self.listed.push(finding);
        } else {
            self.more += 1;
        }
    }

    pub fn told(mut self) -> Vec<String> {
        if self.more > 0 {
            self.listed.push(format!("and {} more", self.more));
        }
        self.listed
    }
}

/// Where raw records stand: their whole length and the size of their content.
pub(super) type Raws = BTreeMap<(u64, u64), (u64, u64)>;

/// Checks the journal by itself, then the trees against a replay of it. Nothing is changed.
pub(super) fn verify(dir: &Path, shelf: &Shelf, trees: &Trees) -> Result<Vec<String>, StoreError> {
    let (mut findings, raws) = check_journal(shelf)?;
    if findings.listed.is_empty() {
        compare(dir, shelf, trees, &raws, &mut findings)?;
    } else {
        findings.add("the documents were not compared, since the journal itself is damaged".into());
    }
    Ok(findings.told())
}

/// Checks every record of the journal, and tells where raw bytes stand.
pub(super) fn check_journal(shelf: &Shelf) -> Result<(Findings, Raws), StoreError> {
    let mut findings = Findings::default();
    let mut raws = Raws::new();
    let mut next = None;
    for segment in shelf.segments() {
        next = check_segment(shelf, &segment, next, &mut raws, &mut findings)?;
    }
    Ok((findings, raws))
}

/// Checks one segment, given the sequence that comes next; gives the one after it.
fn check_segment(
    shelf: &Shelf,
    segment: &Segment,
    next: Option<Seq>,
    raws: &mut Raws,
    findings: &mut Findings,
) -> Result<Option<Seq>, StoreError> {
    let number = segment.header.number;
    let failed = |error| StoreError::io(&format!("cannot read segment {number:08}"), &error);
    let mut next = next.unwrap_or(segment.header.first);
    if segment.header.first != next {
        findings.add(format!("segment {number:08} begins with frame {}, not {next}", segment.header.first));
        next = segment.header.first;
    }
    let mut scan =
        Scan::new(&shelf.path(number), &segment.header, HEADER, segment.end, true).map_err(failed)?;
    loop {
        match scan.step().map_err(failed)? {
            Step::Raw(offset, header) => {
                raws.insert((number, offset), (header.whole(), header.size));
            }
            Step::Frame(offset, record, payload) => {
                let seq = record.seq;
                let place = format!("segment {number:08}, octet {offset}");
                if seq != next {
                    findings.add(format!("{place}: frame {seq} stands where {next} belongs"));
                }
                if StoredFrame::unpack(&record, payload).is_none() {
                    findings.add(format!("{place}: frame {seq} does not read"));
                }
                next = Seq(seq.0 + 1);
            }
            Step::End => return Ok(Some(next)),
            Step::Bad(offset) => {
                findings.add(format!("segment {number:08}, octet {offset}: the record is damaged"));
                return Ok(None);
            }
        }
    }
}

/// Replays the journal beside the trees, and compares.
fn compare(
    dir: &Path,
    shelf: &Shelf,
    trees: &Trees,
    raws: &Raws,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let folder = dir.join("verify.tmp");
    clear(&folder)?;
    let replay = Trees::open(&folder).map_err(StoreError::from)?;
    replay.catch_up(shelf, trees.applied()?)?;
    let mut found = 0_u64;
    let mut reading = Reading::new(shelf);
    let compared = trees.each_at_rest(
        |applied| replay.catch_up(shelf, applied.seq).map(drop),
        |key, stored| {
            found += 1;
            if !replay.get(key)?.is_some_and(|wanted| says_the_same(key, &wanted, stored)) {
                findings.add(format!("the document {} is not as the journal has it", name(key)));
            }
            for raw in named(stored, &mut reading).iter().filter(|raw| !stands(raws, raw)) {
                let place = format!("segment {:08}, octet {}", raw.segment, raw.offset);
                findings
                    .add(format!("the document {} names raw bytes that are not there ({place})", name(key)));
            }
            Ok(())
        },
    );
    let wanted = replay.count()?;
    match compared {
        Err(error @ StoreError::Trees(_)) => findings.add(error.to_string()),
        other => other?,
    }
    if wanted > found {
        findings.add(format!("{} documents of the journal are missing", wanted - found));
    }
    drop(replay);
    clear(&folder)
}

/// Compares what stands under a key; an older version wrote the history with the names of its fields.
fn says_the_same(key: &[u8], wanted: &[u8], stored: &[u8]) -> bool {
    let changed = |stored| {
        let (seq, value) = Value::split(stored)?;
        Some((seq, Store::decode::<Changed>(value.here()?).ok()?))
    };
    let of_history = || key.first() == Some(&(Tree::History as u8));
    wanted == stored || of_history() && changed(wanted).is_some_and(|wanted| changed(stored) == Some(wanted))
}

/// Lists the raw bytes that a stored document names, and where it stands itself.
fn named(stored: &[u8], reading: &mut Reading<'_>) -> Vec<RawRef> {
    let Some((_, value)) = Value::split(stored) else { return Vec::new() };
    let mut named = reading.document(value).map(|document| raws_of(&document)).unwrap_or_default();
    if let Value::There(raw) = value {
        named.push(raw);
    }
    named
}

fn stands(raws: &Raws, raw: &RawRef) -> bool {
    let whole = raws.get(&(raw.segment, raw.offset));
    whole.is_some_and(|&(length, size)| {
        length == u64::from(raw.length) && raw.from.checked_add(raw.size).is_some_and(|end| end <= size)
    })
}

fn name(key: &[u8]) -> String {
    let (tree, rest) = key.split_first().unwrap_or((&0, &[]));
    let tree = Tree::from_number(*tree).map_or_else(|| tree.to_string(), |tree| format!("{tree:?}"));
    let rest: String = rest.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("{tree} {rest}")
}

fn clear(folder: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io("cannot clear the folder of the check", &error))
        }
        _ => Ok(()),
    }
}
