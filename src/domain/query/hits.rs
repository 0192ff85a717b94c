//! Hits: where the words of a query stand in a text, as it is written.

use super::Query;
use super::term::{Field, Meaning};
use super::words::{Words, fold};
use std::ops::Range;

/// The words that a query looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    words: Vec<Words>,
}

impl Query {
    /// Gives the words that it looks for; those that must not be there are none of them.
    pub fn sought(&self) -> Sought {
        let asks = |field| matches!(field, Field::Text | Field::Body | Field::Title);
        let terms = self.terms.iter().filter(|term| !term.negated && asks(term.field));
        let words = terms.flat_map(|term| &term.values).filter_map(|value| match &value.meaning {
            Meaning::Words(words) => Some(words.clone()),
            _ => None,
        });
        Sought { words: words.collect() }
    }
}

impl Query {
    /// Gives the words that one condition looks for; none where it wants them not to be there.
    pub fn sought_at(&self, place: usize) -> Sought {
        let term = self.terms.get(place).filter(|term| !term.negated);
        let words = term.and_then(super::Term::text).map(|term| term.any).unwrap_or_default();
        Sought { words: words.into_iter().map(std::borrow::Cow::into_owned).collect() }
    }
}

impl Sought {
    /// Tells whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Tells whether any of the words stands in a text.
    pub fn is_in(&self, text: &str) -> bool {
        !self.is_empty() && self.is_in_folded(&fold(text))
    }

    /// Tells whether any of the words stands in a text that is folded already.
    pub fn is_in_folded(&self, folded: &str) -> bool {
        self.words.iter().any(|words| words.found_in(folded))
    }

    /// Gives where the words stand in a text, in octets, in order and without overlaps.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        if self.is_empty() || text.is_empty() {
            return Vec::new();
        }
        let (folded, origins) = folded_with_origins(text);
        let origin = |at: usize| origins.get(at).copied().unwrap_or(text.len());
        let mut places: Vec<Range<usize>> = Vec::new();
        for words in &self.words {
            let found = words.places(&folded).into_iter();
            places.extend(found.map(|place| origin(place.start)..origin(place.end)));
        }
        places.sort_unstable_by_key(|place| (place.start, place.end));
        let mut joined: Vec<Range<usize>> = Vec::with_capacity(places.len());
        for place in places.into_iter().filter(|place| !place.is_empty()) {
            match joined.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => joined.push(place),
            }
        }
        joined
    }
}

/// Folds a text sign by sign, and says for each octet of it from which octet of the text it comes.
fn folded_with_origins(text: &str) -> (String, Vec<usize>) {
    let mut folded = String::with_capacity(text.len());
    let mut origins = Vec::with_capacity(text.len());
    let mut one = [0; 4];
    for (at, sign) in text.char_indices() {
        if sign.is_ascii() {
            folded.push(sign.to_ascii_lowercase());
        } else {
            folded.push_str(&fold(sign.encode_utf8(&mut one)));
        }
        origins.resize(folded.len(), at);
    }
    (folded, origins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(query: &str, text: &str) -> String {
        let mut marked = text.to_owned();
        for place in Query::parse(query).unwrap().sought().places(text).into_iter().rev() {
            marked.insert(place.end, ']');
            marked.insert(place.start, '[');
        }
        marked
    }

    #[test]
    fn words_are_found_where_they_stand_whatever_their_case_and_accents() {
        for (query, text, expected) in [
            ("login", "Cannot Login, no LOGIN, logins", "Cannot [Login], no [LOGIN], logins"),
            ("log*", "Cannot Login", "Cannot [Log]in"),
            ("muller", "Jörg Müller", "Jörg [Müller]"),
            ("strasse", "Straße 1", "[Straße] 1"),
            ("\"two words\" x", "Two words, x", "[Two] [words], [x]"),
            ("-login title:reset is:open from:ada", "login ada Reset", "login ada [Reset]"),
            ("東京", "駅は東京です", "駅は[東京]です"),
            ("cafe", "cafe\u{301} noir", "[cafe\u{301}] noir"),
            ("is:open", "open", "open"),
        ] {
            assert_eq!(marked(query, text), expected, "{query}");
        }
    }

    #[test]
    fn any_text_has_its_places_within() {
        let sought = Query::parse("a* 東 \u{df}").unwrap().sought();
        for text in ["", "a", "\u{301}a\u{301}", "ﬃa ß東", "İa"] {
            for place in sought.places(text) {
                assert!(text.get(place.clone()).is_some(), "{text:?} {place:?}");
            }
        }
    }
}
