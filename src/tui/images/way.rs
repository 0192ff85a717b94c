//! How a terminal can show pictures, told from what it says of itself in the environment.
//!
//! Pure, and nothing is asked of the terminal: an answer would come in among the keys. Where the environment leaves
//! it open, half blocks are right everywhere.

/// What the environment says of the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `TERM`.
    pub term: String,
    /// `TERM_PROGRAM`.
    pub program: String,
    /// `LC_TERMINAL`, which ssh hands on.
    pub lc_terminal: String,
    /// Whether `COLORTERM` promises 24 bits of colour.
    pub true_colour: bool,
    /// Whether `KITTY_WINDOW_ID` is set, and nothing that another terminal begun inside kitty would have set.
    pub in_kitty: bool,
    pub in_tmux: bool,
    /// Whether something other than tmux stands between: zellij, or GNU screen.
    pub in_other: bool,
}

impl Surroundings {
    /// Reads them from the variables of the environment.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).unwrap_or_default();
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let others = ["TERM_PROGRAM", "XTERM_VERSION", "VTE_VERSION", "KONSOLE_VERSION", "WT_SESSION"];
        let term = text("TERM");
        Self {
            in_tmux: set("TMUX") || term.starts_with("tmux"),
            in_other: set("ZELLIJ") || set("STY") || (term.starts_with("screen") && !set("TMUX")),
            in_kitty: set("KITTY_WINDOW_ID") && !others.into_iter().any(set),
            true_colour: matches!(text("COLORTERM").as_str(), "truecolor" | "24bit"),
            program: text("TERM_PROGRAM"),
            lc_terminal: text("LC_TERMINAL"),
            term,
        }
    }
}

/// In which way pictures are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Only what is said of them.
    #[default]
    Off,
    /// Two pixels to a cell, in 24 bits of colour or in the 256 of the palette.
    Blocks {
        true_colour: bool,
    },
    Kitty,
    ITerm2,
    Sixel,
}

/// In which way pictures are shown, and whether what shows them has to get through tmux.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Graphics {
    pub way: Way,
    pub through_tmux: bool,
}

/// What `[ui] images` may be.
pub const WORDS: [&str; 6] = ["auto", "off", "blocks", "kitty", "iterm2", "sixel"];

impl Graphics {
    /// Decides by the word of `[ui] images`; `bare` is a screen without colours or without signs. `None` for another
    /// word.
    pub fn of(word: &str, bare: bool, around: &Surroundings) -> Option<Self> {
        let way = match word {
            "auto" | "" => auto(around),
            "off" => Way::Off,
            "blocks" => blocks(around),
            "kitty" => Way::Kitty,
            "iterm2" => Way::ITerm2,
            "sixel" => Way::Sixel,
            _ => return None,
        };
        let way = if bare || is_console(&around.term) { Way::Off } else { way };
        Some(Self { way, through_tmux: around.in_tmux })
    }
}

/// Terminals that have eight colours, or none.
fn is_console(term: &str) -> bool {
    ["", "dumb", "linux", "ansi"].contains(&term) || ["vt", "cons"].iter().any(|name| term.starts_with(name))
}

fn auto(around: &Surroundings) -> Way {
    let term = around.term.as_str();
    // Which terminal is behind these is not known, and they let sequences through only where they are told to.
    if around.in_tmux || around.in_other {
        return blocks(around);
    }
    let is_program = |names: &[&str]| names.contains(&around.program.as_str());
    if around.in_kitty || term == "xterm-kitty" || term == "xterm-ghostty" || is_program(&["ghostty"]) {
        Way::Kitty
    } else if is_program(&["iTerm.app", "WezTerm", "mintty", "rio"]) || around.lc_terminal == "iTerm2" {
        Way::ITerm2
    } else if term == "foot" || term.starts_with("foot-") || term.starts_with("mlterm") {
        Way::Sixel
    } else {
        blocks(around)
    }
}

