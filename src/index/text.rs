//! Texts: what is searchable of a note or a title, and how tantivy keeps and finds it.

use super::IndexError;
use super::Update;
use super::cut::{CUTTER, Cutter};
use crate::domain::query::{TextTerm, Words, fold};
use crate::domain::{Author, Issue, IssueId, Note, NoteId, NoteKind, Seq};
use rustc_hash::FxHashSet;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::ColumnValues;
use tantivy::query::{BooleanQuery, PhrasePrefixQuery, PhraseQuery, Query, TermQuery};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{DocId, IndexReader, ReloadPolicy, Score, Searcher, SegmentReader, TantivyDocument, Term};

/// Raised when texts are cut or kept differently, so that what an older version made is thrown away.
const VERSION: u32 = 1;

/// How many endings of a phrase's last word are tried.
const ENDINGS: u32 = 1024;

/// What is searchable of one note, or of an issue's title; folded.
#[derive(Debug)]
pub(super) struct Text {
    /// Tells the texts of all notes and titles apart.
    pub key: u64,
    pub issue: IssueId,
    pub body: String,
    /// Title, author and names of files, a line each.
    pub rest: String,
}

/// What the writer has to do.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Keeps a text in the place of its older version.
    Put(Arc<Text>),
    /// Forgets all texts of an issue.
    Drop(IssueId),
}

impl Work {
    /// Gives about how much memory it holds.
    pub fn octets(&self) -> usize {
        match self {
            Self::Put(text) => size_of::<Text>() + text.body.len() + text.rest.len(),
            Self::Drop(_) => size_of::<Self>(),
        }
    }
}

/// Gives the searchable text of a note, if it has any.
pub(super) fn of_note(update: &Update) -> Option<Work> {
    let Update::Note(note) = update else { return None };
    (note.kind != NoteKind::System).then(|| {
        let files = note.attachments.iter().map(|file| file.name.as_str());
        let rest = lines(&note.author, files);
        Work::Put(Arc::new(Text { key: key_of_note(note), issue: note.issue, body: fold(&note.body), rest }))
    })
}

/// Gives what stands in the place of a note that was taken back.
pub(super) fn of_nothing(issue: IssueId, note: NoteId) -> Work {
    Work::Put(Arc::new(Text { key: note.0 << 1 | 1, issue, body: String::new(), rest: String::new() }))
}

/// Gives the searchable text of an issue itself.
pub(super) fn of_title(issue: &Issue) -> Work {
    let rest = lines(&issue.author, std::iter::once(issue.title.as_str()));
    Work::Put(Arc::new(Text { key: issue.id.0 << 1, issue: issue.id, body: String::new(), rest }))
}

fn key_of_note(note: &Note) -> u64 {
    note.id.0 << 1 | 1
}

fn lines<'a>(author: &'a Author, more: impl Iterator<Item = &'a str>) -> String {
    let email = author.email.as_ref().map(|email| email.as_str());
    let known = [author.name.as_deref(), email, author.user.as_deref()].into_iter().flatten();
    fold(&known.chain(more).collect::<Vec<_>>().join("\n"))
}

/// The fields that tantivy keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub key: Field,
    pub issue: Field,
    pub body: Field,
    pub rest: Field,
}

impl Fields {
    fn schema() -> (Schema, Self) {
        let cut = TextFieldIndexing::default()
            .set_tokenizer(CUTTER)
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let text = TextOptions::default().set_indexing_options(cut);
        let mut schema = Schema::builder();
        let fields = Self {
            key: schema.add_u64_field("key", FAST | INDEXED),
            issue: schema.add_u64_field("issue", FAST | INDEXED),
            body: schema.add_text_field("body", text.clone()),
            rest: schema.add_text_field("rest", text),
        };
        (schema.build(), fields)
    }

    /// Gives the document that stands for a text.
    pub fn document(self, text: &Text) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_u64(self.key, text.key);
        document.add_u64(self.issue, text.issue.0);
        document.add_text(self.body, &text.body);
        document.add_text(self.rest, &text.rest);
        document
    }

    /// Gives the query for a word or phrase; `None` when it holds nothing to look for.
    fn query(self, words: &Words, body_only: bool) -> Option<Box<dyn Query>> {
        let body = query_in(self.body, words)?;
        if body_only {
            return Some(body);
        }
        Some(Box::new(BooleanQuery::union(vec![body, query_in(self.rest, words)?])))
    }
}

fn query_in(field: Field, words: &Words) -> Option<Box<dyn Query>> {
    let tokens = words.tokens().iter();
    let mut terms: Vec<_> = tokens.map(|(at, token)| (*at, Term::from_field_text(field, token))).collect();
    Some(match terms.len() {
        0 => return None,
        length if words.is_prefix() => {
            let mut query = PhrasePrefixQuery::new_with_offset(terms);
            // For a phrase, tantivy makes room for all of them in advance.
            query.set_max_expansions(if length > 1 { ENDINGS } else { u32::MAX });
            Box::new(query)
        }
        1 => Box::new(TermQuery::new(terms.pop()?.1, IndexRecordOption::Basic)),
        _ => Box::new(PhraseQuery::new_with_offset(terms)),
    })
}

