//! `deskbell who`: who is at which issue now, and what they write there. A view on what `status` knows.

use super::here::Here;
use super::print;
use super::session::{ask, unexpected};
use crate::domain::{DeskStatus, Present, Request, Response};
use anyhow::Result;
use jiff::Timestamp;

/// `deskbell who`.
pub async fn run(here: &Here) -> Result<u8> {
    let status: DeskStatus = match ask(here, Request::Status).await? {
        Response::Status(status) => *status,
        other => return Err(unexpected(&other).into()),
    };
    if here.json {
        print::json(&status.present)?;
    } else {
        lines(&status.present, Timestamp::now()).iter().try_for_each(print::say)?;
    }
    Ok(0)
}

fn lines(present: &[Present], now: Timestamp) -> Vec<String> {
    let line = |one: &Present| {
        let along = if one.following { ", goes along with somebody" } else { "" };
        let (words, reference) = (print::line(&one.words()), print::line(&one.reference));
        format!("{reference}: {words}{along}, for {}", print::age(one.since, now))
    };
    match present {
        [] => vec!["nobody is at an issue now".to_owned()],
        present => present.iter().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Writing;

    #[test]
    fn each_stands_with_what_they_do_and_for_how_long_and_nothing_hostile_is_printed() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let since = now - jiff::SignedDuration::from_mins(4);
        let one = Present {
            user: "sam\x1b[2J".into(),
            reference: "acme/support#12".into(),
            writing: Writing::Reply,
            following: false,
            since,
            seen: now,
            note: None,
        };
        let said = lines(&[one.clone(), Present { following: true, writing: Writing::Nothing, ..one }], now);
        assert!(said[0].ends_with("is writing a reply, for 4m"), "{said:?}");
        assert!(said[1].contains("is reading, goes along with somebody"), "{said:?}");
        assert!(!said.concat().contains('\x1b'), "{said:?}");
        assert_eq!(lines(&[], now), ["nobody is at an issue now"]);
    }
}
