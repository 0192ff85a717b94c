//! Lessons: the classifier of this desk, and what services are still to be told.
//!
//! Of each mail there is one lesson at most. A service may be told twice, after a kill between telling it
//! and noting that; for it that is the same lesson.

use super::screening::suspect_of;
use super::txn::{self, Txn, store_fault};
use super::{Desk, system};
use crate::domain::{Fault, Judge, Lesson, LessonChange, Opinion, RawRef};
use crate::mail;
use crate::spam::{Suspect, TeachError, local};
use crate::store::record::text_key;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many lessons are kept: the latest.
const KEPT: usize = 10_000;

/// What was learned, in memory; follows what is committed.
#[derive(Default)]
pub(super) struct School {
    inner: Mutex<Learned>,
}

#[derive(Default)]
struct Learned {
    model: local::Model,
    known: HashMap<String, Known>,
    by_age: BTreeSet<(Timestamp, String)>,
    owed: BTreeMap<String, Vec<Judge>>,
}

/// What the model was given of a mail.
struct Known {
    at: Timestamp,
    /// Nothing of a lesson that was taken back.
    taught: Option<(Vec<u32>, bool)>,
}

/// A mail that a lesson is about.
pub(super) struct Subject {
    pub fingerprint: String,
    pub features: Vec<u32>,
    pub raw: RawRef,
}

/// What telling the services came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub told: u64,
    /// Why a service could not be told now.
    pub failed: Option<String>,
}

impl School {
    /// Takes note of what was committed under a key.
    pub fn follow(&self, key: &[u8], lesson: Option<&Lesson>) {
        match lesson {
            Some(lesson) => self.take(lesson.clone()),
            None => {
                let name = key.strip_suffix(&[0]).unwrap_or(key);
                locked(&self.inner).drop_lesson(&String::from_utf8_lossy(name));
            }
        }
    }

    pub fn take(&self, lesson: Lesson) {
        let mut learned = locked(&self.inner);
        learned.drop_lesson(&lesson.fingerprint);
        learned.by_age.insert((lesson.at, lesson.fingerprint.clone()));
        if !lesson.owed.is_empty() {
            learned.owed.insert(lesson.fingerprint.clone(), lesson.owed);
        }
        let taught = (!lesson.withdrawn).then_some((lesson.features, lesson.spam));
        if let Some((features, spam)) = &taught {
            learned.model.learn(features, *spam);
        }
        learned.known.insert(lesson.fingerprint, Known { at: lesson.at, taught });
    }

    /// Says what the classifier thinks of a mail.
    pub fn judge(&self, mail: &Suspect) -> Opinion {
        let features = local::features(mail);
        locked(&self.inner).model.judge(&features)
    }

    /// Counts the lessons, and what services are still to be told.
    pub fn counts(&self) -> (u64, u64) {
        let learned = locked(&self.inner);
        let lessons = learned.known.values().filter(|known| known.taught.is_some()).count();
        let owed: usize = learned.owed.values().map(Vec::len).sum();
        (lessons as u64, owed as u64)
    }

    fn owes(&self) -> bool {
        !locked(&self.inner).owed.is_empty()
    }

    fn owed(&self) -> Vec<(String, Vec<Judge>)> {
        locked(&self.inner).owed.iter().map(|(name, owed)| (name.clone(), owed.clone())).collect()
    }

    /// Gives the lessons that are too many once one more comes, the oldest first.
    fn surplus(&self) -> Vec<String> {
        let learned = locked(&self.inner);
        let many = (learned.by_age.len() + 1).saturating_sub(KEPT);
        learned.by_age.iter().take(many).map(|(_, name)| name.clone()).collect()
    }
}

impl Learned {
    fn drop_lesson(&mut self, fingerprint: &str) {
        self.owed.remove(fingerprint);
        let Some(known) = self.known.remove(fingerprint) else { return };
        self.by_age.remove(&(known.at, fingerprint.to_owned()));
        if let Some((features, spam)) = known.taught {
            self.model.forget(&features, spam);
        }
    }
}

impl Desk {
    /// Tells whether a service is still to be told something.
    pub(super) fn owes_lessons(&self) -> bool {
        self.inner.school.owes()
    }

    pub(super) async fn load_lessons(&self) -> Result<(), Fault> {
        for lesson in txn::all::<Lesson>(&self.inner.store, &[]).await? {
            self.inner.school.take(lesson);
        }
        Ok(())
    }

