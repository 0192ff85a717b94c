//! The desk's own classifier: it compares a mail with those about which staff have decided.
//!
//! Counts how often each feature stood in spam and in wanted mail, gives each a probability (Robinson's,
//! which trusts rare features little), and combines the strongest ones with Fisher's method, from both
//! ends: a mail that looks like both is unsure.

pub use super::features::features;

use super::features::Place;
use crate::domain::{Finding, Judge, Opinion};
use rustc_hash::FxHashMap;

/// Of each kind, before it has an opinion.
const LESSONS_MIN: u32 = 10;
/// How many features are combined.
const STRONGEST_MAX: usize = 150;
/// How far from even a feature must be to count.
const STRENGTH_MIN: f64 = 0.1;
/// What an unknown feature is taken for, and how many lessons that weighs.
const UNKNOWN: f64 = 0.5;
const UNKNOWN_WEIGHT: f64 = 0.45;
/// Up from here it is spam, up to here it is not. Spam in the list costs a key, a lost customer more.
const SPAM_FROM: f64 = 0.90;
const HAM_UP_TO: f64 = 0.20;

/// What was learned: how many spam and wanted mails have each feature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    spam: u32,
    ham: u32,
    seen: FxHashMap<u32, (u32, u32)>,
}

impl Model {
    /// Learns from one mail.
    pub fn learn(&mut self, features: &[u32], spam: bool) {
        let total = if spam { &mut self.spam } else { &mut self.ham };
        *total = total.saturating_add(1);
        for feature in features {
            let counts = self.seen.entry(*feature).or_default();
            let count = if spam { &mut counts.0 } else { &mut counts.1 };
            *count = count.saturating_add(1);
        }
    }

    /// Takes a lesson back; the exact inverse of learning it.
    pub fn forget(&mut self, features: &[u32], spam: bool) {
        let total = if spam { &mut self.spam } else { &mut self.ham };
        *total = total.saturating_sub(1);
        for feature in features {
            let Some(counts) = self.seen.get_mut(feature) else { continue };
            let count = if spam { &mut counts.0 } else { &mut counts.1 };
            *count = count.saturating_sub(1);
            if *counts == (0, 0) {
                self.seen.remove(feature);
            }
        }
    }

    /// Gives its opinion of a mail.
    pub fn judge(&self, features: &[u32]) -> Opinion {
        let by = Judge::Local;
        let learned = format!("learned from {} spam and {} wanted mails", self.spam, self.ham);
        if self.spam < LESSONS_MIN || self.ham < LESSONS_MIN {
            return Opinion { by, finding: Finding::Unsure, words: format!("too little {learned}") };
        }
        let strongest = self.strongest(features);
        let probability = combined(&strongest);
        let finding = match probability {
            p if p >= SPAM_FROM => Finding::Spam,
            p if p <= HAM_UP_TO => Finding::Ham,
            _ => Finding::Unsure,
        };
        let places = places(&strongest, probability > 0.5);
        Opinion { by, finding, words: format!("{:.0} % spam{places}; {learned}", probability * 100.0) }
    }

    /// Gives the features that say most, with the probability of each.
    fn strongest(&self, features: &[u32]) -> Vec<(u32, f64)> {
        let known = features.iter().filter_map(|feature| Some((*feature, self.probability(*feature)?)));
        let mut strong: Vec<_> = known.filter(|(_, p)| (p - 0.5).abs() >= STRENGTH_MIN).collect();
        let strength = |p: f64| (p - 0.5).abs();
        strong.sort_unstable_by(|(f, p), (g, q)| strength(*q).total_cmp(&strength(*p)).then(f.cmp(g)));
        strong.truncate(STRONGEST_MAX);
        strong
    }

    fn probability(&self, feature: u32) -> Option<f64> {
        let (spam, ham) = *self.seen.get(&feature)?;
        let share = |count: u32, of: u32| f64::from(count) / f64::from(of.max(1));
        let (s, h) = (share(spam, self.spam), share(ham, self.ham));
        let seen =
            f64::from(spam) * evened(self.spam, self.ham) + f64::from(ham) * evened(self.ham, self.spam);
        Some((UNKNOWN_WEIGHT * UNKNOWN + seen * (s / (s + h))) / (UNKNOWN_WEIGHT + seen))
    }
}

