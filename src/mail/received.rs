//! Who handed a mail to us: what the Received field of our border host says (RFC 5321, section 4.4).

use super::message::Message;
use std::net::{IpAddr, Ipv6Addr};

/// Most fields that are looked at.
const HOPS_MAX: usize = 20;

/// The host that handed a mail to our border host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Border {
    pub client: IpAddr,
    /// What it called itself.
    pub helo: Option<String>,
}

/// Finds who handed a mail to our border host.
///
/// Reads `Received` fields from the top, for as long as a trusted host wrote them, and stops at the first
/// client that is none of ours: below that, everything may be made up. `None` where that cannot be told.
pub fn border(message: &Message, trusted: &[String]) -> Option<Border> {
    let is_ours = |host: &str| trusted.iter().any(|trusted| trusted.eq_ignore_ascii_case(host));
    for field in message.header_all("Received").take(HOPS_MAX) {
        let (from, by) = halves(field)?;
        if !is_ours(by) {
            return None;
        }
        let hop = hop(from);
        // Only the name that our host looked up counts here: a greeting can be anything.
        let internal = hop.verified.is_some_and(is_ours) || hop.client.is_none_or(is_private);
        if !internal {
            return Some(Border { client: hop.client?, helo: hop.helo.map(str::to_owned) });
        }
    }
    None
}

/// The first half of a `Received` field.
struct Hop<'a> {
    client: Option<IpAddr>,
    helo: Option<&'a str>,
    /// The name of the client's address in the DNS.
    verified: Option<&'a str>,
}

/// Parts `from … by host …` outside of comments; a field without `from` has an empty first half.
fn halves(field: &str) -> Option<(&str, &str)> {
    let (mut depth, mut before) = (0_usize, 0);
    for (at, c) in field.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if c.is_whitespace() => before = at + c.len_utf8(),
            _ => {}
        }
        let rest = field.get(before..).unwrap_or_default();
        if depth == 0 && at == before && rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("by ")) {
            let host = rest.get(3..)?.trim_start();
            let host = host.split(|c: char| c.is_whitespace() || c == '(' || c == ';').next()?;
            let from = field.get(..before)?.trim();
            return Some((from.get(5..).unwrap_or_default(), host.trim_end_matches('.')));
        }
    }
    None
}

/// Reads `helo (name [1.2.3.4])` of Postfix and its like, and what Exim and Exchange make of it.
fn hop(from: &str) -> Hop<'_> {
    let (said, comment) = from.split_once('(').unwrap_or((from, ""));
    let comment = comment.split(')').next().unwrap_or_default();
    let said = said.trim();
    let name = comment.split(['[', ' ']).next().map(|name| name.trim_end_matches('.'));
    let verified = name.filter(|name| name.contains('.') && address(name).is_none());
    let greeting = comment.split([' ', '\t']).find_map(|word| word.strip_prefix("helo="));
    let client = literal(comment).or_else(|| address(comment.trim())).or_else(|| literal(said));
    // With `helo=`, what stands first is the name that Exim looked up.
    let exim = greeting.is_some();
    Hop {
        client,
        helo: greeting.or(Some(said).filter(|said| !exim && !said.is_empty())),
        verified: if exim {
            Some(said).filter(|said| said.contains('.') && !said.starts_with('['))
        } else {
            verified
        },
    }
}

/// Finds the first `[address]`.
fn literal(text: &str) -> Option<IpAddr> {
    let (_, rest) = text.split_once('[')?;
    address(rest.split(']').next()?)
}

fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .get(..5)
        .filter(|tag| tag.eq_ignore_ascii_case("ipv6:"))
        .and_then(|_| text.get(5..))
        .unwrap_or(text);
    bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Tells whether an address is of this machine or of a network that has no place in the world.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        IpAddr::V6(ip) => {
            ip == Ipv6Addr::LOCALHOST
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(fields: &[&str], trusted: &[&str]) -> Option<(String, String)> {
        let fields: Vec<_> = fields.iter().map(|value| ("Received", value.as_bytes())).collect();
        let headers = super::super::headers::Headers::new(fields.into_iter());
        let trusted: Vec<String> = trusted.iter().map(|host| (*host).to_owned()).collect();
        let found = border(&Message { headers, ..Message::default() }, &trusted)?;
        Some((found.client.to_string(), found.helo.unwrap_or_default()))
    }

    #[test]
    fn each_servers_way_of_writing_is_read() {
        let rest = "by mx.desk.example (Postfix) with ESMTPS id 4X for <a@b.example>; Fri, 27 Nov 2026 10:00:00 +0000";
        let cases = [
            ("from mail.x.example (mail.x.example [203.0.113.5])", "203.0.113.5", "mail.x.example"),
            ("from mail.x.example (unknown [IPv6:2001:db8::5])", "2001:db8::5", "mail.x.example"),
            ("from [198.51.100.1] (unknown [203.0.113.5])", "203.0.113.5", "[198.51.100.1]"),
            ("from [203.0.113.5] (helo=mail.x.example)", "203.0.113.5", "mail.x.example"),
            ("from a.x.example ([203.0.113.5] helo=mail.x.example)", "203.0.113.5", "mail.x.example"),
            ("from mail.x.example (203.0.113.5)", "203.0.113.5", "mail.x.example"),
            ("from evil (x by mx.other.example) (unknown [203.0.113.5])", "", ""),
        ];
        for (from, client, helo) in cases {
            let expected = (!client.is_empty()).then(|| (client.to_owned(), helo.to_owned()));
            assert_eq!(found(&[&format!("{from}\t{rest}")], &["MX.desk.example"]), expected, "{from}");
        }
    }

    #[test]
    fn only_what_our_hosts_wrote_is_believed() {
        let lmtp = "by imap.desk.example with LMTP id x; date";
        let by_name =
            "from mx.desk.example (mx.desk.example [192.0.2.8]) by imap.desk.example with ESMTP; date";
        let inner = "from scan (scan [10.0.0.3]) by imap.desk.example with ESMTP; date";
        let outer = "from mail.x.example (mail.x.example [203.0.113.5]) by mx.desk.example with ESMTP; date";
        let forged = "from good.example (good.example [198.51.100.9]) by mx.desk.example with ESMTP; date";
        let liar = "from mx.desk.example (unknown [203.0.113.6]) by mx.desk.example with ESMTP; date";
        let ours = ["mx.desk.example", "imap.desk.example"];
        let is = |ip: &str, helo: &str| Some((ip.to_owned(), helo.to_owned()));
        assert_eq!(found(&[lmtp, by_name, inner, outer, forged], &ours), is("203.0.113.5", "mail.x.example"));
        assert_eq!(found(&[liar, forged], &ours), is("203.0.113.6", "mx.desk.example"));
        assert_eq!(found(&[outer], &["other.example"]), None);
        assert_eq!(found(&[lmtp, outer], &["imap.desk.example"]), None);
        assert_eq!(found(&[lmtp], &ours), None);
        assert_eq!(found(&[], &ours), None);
    }

    proptest! {
        #[test]
        fn no_field_breaks_it(field in "[a-z\\[\\]()., :é=\\t]{0,60}( by mx[ (;])?.{0,30}") {
            let _ = found(&[&field], &["mx"]);
        }
    }
}