/// Gives what is remembered with a commit.
pub(super) fn payload(seq: Seq) -> String {
    format!("{VERSION} {seq}")
}

/// Opens the full text in `dir`, or a new one where there is none that can be used.
pub(super) fn open(dir: &Path) -> Result<(tantivy::Index, Fields, Seq), IndexError> {
    let folder = |reason| IndexError::Folder { path: dir.to_owned(), reason };
    let (schema, fields) = Fields::schema();
    make_folder(dir).map_err(folder)?;
    let (index, seq) = match open_known(dir, &schema) {
        Some(known) => known,
        None => {
            std::fs::remove_dir_all(dir).map_err(folder)?;
            make_folder(dir).map_err(folder)?;
            let new = tantivy::Index::create_in_dir(dir, schema);
            (new.map_err(|reason| IndexError::Text { path: dir.to_owned(), reason })?, Seq(0))
        }
    };
    index.tokenizers().register(CUTTER, Cutter);
    Ok((index, fields, seq))
}

fn make_folder(dir: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Opens what an earlier run left; `None` when it is broken, empty or of another version.
fn open_known(dir: &Path, schema: &Schema) -> Option<(tantivy::Index, Seq)> {
    let index = tantivy::Index::open_in_dir(dir).ok().filter(|index| index.schema() == *schema)?;
    let payload = index.load_metas().ok()?.payload?;
    let (version, seq) = payload.split_once(' ')?;
    let seq = seq.parse().ok().filter(|_| version == VERSION.to_string())?;
    index.tokenizers().register(CUTTER, Cutter);
    // A file that is missing or cut off shows here; damage inside one does when it is searched. With its usual
    // policy the reader would leave a thread behind that looks at the folder twice a second for ever.
    let reader: tantivy::Result<IndexReader> =
        index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
    reader.ok()?;
    Some((index, Seq(seq)))
}

/// What the conditions on texts found, by their place in the query.
#[derive(Debug, Default)]
pub(super) struct Hits {
    pub issues: Vec<(usize, Vec<IssueId>)>,
    /// The places of those that an issue cannot do without.
    pub required: Vec<usize>,
}

impl Hits {
    /// Gives what the condition at a place found.
    pub fn of(&self, place: usize) -> Option<&[IssueId]> {
        self.issues.iter().find(|(at, _)| *at == place).map(|(_, issues)| issues.as_slice())
    }
}

/// The texts as they stand at one moment: those on disk, and those that still wait.
pub(super) struct Snapshot {
    pub searcher: Searcher,
    pub fields: Fields,
    pub waiting: Vec<Arc<Text>>,
}

impl Snapshot {
    /// Gives the issues with a text that holds any of the words, each at least once.
    ///
    /// `each` gives an issue once for every text of it. `None` when one of them holds nothing to look for.
    pub fn issues(&self, term: &TextTerm<'_>, each: bool) -> tantivy::Result<Option<Vec<IssueId>>> {
        let queries = term.any.iter().map(|words| self.fields.query(words, term.body_only));
        let Some(queries) = queries.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let outdated = Arc::new(self.waiting.iter().map(|text| text.key).collect());
        let mut issues = self.searcher.search(&BooleanQuery::union(queries), &Issues { outdated, each })?;
        let found = |words: &Words, text: &Text| {
            words.found_in(&text.body) || !term.body_only && words.found_in(&text.rest)
        };
        let waiting = self.waiting.iter().filter(|text| term.any.iter().any(|words| found(words, text)));
        issues.extend(waiting.map(|text| text.issue));
        Ok(Some(issues))
    }
}

/// Collects issues, passing over texts of which a newer version waits.
struct Issues {
    outdated: Arc<FxHashSet<u64>>,
    /// Whether an issue counts once for every text of it.
    each: bool,
}

struct SegmentIssues {
    issue: Arc<dyn ColumnValues<u64>>,
    key: Arc<dyn ColumnValues<u64>>,
    outdated: Arc<FxHashSet<u64>>,
    each: bool,
    found: Vec<IssueId>,
}

impl Collector for Issues {
    type Fruit = Vec<IssueId>;
    type Child = SegmentIssues;

    fn for_segment(&self, _: u32, segment: &SegmentReader) -> tantivy::Result<SegmentIssues> {
        let column =
            |name| Ok::<_, tantivy::TantivyError>(segment.fast_fields().u64(name)?.first_or_default_col(0));
        let (issue, key) = (column("issue")?, column("key")?);
        Ok(SegmentIssues { issue, key, outdated: self.outdated.clone(), each: self.each, found: Vec::new() })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Vec<IssueId>>) -> tantivy::Result<Vec<IssueId>> {
        Ok(fruits.concat())
    }
}

impl SegmentCollector for SegmentIssues {
    type Fruit = Vec<IssueId>;

    fn collect(&mut self, doc: DocId, _: Score) {
        let issue = IssueId(self.issue.get_val(doc));
        let repeated = !self.each && self.found.last() == Some(&issue);
        if !repeated && (self.outdated.is_empty() || !self.outdated.contains(&self.key.get_val(doc))) {
            self.found.push(issue);
        }
    }

    fn harvest(self) -> Vec<IssueId> {
        self.found
    }
}