/// Weighs a mail of the kind of which there are more: many lessons of one kind must not make each word that
/// came up once in it a proof.
fn evened(own: u32, other: u32) -> f64 {
    (f64::from(other.max(1)) / f64::from(own.max(1))).min(1.0)
}

/// Combines probabilities by Fisher's method: 0 is wanted, 1 is spam, and the middle is neither or both.
fn combined(features: &[(u32, f64)]) -> f64 {
    let sum = |of: fn(f64) -> f64| features.iter().map(|(_, p)| of(*p).ln()).sum::<f64>();
    let spamminess = 1.0 - chance(-sum(|p| 1.0 - p), features.len());
    let hamminess = 1.0 - chance(-sum(|p| p), features.len());
    f64::midpoint(spamminess - hamminess, 1.0)
}

/// The chance that chi squared with `2 * pairs` degrees of freedom is over `2 * half`.
fn chance(half: f64, pairs: usize) -> f64 {
    let terms = (1..pairs).scan((-half).exp(), |term, n| {
        *term *= half / n as f64;
        Some(*term)
    });
    if pairs == 0 { 1.0 } else { ((-half).exp() + terms.sum::<f64>()).min(1.0) }
}

/// Says where the features stood that speak most for what was found: at most two places.
fn places(strongest: &[(u32, f64)], spam: bool) -> String {
    let speaking = strongest.iter().filter(|(_, p)| (*p > 0.5) == spam).take(20);
    let mut counts: Vec<(usize, Place)> = Vec::new();
    for place in speaking.filter_map(|(feature, _)| Place::of(*feature)) {
        match counts.iter_mut().find(|(_, known)| *known == place) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, place)),
        }
    }
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let words: Vec<_> = counts.iter().take(2).map(|(_, place)| place.word()).collect();
    if words.is_empty() { String::new() } else { format!(" by {}", words.join(" and ")) }
}

#[cfg(test)]
mod tests {
    use super::super::Suspect;
    use super::*;
    use crate::domain::EmailAddress;
    use proptest::prelude::*;