fn blocks(around: &Surroundings) -> Way {
    let knows = ["kitty", "ghostty", "alacritty", "foot", "wezterm", "direct"];
    // tmux makes of it what the terminal behind it has.
    let known = around.in_tmux || knows.iter().any(|name| around.term.contains(name));
    Way::Blocks { true_colour: around.true_colour || known }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decides from variables as a shell writes them.
    fn way(word: &str, variables: &str) -> Graphics {
        let set = |name: &str| {
            let all = variables.split_whitespace().filter_map(|pair| pair.split_once('='));
            all.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        Graphics::of(word, false, &Surroundings::of(set)).unwrap()
    }

    #[test]
    fn the_environment_tells_what_a_terminal_can_show() {
        let few = Way::Blocks { true_colour: false };
        let many = Way::Blocks { true_colour: true };
        for (variables, expected) in [
            ("TERM=xterm-kitty", Way::Kitty),
            ("TERM=xterm-256color KITTY_WINDOW_ID=1", Way::Kitty),
            // xterm begun from a shell in kitty.
            ("TERM=xterm-256color KITTY_WINDOW_ID=1 XTERM_VERSION=XTerm(390)", few),
            ("TERM=xterm-ghostty TERM_PROGRAM=ghostty", Way::Kitty),
            ("TERM=xterm-256color TERM_PROGRAM=iTerm.app COLORTERM=truecolor", Way::ITerm2),
            ("TERM=xterm-256color LC_TERMINAL=iTerm2", Way::ITerm2),
            ("TERM=xterm-256color TERM_PROGRAM=WezTerm", Way::ITerm2),
            ("TERM=foot", Way::Sixel),
            ("TERM=foot-extra", Way::Sixel),
            ("TERM=xterm-256color TERM_PROGRAM=vscode COLORTERM=truecolor", many),
            ("TERM=xterm-256color TERM_PROGRAM=Apple_Terminal", few),
            ("TERM=xterm-256color WT_SESSION=1 COLORTERM=24bit", many),
            ("TERM=alacritty", many),
            ("TERM=tmux-256color TMUX=/tmp/x,1,0 KITTY_WINDOW_ID=1", many),
            ("TERM=screen-256color TMUX=/tmp/x,1,0 LC_TERMINAL=iTerm2", many),
            ("TERM=screen-256color STY=1.tty", few),
            ("TERM=xterm-kitty ZELLIJ=0 COLORTERM=truecolor", many),
            ("TERM=xterm", few),
            ("TERM=linux COLORTERM=truecolor", Way::Off),
            ("TERM=vt220", Way::Off),
            ("TERM=dumb", Way::Off),
            ("COLORTERM=truecolor", Way::Off),
        ] {
            assert_eq!(way("auto", variables).way, expected, "{variables}");
        }
    }

    #[test]
    fn whoever_says_how_is_obeyed_also_within_tmux() {
        let tmux = "TERM=tmux-256color TMUX=/tmp/x,1,0";
        for (word, expected) in [
            ("kitty", Way::Kitty),
            ("iterm2", Way::ITerm2),
            ("sixel", Way::Sixel),
            ("blocks", Way::Blocks { true_colour: true }),
            ("off", Way::Off),
        ] {
            assert_eq!(way(word, tmux), Graphics { way: expected, through_tmux: true }, "{word}");
            assert!(!way(word, "TERM=xterm").through_tmux, "{word}");
        }
    }

    #[test]
    fn without_colours_there_are_none_and_another_word_is_refused() {
        let kitty = Surroundings { term: "xterm-kitty".to_owned(), ..Surroundings::default() };
        for word in WORDS {
            assert_eq!(Graphics::of(word, true, &kitty).map(|graphics| graphics.way), Some(Way::Off));
            assert!(Graphics::of(word, false, &kitty).is_some());
        }
        assert_eq!(Graphics::of("always", false, &kitty), None);
    }
}
