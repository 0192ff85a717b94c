//! Similar: the issues whose texts share the most telling words with a text.
//!
//! Words are weighed as BM25 does (Robertson and Zaragoza, 2009), without the length of texts, which is not
//! kept: the fewer texts hold a word, the more it tells, and one that many hold tells nothing. Only so many
//! words are looked for, and only so many places of them are read, so that the time has an end however large the desk is.

use super::text::Snapshot;
use crate::domain::IssueId;
use crate::domain::query::{TokenKind, Tokens, fold};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Ordering;
use std::sync::Arc;
use tantivy::columnar::ColumnValues;
use tantivy::postings::Postings;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, SegmentReader, TERMINATED, Term};

/// Octets of a text that are looked at.
const TEXT: usize = 16 << 10;
/// Words that are looked up, the most frequent in the text first, and those that are looked for then.
const WORDS: usize = 150;
const LOOKED_FOR: usize = 14;
/// Places of words that are read in all.
const PLACES: u32 = 60_000;
/// A word that stands in more than one of so many texts is a filler here, once there are some texts.
const COMMON: f64 = 4.0;
const SOME_TEXTS: f64 = 12.0;
/// Words that hold sentences together and tell nothing, however few texts there are to see it from; folded. Those
/// shorter than `WORD_MIN` tell nothing anyway.
const FILLERS: &[&str] = &[
    // English
    "about", "after", "again", "all", "also", "and", "any", "are", "because", "been", "but", "can", "could",
    "did", "does", "for", "from", "get", "had", "has", "have", "hello", "here", "how", "into", "its", "just",
    "more", "not", "now", "only", "our", "out", "over", "please", "regards", "since", "some", "than",
    "thank", "thanks", "that", "the", "their", "them", "then", "there", "these", "they", "this", "very",
    "was", "were", "what", "when", "where", "which", "who", "will", "with", "would", "you", "your",
    // German
    "aber", "auch", "auf", "aus", "bei", "bitte", "das", "dass", "dem", "den", "der", "des", "die", "ein",
    "eine", "einen", "einer", "für", "fur", "haben", "hallo", "hat", "ich", "ihr", "ihre", "ist", "kann",
    "mein", "meine", "mit", "nach", "nicht", "noch", "nur", "oder", "sehr", "sich", "sie", "sind", "und",
    "uns", "von", "vom", "war", "was", "wenn", "wie", "wir", "wird", "zum", "zur", // French
    "avec", "bonjour", "cela", "ces", "cette", "dans", "des", "elle", "est", "etre", "les", "leur", "mais",
    "merci", "mes", "mon", "nous", "par", "pas", "plus", "pour", "que", "qui", "sont", "sur", "une", "vous",
    "votre", // Spanish, Italian, Dutch
    "como", "con", "del", "esta", "gracias", "hola", "los", "las", "muy", "para", "pero", "por", "una",
    "che", "come", "della", "grazie", "non", "per", "sono", "aan", "een", "het", "maar", "met", "naar",
    "niet", "ook", "van", "voor", "zijn",
];
/// Shorter words say nothing of what an issue is about.
const WORD_MIN: usize = 3;
/// Of the texts that are not on disk yet, so many are looked through, and so many octets of each.
const WAITING: usize = 400;
const WAITING_TEXT: usize = 2 << 10;
/// How often a word may stand in a title for one that stands in a text.
const TITLE: f64 = 2.0;
/// How fast a word that stands more often counts more.
const OFTEN: f64 = 1.2;

/// What an issue shares with a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Similar {
    pub issue: IssueId,
    /// How much of what the text is about it shares, up to 1.
    pub share: f64,
    /// The words that both hold, the most telling first; folded.
    pub words: Vec<String>,
}

/// A word of the text, and how much it tells.
struct Telling {
    word: String,
    weight: f64,
    /// How many texts hold it.
    texts: u32,
}

/// Finds the issues that share telling words with the text of an issue, the most similar first. `passed` are words
/// that tell nothing here, such as the names of whoever wrote it.
pub(super) fn similar(
    snapshot: &Snapshot,
    of: IssueId,
    title: &str,
    text: &str,
    passed: &str,
) -> tantivy::Result<Vec<Similar>> {
    let waiting = waiting(snapshot);
    let outdated: FxHashSet<u64> = snapshot.waiting.iter().map(|text| text.key).collect();
    let (mut kept, mut all, mut left) = (Vec::new(), 0.0, PLACES);
    let mut shared: FxHashMap<IssueId, (f64, Vec<usize>)> = FxHashMap::default();
    for Telling { word, weight, texts } in telling(snapshot, &waiting, frequent(title, text, passed))? {
        if kept.len() == LOOKED_FOR {
            break;
        }
        let Some(rest) = left.checked_sub(texts) else { continue };
        left = rest;
        let mut often = on_disk(snapshot, &word, &outdated)?;
        for (issue, words) in &waiting {
            if let Some(count) = words.get(word.as_str()) {
                raise(&mut often, *issue, *count);
            }
        }
        often.remove(&of);
        if often.is_empty() {
            continue;
        }
        for (issue, count) in often {
            let count = f64::from(count);
            let (score, words) = shared.entry(issue).or_default();
            *score += weight * count / (count + OFTEN);
            words.push(kept.len());
        }
        kept.push(word);
        all += weight;
    }
    let words = |places: Vec<usize>| places.into_iter().filter_map(|at| kept.get(at).cloned()).collect();
    let similar = |(issue, (score, places))| Similar { issue, share: score / all, words: words(places) };
    let mut found: Vec<Similar> = shared.into_iter().map(similar).collect();
    let order = |a: &Similar, b: &Similar| b.share.partial_cmp(&a.share).unwrap_or(Ordering::Equal);
    found.sort_unstable_by(|a, b| order(a, b).then(b.issue.cmp(&a.issue)));
    Ok(found)
}

