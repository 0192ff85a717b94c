//! Questions to the person at the terminal: one line each, on stderr.

use crate::cli::print;
use crate::cli::print::clean;
use crate::domain::Fault;
use std::io::{self, BufRead, IsTerminal, Write};

/// Tells whether there is somebody to ask.
pub(super) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line; an empty one takes what is suggested.
pub(super) fn line(question: &str, suggested: Option<&str>) -> Result<String, Fault> {
    let offer = suggested.map_or(String::new(), |text| format!(" [{text}]"));
    loop {
        let mut err = io::stderr();
        let asked = write!(err, "{}{offer}: ", clean(question)).and_then(|()| err.flush());
        let mut answer = String::new();
        let read = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
        match read {
            Ok(1..) => {}
            Ok(_) => return Err(Fault::refused("there was no answer; nothing was written")),
            Err(error) => return Err(Fault::refused(format!("the answer cannot be read: {error}"))),
        }
        match (answer.trim(), suggested) {
            ("", Some(suggested)) => return Ok(suggested.to_owned()),
            ("", None) => {}
            (answer, _) => return Ok(answer.to_owned()),
        }
    }
}

/// Asks until the answer can be read.
pub(super) fn until<T>(
    question: &str,
    suggested: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Fault> {
    loop {
        match read(&line(question, suggested)?) {
            Ok(value) => return Ok(value),
            Err(why) => print::aside(format_args!("  {}", clean(&why))),
        }
    }
}

/// Asks a question with yes and no.
pub(super) fn yes(question: &str, suggested: bool) -> Result<bool, Fault> {
    let suggested = if suggested { "yes" } else { "no" };
    until(question, Some(suggested), |answer| match answer.to_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    })
}