    /// Reads what a lesson about a mail needs; nothing when its bytes are gone or cannot be read.
    pub(super) async fn subject_of(&self, raw: RawRef) -> Result<Option<Subject>, Fault> {
        let Ok(bytes) = self.inner.store.raw(raw).await else { return Ok(None) };
        let read = tokio::task::spawn_blocking(move || {
            let message = mail::read(&bytes).ok()?;
            let fingerprint = mail::fingerprint(&bytes, &message);
            let visible = mail::visible(&message, mail::Reading::of(&message));
            let features = local::features(&suspect_of(bytes.into(), &message, &visible, None, &[]));
            Some(Subject { fingerprint, features, raw })
        });
        read.await.map_err(|e| Fault::internal(format!("reading a mail failed: {e}")))
    }

    /// Teaches that a mail is spam or not, as part of a verb: once for each mail and verdict.
    pub(super) async fn teach(
        &self,
        txn: &mut Txn<'_>,
        subject: &Subject,
        spam: bool,
        by: &str,
    ) -> Result<(), Fault> {
        let before = txn.get::<Lesson>(&text_key(&subject.fingerprint)).await?;
        let held = before.as_ref().filter(|lesson| !lesson.withdrawn).map(|lesson| lesson.spam);
        if held == Some(spam) {
            return Ok(());
        }
        self.write_lesson(txn, subject, spam, by)?;
        txn.deed().lessons.push(LessonChange {
            fingerprint: subject.fingerprint.clone(),
            raw: Some(subject.raw),
            before: held,
            after: Some(spam),
        });
        Ok(())
    }

    fn write_lesson(&self, txn: &mut Txn<'_>, subject: &Subject, spam: bool, by: &str) -> Result<(), Fault> {
        let owed = self.inner.judges.teachable();
        for old in self.inner.school.surplus() {
            txn.remove::<Lesson>(text_key(&old));
        }
        txn.put(&Lesson {
            fingerprint: subject.fingerprint.clone(),
            features: subject.features.clone(),
            spam,
            withdrawn: false,
            raw: (!owed.is_empty()).then_some(subject.raw),
            owed,
            told: Vec::new(),
            at: txn.now,
            by: by.to_owned(),
        })
    }

    /// Sets what is known of a mail to what it was before a verb, or after it. What services were told in
    /// between they are told the other way round.
    pub(super) async fn restore_lesson(
        &self,
        txn: &mut Txn<'_>,
        change: &LessonChange,
        back: bool,
        by: &str,
    ) -> Result<(), Fault> {
        let wanted = if back { change.before } else { change.after };
        let now = txn.get::<Lesson>(&text_key(&change.fingerprint)).await?;
        let held = now.as_ref().filter(|lesson| !lesson.withdrawn).map(|lesson| lesson.spam);
        if held == wanted {
            return Ok(());
        }
        match (wanted, now) {
            (Some(spam), _) => {
                let Some(raw) = change.raw else { return Ok(()) };
                if let Some(subject) = self.subject_of(raw).await? {
                    self.write_lesson(txn, &subject, spam, by)?;
                }
            }
            (None, Some(lesson)) if lesson.told.is_empty() => {
                txn.remove::<Lesson>(text_key(&change.fingerprint));
            }
            (None, Some(lesson)) => txn.put(&withdrawn(lesson, change.raw, txn.now))?,
            (None, None) => {}
        }
        Ok(())
    }

    /// Waits until a service may have something to be told.
    pub async fn wait_for_lessons(&self) {
        self.inner.lessons.notified().await;
    }

    /// Tells the services what they are still to be told. A service that does not answer is left alone
    /// until the next time; one that refuses a lesson for good is not told that one again.
    pub async fn tell_lessons(&self) -> Result<Told, Fault> {
        let mut done = Told::default();
        let mut silent: BTreeSet<Judge> = BTreeSet::new();
        for (fingerprint, owed) in self.inner.school.owed() {
            for judge in owed.into_iter().filter(|judge| !silent.contains(judge)).collect::<Vec<_>>() {
                match self.tell_lesson(&fingerprint, judge).await? {
                    Ok(()) => done.told += 1,
                    Err(error) => {
                        silent.insert(judge);
                        done.failed = Some(format!("{} cannot be told: {error}", judge.name()));
                    }
                }
            }
        }
        Ok(done)
    }

    async fn tell_lesson(&self, fingerprint: &str, judge: Judge) -> Result<Result<(), TeachError>, Fault> {
        let kept = self.inner.store.get::<Lesson>(&text_key(fingerprint)).await.map_err(store_fault)?;
        let Some(lesson) = kept.map(|k| k.record).filter(|lesson| lesson.owed.contains(&judge)) else {
            return Ok(Ok(()));
        };
        let answer = match self.mail_of(&lesson).await {
            Some(mail) => self.inner.judges.teach(judge, &mail, lesson.spam).await,
            None => Err(TeachError { message: "the mail is gone".to_owned(), temporary: false }),
        };
        let took = answer.is_ok();
        match answer {
            Err(error) if error.temporary => return Ok(Err(error)),
            Err(error) => tracing::warn!(?judge, fingerprint, %error, "a lesson was refused"),
            Ok(()) => tracing::info!(?judge, fingerprint, spam = lesson.spam, "a lesson was taught"),
        }
        self.told(judge, lesson, took).await?;
        Ok(Ok(()))
    }

