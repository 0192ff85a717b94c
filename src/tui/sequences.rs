//! Control sequences that no library writes: notifications, and the way through tmux.

/// How a terminal takes notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// `OSC 9`, as iTerm2, kitty, WezTerm, Ghostty and Windows Terminal.
    Nine,
    /// `OSC 777`, as foot, urxvt and VTE.
    Seven,
}

impl NoticeKind {
    /// Guesses it from `TERM`, and from whether VTE names its version.
    pub fn of(term: &str, vte: bool) -> Self {
        let seven = vte || ["foot", "rxvt"].iter().any(|name| term.starts_with(name));
        if seven { Self::Seven } else { Self::Nine }
    }
}

/// Makes a notification of words that hold no control characters.
pub fn notice(kind: NoticeKind, words: &str) -> String {
    match kind {
        NoticeKind::Nine => format!("\x1b]9;deskbell: {words}\x1b\\"),
        NoticeKind::Seven => format!("\x1b]777;notify;deskbell;{words}\x1b\\"),
    }
}

/// What ends a link.
pub const LINK_END: &str = "\x1b]8;;\x1b\\";

/// Begins a link to an address that holds no control characters.
pub fn link_begin(address: &str) -> String {
    format!("\x1b]8;;{address}\x1b\\")
}

/// Has a terminal like kitty forget a picture and where it stands.
pub fn let_go(picture: u32) -> String {
    format!("\x1b_Gq=2,a=d,d=I,i={picture}\x1b\\")
}

/// Wraps a sequence so that tmux hands it to the terminal outside, where its `allow-passthrough` is on.
pub fn through_tmux(sequence: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_terminal_is_told_in_its_own_words() {
        assert_eq!(NoticeKind::of("xterm-kitty", false), NoticeKind::Nine);
        assert_eq!(NoticeKind::of("foot-extra", false), NoticeKind::Seven);
        assert_eq!(NoticeKind::of("xterm-256color", true), NoticeKind::Seven);
        assert_eq!(notice(NoticeKind::Nine, "2 new"), "\x1b]9;deskbell: 2 new\x1b\\");
        assert_eq!(notice(NoticeKind::Seven, "2 new"), "\x1b]777;notify;deskbell;2 new\x1b\\");
    }

    #[test]
    fn what_goes_through_tmux_has_its_escapes_doubled() {
        assert_eq!(through_tmux("\x1b]52;c;eA==\x07"), "\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\");
    }
}