    /// Numbers that look like chance and are the same in every run.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % sides
        }

        fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
            words[self.roll(words.len())]
        }
    }

    const BOTH: &str = "the and a please we you your for with order account email time today to from of is it on \
        our this that have can was not as new website price contact help offer send free team number customer \
        information product service invoice payment thanks hello dear regards best week month link see attached";
    const WANTED: &str = "printer broken error login password reset refund delivery late parcel version crash \
        screenshot update install licence serial meeting contract address wrong colour exchange size warranty \
        manual battery screen cable firmware support ticket reply waiting question missing receipt return";
    const UNWANTED: &str = "winner lottery casino bonus pills crypto bitcoin investment guaranteed ranking seo \
        backlinks traffic loan prince inheritance million urgent click unsubscribe discount viagra replica watches \
        weight miracle rich cheap leads marketing promote domain expert agency outsourcing rankings profit";

    /// A mail mostly of words that both kinds have, now and then with words of the other kind.
    fn mail(dice: &mut Dice, spam: bool) -> Suspect {
        let [both, wanted, unwanted] =
            [BOTH, WANTED, UNWANTED].map(|w| w.split_whitespace().collect::<Vec<_>>());
        let (own, other) = if spam { (&unwanted, &wanted) } else { (&wanted, &unwanted) };
        let length = 20 + dice.roll(80);
        let text: Vec<&str> = (0..length)
            .map(|_| match dice.roll(60) {
                0..=11 => dice.pick(own),
                12 => dice.pick(other),
                _ => dice.pick(&both),
            })
            .collect();
        // Anybody's domains, or those of customers; and spam mostly wants something clicked.
        let domain = match dice.roll(2) {
            0 if !spam => dice.pick(&["corp.example", "works.example", "school.example"]),
            _ => dice.pick(&["mail.example", "post.example", "web.example"]),
        };
        let host = dice.pick(&["go.example", "offer.example", "track.example", "buy.example"]);
        let link = if spam && dice.roll(3) > 0 {
            format!(" https://{host}/{}", dice.roll(900))
        } else {
            String::new()
        };
        let end = if dice.roll(3) == 0 { own } else { &both };
        Suspect {
            raw: b"From: x\r\nContent-Type: text/plain\r\n\r\n".to_vec().into(),
            from: EmailAddress::parse(&format!("u{}@{domain}", dice.roll(5_000))),
            subject: format!("{} {}", dice.pick(&both), dice.pick(end)),
            text: text.join(" ") + &link,
            ..Suspect::default()
        }
    }

    /// Learns from 800 mails, one in `share` of them spam; gives which part of 3,000 others is judged
    /// right, and which part of the wanted ones is called spam.
    fn trial(share: usize) -> (f64, f64) {
        let mut dice = Dice(share as u64);
        let mut model = Model::default();
        for n in 0..800 {
            let spam = n % share == 0;
            model.learn(&features(&mail(&mut dice, spam)), spam);
        }
        let (mut right, mut lost) = (0, 0);
        for n in 0..3_000 {
            let spam = n % 2 == 0;
            let found = model.judge(&features(&mail(&mut dice, spam))).finding;
            right += u32::from(found == if spam { Finding::Spam } else { Finding::Ham });
            lost += u32::from(!spam && found == Finding::Spam);
        }
        (f64::from(right) / 3_000.0, f64::from(lost) / 1_500.0)
    }

    #[test]
    fn mails_it_has_not_seen_are_told_apart_however_many_of_each_it_learned() {
        for share in [2, 3, 10] {
            let (right, lost) = trial(share);
            assert!(
                right >= 0.97 && lost < 0.005,
                "1 of {share}: right {right}, wanted mail called spam {lost}"
            );
        }
    }

    #[test]
    fn it_says_nothing_before_it_has_learned_enough_of_both() {
        let mut dice = Dice(1);
        let mut model = Model::default();
        let spam = features(&mail(&mut dice, true));
        for n in 0..10 {
            model.learn(&features(&mail(&mut dice, true)), true);
            assert_eq!(model.judge(&spam).finding, Finding::Unsure, "{n}");
        }
        (0..9).for_each(|_| model.learn(&features(&mail(&mut dice, false)), false));
        assert_eq!(model.judge(&spam).words, "too little learned from 10 spam and 9 wanted mails");
        model.learn(&features(&mail(&mut dice, false)), false);
        let opinion = model.judge(&spam);
        assert!(opinion.words.ends_with("; learned from 10 spam and 10 wanted mails"), "{}", opinion.words);
        assert_eq!(model.judge(&[]).finding, Finding::Unsure);
    }

    #[test]
    fn the_words_say_where_it_saw_it() {
        let mut model = Model::default();
        let at = |place: Place| (place as u32) << 29;
        for _ in 0..20 {
            model.learn(&[at(Place::Sender), at(Place::Text), at(Place::Text) + 1], true);
            model.learn(&[at(Place::Link)], false);
        }
        let opinion = model.judge(&[at(Place::Sender), at(Place::Text), at(Place::Text) + 1]);
        let words = "100 % spam by text and sender; learned from 20 spam and 20 wanted mails";
        assert_eq!((opinion.finding, opinion.words.as_str()), (Finding::Spam, words));
        assert_eq!(model.judge(&[at(Place::Link)]).finding, Finding::Ham);
    }

    proptest! {
        #[test]
        fn forgetting_is_the_inverse_of_learning(
            lessons in prop::collection::vec((prop::collection::vec(0_u32..50, 0..20), any::<bool>()), 0..20),
            (extra, spam) in (prop::collection::vec(0_u32..80, 0..20), any::<bool>()),
        ) {
            let mut model = Model::default();
            lessons.iter().for_each(|(features, spam)| model.learn(features, *spam));
            let before = model.clone();
            model.learn(&extra, spam);
            model.forget(&extra, spam);
            prop_assert_eq!(&model, &before);
            lessons.iter().for_each(|(features, spam)| model.forget(features, *spam));
            prop_assert_eq!(model, Model::default());
        }

        #[test]
        fn whatever_was_learned_the_opinion_is_a_probability(
            lessons in prop::collection::vec((prop::collection::vec(0_u32..400, 0..300), any::<bool>()), 0..60),
            mail in prop::collection::vec(0_u32..400, 0..600),
        ) {
            let mut model = Model::default();
            lessons.iter().for_each(|(features, spam)| model.learn(features, *spam));
            let p = combined(&model.strongest(&mail));
            prop_assert!((0.0..=1.0).contains(&p), "{}", p);
        }
    }
}
