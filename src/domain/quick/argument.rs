//! What is being written behind a quick action: a name that a list can complete.

use super::QUICK_ACTIONS;

/// What a mark at the beginning of a word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// `@`
    User,
    /// `~`
    Label,
    /// `#`
    Issue,
    /// `%`
    Milestone,
}

impl Mark {
    const ALL: [Self; 4] = [Self::User, Self::Label, Self::Issue, Self::Milestone];

    /// Gives the character.
    pub fn sign(self) -> char {
        match self {
            Self::User => '@',
            Self::Label => '~',
            Self::Issue => '#',
            Self::Milestone => '%',
        }
    }
}

/// The word at the cursor, behind a quick action that takes such a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    pub mark: Mark,
    /// What was typed behind the mark, without a quotation mark.
    pub typed: String,
    /// Characters from the mark to the cursor.
    pub length: usize,
}

/// Finds the word at the cursor that names a user, a label, an issue or a milestone.
///
/// `line` is the line up to the cursor. `None` where the line is no quick action, where it takes no such
/// word, or where the mark is not typed yet.
pub fn argument(line: &str) -> Option<Argument> {
    let (name, rest) = line.strip_prefix('/')?.split_once(' ')?;
    let action = QUICK_ACTIONS.iter().find(|action| action.name == name)?;
    let mark = Mark::ALL.into_iter().find(|mark| action.takes.starts_with(mark.sign()))?;
    let many = action.takes.ends_with('…');
    let word = if many { last_word(rest)? } else { rest.trim_start() };
    let typed = word.strip_prefix(mark.sign())?;
    let bare = typed.strip_prefix('"').unwrap_or(typed);
    let ended = bare.contains('"') || (!typed.starts_with('"') && bare.contains(char::is_whitespace));
    (!ended).then(|| Argument { mark, typed: bare.to_owned(), length: word.chars().count() })
}

/// Gives the word that the text ends in; a quoted one may hold blanks. `None` behind a blank.
fn last_word(text: &str) -> Option<&str> {
    let (mut begin, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => begin = at + c.len_utf8(),
            _ => {}
        }
    }
    text.get(begin..).filter(|word| !word.is_empty())
}

/// Writes a name as it stands behind a quick action: with its mark, and in quotes where it holds a blank.
pub fn written(mark: Mark, name: &str) -> String {
    match name.contains(char::is_whitespace) {
        true => format!("{}\"{name}\"", mark.sign()),
        false => format!("{}{name}", mark.sign()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_at_the_cursor_is_found_behind_an_action_that_takes_it() {
        use Mark::{Issue, Label, Milestone, User};
        for (line, expected) in [
            ("/assign @al", Some((User, "al", 3))),
            ("/assign @", Some((User, "", 1))),
            ("/assign al", None),
            ("/assign @alice done", None),
            ("/label ~bug ~needs", Some((Label, "needs", 6))),
            ("/label ~bug ~\"needs in", Some((Label, "needs in", 10))),
            ("/label ~\"needs info\" ~b", Some((Label, "b", 2))),
            ("/label ~bug ", None),
            ("/unlabel ~\"a b\"", None),
            ("/relabel ~ü", Some((Label, "ü", 2))),
            ("/merge #1", Some((Issue, "1", 2))),
            ("/link #print", Some((Issue, "print", 6))),
            ("/milestone %2.", Some((Milestone, "2.", 3))),
            ("/milestone %\"next ye", Some((Milestone, "next ye", 9))),
            ("/weight #1", None),
            ("/close", None),
            ("text @al", None),
            (" /assign @al", None),
        ] {
            let found = argument(line).map(|found| (found.mark, found.typed, found.length));
            let expected = expected.map(|(mark, typed, length)| (mark, typed.to_owned(), length));
            assert_eq!(found, expected, "{line:?}");
        }
    }

    #[test]
    fn a_name_with_a_blank_stands_in_quotes() {
        assert_eq!(written(Mark::Label, "needs info"), "~\"needs info\"");
        assert_eq!(written(Mark::Milestone, "2.0"), "%2.0");
    }
}