fn raise(often: &mut FxHashMap<IssueId, u32>, issue: IssueId, count: u32) {
    let most = often.entry(issue).or_default();
    *most = count.max(*most);
}

/// Counts the words of a text and its title, and gives those that stand there most often first.
fn frequent(title: &str, text: &str, passed: &str) -> Vec<(String, f64)> {
    let (title, passed) = (fold(title), fold(passed));
    let end = text.floor_char_boundary(TEXT);
    let text = fold(text.get(..end).unwrap_or(text));
    let passed: FxHashSet<&str> = Tokens::new(&passed).map(|token| token.text).collect();
    let mut counts: FxHashMap<String, f64> = FxHashMap::default();
    for (text, weight) in [(&title, TITLE), (&text, 1.0)] {
        for word in words(text).filter(|word| !passed.contains(word) && !FILLERS.contains(word)) {
            match counts.get_mut(word) {
                Some(count) => *count += weight,
                None => drop(counts.insert(word.to_owned(), weight)),
            }
        }
    }
    let mut counts: Vec<(String, f64)> = counts.into_iter().collect();
    counts.sort_unstable_by(|a, b| b.1.partial_cmp(&a.1).unwrap_or(Ordering::Equal).then(a.0.cmp(&b.0)));
    counts.truncate(WORDS);
    counts
}

fn words(folded: &str) -> impl Iterator<Item = &str> {
    let tokens = Tokens::new(folded).filter(|token| token.kind == TokenKind::Word);
    tokens.map(|token| token.text).filter(|word| word.chars().count() >= WORD_MIN || !word.is_ascii())
}

/// Weighs words by how few texts hold them, and gives the most telling first; none that one text alone holds.
fn telling(
    snapshot: &Snapshot,
    waiting: &[(IssueId, FxHashMap<&str, u32>)],
    words: Vec<(String, f64)>,
) -> tantivy::Result<Vec<Telling>> {
    let all = snapshot.searcher.num_docs() as f64 + waiting.len() as f64;
    let mut found = Vec::new();
    for (word, count) in words {
        let mut texts = waiting.iter().filter(|(_, words)| words.contains_key(word.as_str())).count() as u64;
        for field in [snapshot.fields.body, snapshot.fields.rest] {
            texts += snapshot.searcher.doc_freq(&Term::from_field_text(field, &word))?;
        }
        let common = all >= SOME_TEXTS && texts as f64 * COMMON > all;
        if texts > 1 && !common {
            let rare = (1.0 + (all - texts as f64 + 0.5).max(0.0) / (texts as f64 + 0.5)).ln();
            // Once for the text that asks and once for those that answer, as where both are vectors.
            let weight = rare * rare * count * (OFTEN + 1.0) / (count + OFTEN);
            found.push(Telling { word, weight, texts: u32::try_from(texts).unwrap_or(u32::MAX) });
        }
    }
    found.sort_by(|a, b| b.weight.partial_cmp(&a.weight).unwrap_or(Ordering::Equal));
    Ok(found)
}

/// Counts the words of the texts that are not on disk yet, the newest first.
fn waiting(snapshot: &Snapshot) -> Vec<(IssueId, FxHashMap<&str, u32>)> {
    let newest = snapshot.waiting.iter().take(WAITING).map(|text| {
        let body = text.body.get(..text.body.floor_char_boundary(WAITING_TEXT)).unwrap_or_default();
        let mut counts: FxHashMap<&str, u32> = FxHashMap::default();
        words(body).chain(words(&text.rest)).for_each(|word| *counts.entry(word).or_default() += 1);
        (text.issue, counts)
    });
    newest.collect()
}

/// Finds how often a word stands in that text of each issue that holds it most often.
fn on_disk(
    snapshot: &Snapshot,
    word: &str,
    outdated: &FxHashSet<u64>,
) -> tantivy::Result<FxHashMap<IssueId, u32>> {
    let mut often = FxHashMap::default();
    for segment in snapshot.searcher.segment_readers() {
        let (issue, key) = (column(segment, "issue")?, column(segment, "key")?);
        for field in [snapshot.fields.body, snapshot.fields.rest] {
            let term = Term::from_field_text(field, word);
            let index = segment.inverted_index(field)?;
            let Some(mut postings) = index.read_postings(&term, IndexRecordOption::WithFreqs)? else {
                continue;
            };
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if !segment.is_deleted(doc) && !outdated.contains(&key.get_val(doc)) {
                    raise(&mut often, IssueId(issue.get_val(doc)), postings.term_freq());
                }
                doc = postings.advance();
            }
        }
    }
    Ok(often)
}

fn column(segment: &SegmentReader, name: &str) -> tantivy::Result<Arc<dyn ColumnValues<u64>>> {
    Ok(segment.fast_fields().u64(name)?.first_or_default_col(0))
}
