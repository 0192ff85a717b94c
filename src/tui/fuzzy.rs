//! How well what was typed fits the lines of a choice: letters in order, beginnings of words before others.

use super::picker::{Choice, Item};
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use std::cmp::Reverse;

/// Gives the places of the items that fit, best first; of two that fit alike, what can be done now.
pub fn order(wanted: &str, items: &[Item]) -> Vec<usize> {
    if wanted.trim().is_empty() {
        return (0..items.len()).collect();
    }
    let mut fit = Fit::of(wanted.trim());
    let fits = items.iter().enumerate().filter_map(|(at, item)| {
        let off = matches!(item.choice, Choice::Off(_));
        Some((Reverse(fit.score(item)?), off, item.name.len(), at))
    });
    let mut fits: Vec<_> = fits.collect();
    fits.sort_unstable();
    fits.into_iter().map(|(.., at)| at).collect()
}

struct Fit<'a> {
    wanted: &'a str,
    matcher: Matcher,
    /// Letters in order, for names.
    loose: Pattern,
    /// Words as they were typed, for what stands beside a name.
    whole: Pattern,
    letters: Vec<char>,
}

impl<'a> Fit<'a> {
    fn of(wanted: &'a str) -> Self {
        let pattern = |kind| Pattern::new(wanted, CaseMatching::Ignore, Normalization::Smart, kind);
        let (loose, whole) = (pattern(AtomKind::Fuzzy), pattern(AtomKind::Substring));
        Self { wanted, matcher: Matcher::new(Config::DEFAULT), loose, whole, letters: Vec::new() }
    }

    /// Gives how well an item fits, more is better; `None` if it does not.
    fn score(&mut self, item: &Item) -> Option<u32> {
        if item.keys == self.wanted {
            return Some(u32::MAX);
        }
        let name = self.loose.score(Utf32Str::new(&item.name, &mut self.letters), &mut self.matcher);
        let all = format!("{} {}", item.name, item.detail);
        let all = self.whole.score(Utf32Str::new(&all, &mut self.letters), &mut self.matcher);
        // The desk found these by their text, which does not stand here.
        let found = matches!(item.choice, Choice::Found(_)).then_some(1);
        name.map(|score| score * 2).max(all).max(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(wanted: &str, names: &[&'a str]) -> Vec<&'a str> {
        let items: Vec<Item> = names.iter().map(|n| Item::new(n, "", Choice::Nothing)).collect();
        order(wanted, &items).into_iter().map(|i| names[i]).collect()
    }

    #[test]
    fn the_best_fit_comes_first() {
        let names = ["reopen", "open link", "open", "outbox", "canned reply", "Jörg Müller"];
        assert_eq!(found("open", &names), ["open", "open link", "reopen"]);
        assert_eq!(found("obx", &names), ["outbox"]);
        assert_eq!(found("cr", &names), ["canned reply"]);
        assert_eq!(found("muller", &names), ["Jörg Müller"]);
        assert_eq!(found("link open", &names), ["open link"]);
        assert_eq!(found("", &names), names);
    }

    #[test]
    fn of_two_that_fit_alike_what_can_be_done_is_first_and_what_the_desk_found_always_fits() {
        let off = Item::new("half close", "", Choice::Off("it is closed already".into()));
        let on = Item::new("send close", "", Choice::Nothing);
        let found = Item::new("#7 Printer", "", Choice::Found("#7".parse().unwrap()));
        assert_eq!(order("close", &[off, on, found]), [1, 0, 2]);
    }
}
