//! Numbers of things in words.

use std::fmt::Display;

/// Gives `1 mail`, `2 mails`.
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_thing_is_said_as_one() {
        let all: Vec<String> = [0_u64, 1, 2].into_iter().map(|number| counted(number, "mail")).collect();
        assert_eq!(all, ["0 mails", "1 mail", "2 mails"]);
    }
}