    async fn mail_of(&self, lesson: &Lesson) -> Option<Suspect> {
        let bytes = self.inner.store.raw(lesson.raw?).await.ok()?;
        let read = tokio::task::spawn_blocking(move || {
            let message = mail::read(&bytes).ok()?;
            let visible = mail::visible(&message, mail::Reading::of(&message));
            Some(suspect_of(bytes.into(), &message, &visible, None, &[]))
        });
        read.await.ok().flatten()
    }

    /// Notes that a service took a lesson, or never will. If the lesson was taken back while it was being
    /// told, the service is owed that.
    async fn told(&self, judge: Judge, as_told: Lesson, took: bool) -> Result<(), Fault> {
        let (_gate, mut txn) = self.begin().await;
        let key = text_key(&as_told.fingerprint);
        match txn.get::<Lesson>(&key).await? {
            Some(mut lesson) if lesson.spam == as_told.spam => {
                lesson.owed.retain(|owed| *owed != judge);
                if took && !lesson.withdrawn && !lesson.told.contains(&judge) {
                    lesson.told.push(judge);
                }
                if lesson.owed.is_empty() {
                    lesson.raw = None;
                }
                match lesson.withdrawn && lesson.owed.is_empty() {
                    true => txn.remove::<Lesson>(key),
                    false => txn.put(&lesson)?,
                }
            }
            Some(mut lesson) => {
                if took && !lesson.owed.contains(&judge) {
                    lesson.owed.push(judge);
                    lesson.raw = lesson.raw.or(as_told.raw);
                    txn.put(&lesson)?;
                }
            }
            None if !took => {}
            None => {
                let raw = as_told.raw;
                let told = Lesson { told: vec![judge], ..as_told };
                txn.put(&withdrawn(told, raw, txn.now))?;
            }
        }
        self.finish(txn, system(), None, None).await.map(drop)
    }
}

/// Makes the lesson that takes another back.
fn withdrawn(lesson: Lesson, raw: Option<RawRef>, now: Timestamp) -> Lesson {
    Lesson {
        spam: !lesson.spam,
        withdrawn: true,
        features: Vec::new(),
        raw: lesson.raw.or(raw),
        owed: lesson.told,
        told: Vec::new(),
        at: now,
        ..lesson
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn lesson(number: u64, features: Vec<u32>) -> Lesson {
        Lesson {
            fingerprint: format!("{number:064}"),
            features,
            spam: number.is_multiple_of(2),
            withdrawn: false,
            owed: Vec::new(),
            told: Vec::new(),
            raw: None,
            at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(i64::try_from(number).unwrap()),
            by: "mia".to_owned(),
        }
    }

    #[test]
    fn the_latest_ten_thousand_are_kept_and_what_is_dropped_is_forgotten() {
        let school = School::default();
        let begun = Instant::now();
        for number in 0..KEPT as u64 {
            let features = (0..300).map(|i| ((number * 7919 + i * 104_729) % 50_000) as u32).collect();
            school.take(lesson(number, features));
        }
        println!("{KEPT} lessons of 300 features: {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(20));
        assert_eq!(school.counts(), (KEPT as u64, 0));
        assert_eq!(school.surplus(), [format!("{:064}", 0)]);
        let all: Vec<String> = locked(&school.inner).known.keys().cloned().collect();
        for fingerprint in all {
            school.follow(&text_key(&fingerprint), None);
        }
        let learned = locked(&school.inner);
        assert_eq!(learned.model, local::Model::default());
        assert!(learned.by_age.is_empty());
    }

    #[test]
    fn a_lesson_takes_the_place_of_the_one_before_and_one_taken_back_counts_no_more() {
        let school = School::default();
        school.take(lesson(2, vec![1, 2]));
        school.take(Lesson { spam: false, ..lesson(2, vec![1, 2]) });
        let mut expected = local::Model::default();
        expected.learn(&[1, 2], false);
        assert_eq!(locked(&school.inner).model, expected);
        let owed = vec![Judge::Rspamd];
        school.take(Lesson { withdrawn: true, owed, features: Vec::new(), ..lesson(2, vec![]) });
        assert_eq!((school.counts(), locked(&school.inner).model.clone()), ((0, 1), local::Model::default()));
    }
}
