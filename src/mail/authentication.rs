//! What a trusted server found out about the sender (RFC 8601).

use super::message::Message;
use crate::domain::EmailAddress;

/// Gives the results of the topmost `Authentication-Results` of a server that is trusted, as
/// `dmarc=pass spf=pass dkim=pass`; anybody can write such a field, so others mean nothing.
pub fn authentication(message: &Message, trusted: &[String]) -> Option<String> {
    let results = results(trusted_field(message, trusted)?);
    let words = ["dmarc", "spf", "dkim"].iter().filter_map(|method| result(&results, method));
    let text = words.collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// Gives what the topmost trusted server says of DMARC, in one word; where it says several, the worst.
///
/// `None` where it says nothing about it, or not that it speaks of the domain of the author.
pub fn dmarc_word(message: &Message, trusted: &[String], author: &EmailAddress) -> Option<String> {
    let results = results(trusted_field(message, trusted)?);
    let dmarc: Vec<_> = results.iter().filter(|words| method_of(words) == Some("dmarc")).collect();
    let mut domains = dmarc.iter().flat_map(|words| words.iter()).filter_map(|word| {
        let (name, value) = word.split_once('=')?;
        name.eq_ignore_ascii_case("header.from").then(|| value.to_ascii_lowercase())
    });
    let is_authors = |domain: String| domain == author.domain() || domain == author.key();
    if !domains.next().is_some_and(is_authors) || !domains.all(is_authors) {
        return None;
    }
    let mut words = dmarc.iter().filter_map(|words| word_of(words));
    let first = words.next()?;
    Some(if first == "pass" { words.find(|word| word != "pass").unwrap_or(first) } else { first })
}

fn trusted_field<'a>(message: &'a Message, trusted: &[String]) -> Option<&'a str> {
    message.header_all("Authentication-Results").find(|field| {
        let id = field.split([';', ' ', '\t']).next().unwrap_or_default();
        trusted.iter().any(|trusted| trusted.eq_ignore_ascii_case(id))
    })
}

/// Gives the author of a mail that has one field From with one address in it, and no more.
///
/// A second one is how somebody shows one author to the checks and another to the reader.
pub fn only_author(message: &Message) -> Option<&EmailAddress> {
    let mut fields = message.header_all("From");
    let (first, second) = (fields.next()?, fields.next());
    let bare = without_quoted(&without_comments(first));
    let several = bare.contains([',', ';']) || bare.matches('@').count() != 1;
    let author = message.from.as_ref().map(|from| &from.email)?;
    (second.is_none() && !several && bare.to_lowercase().contains(&author.key())).then_some(author)
}

/// Takes out what stands in quotation marks.
fn without_quoted(field: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    field
        .chars()
        .filter(|c| {
            let mark = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            quoted ^= mark;
            !quoted && !mark
        })
        .collect()
}

/// Gives `method=result` for one method; of several, a pass wins, as one good signature is enough.
fn result(results: &[Vec<String>], method: &str) -> Option<String> {
    let words =
        results.iter().filter(|words| method_of(words) == Some(method)).filter_map(|words| word_of(words));
    let words: Vec<String> = words.collect();
    let best = words.iter().find(|word| *word == "pass").or_else(|| words.first())?;
    Some(format!("{method}={best}"))
}

/// Gives the method that a result is about, without its version.
fn method_of(words: &[String]) -> Option<&'static str> {
    let name = words.first()?.split(['=', '/']).next()?;
    ["dmarc", "spf", "dkim"].into_iter().find(|known| name.eq_ignore_ascii_case(known))
}

/// Gives the word that a result ends in, such as `pass`.
fn word_of(words: &[String]) -> Option<String> {
    let (_, word) = words.first()?.split_once('=')?;
    let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    (!word.is_empty()).then(|| word.to_ascii_lowercase())
}

/// Takes a field apart: its results behind the server's name, each in words (RFC 8601, section 2.2).
///
/// What stands in quotation marks is never taken apart, since others choose it; comments go.
fn results(field: &str) -> Vec<Vec<String>> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut results: Vec<Vec<String>> = vec![vec![String::new()]];
    for c in field.chars() {
        let was = std::mem::take(&mut escaped);
        let (letter, cut) = match c {
            _ if was => (depth == 0, false),
            '\\' if quoted || depth > 0 => {
                escaped = true;
                (false, false)
            }
            '"' if depth == 0 => {
                quoted = !quoted;
                (false, false)
            }
            '(' if !quoted => {
                depth += 1;
                (false, false)
            }
            ')' if !quoted && depth > 0 => {
                depth -= 1;
                (false, false)
            }
            _ if depth > 0 => (false, false),
            ';' if !quoted => (false, true),
            c if c.is_whitespace() && !quoted => {
                results.last_mut().into_iter().for_each(|words| words.push(String::new()));
                (false, false)
            }
            _ => (true, false),
        };
        if cut {
            results.push(vec![String::new()]);
        }
        if letter && let Some(word) = results.last_mut().and_then(|words| words.last_mut()) {
            word.push(c);
        }
    }
    let words = |words: Vec<String>| words.into_iter().filter(|word| !word.is_empty()).collect();
    results.into_iter().skip(1).map(words).collect()
}

/// Takes out what stands in parentheses.
fn without_comments(field: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::with_capacity(field.len());
    for c in field.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_server_is_believed_and_only_its_topmost_word() {
        let headers = [
            ("Authentication-Results", "evil.example; dmarc=pass"),
            (
                "Authentication-Results",
                "mx.example 1; spf=fail (a=b; c) smtp.mailfrom=x; dkim=fail; dkim=pass header.d=x; dmarc=none",
            ),
            ("Authentication-Results", "mx.example; dmarc=pass"),
        ];
        let headers = headers.map(|(name, value)| (name, value.as_bytes()));
        let headers = super::super::headers::Headers::new(headers.into_iter());
        let message = Message { headers, ..Message::default() };
        let trusted = |id: &str| authentication(&message, &[id.to_owned()]);
        assert_eq!(trusted("MX.example").as_deref(), Some("dmarc=none spf=fail dkim=pass"));
        assert_eq!(trusted("other.example"), None);
        assert_eq!(authentication(&message, &[]), None);
    }
    fn with(headers: &[(&str, &str)], from: &str) -> Message {
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let headers = super::super::headers::Headers::new(headers.into_iter());
        let email = EmailAddress::parse(from).unwrap();
        Message { headers, from: Some(crate::domain::Mailbox { name: None, email }), ..Message::default() }
    }

    #[test]
    fn what_is_said_of_another_domain_says_nothing_of_the_author() {
        let trusted = ["mx.example".to_owned()];
        let mia = EmailAddress::parse("mia@staff.example").unwrap();
        for (field, word) in [
            ("mx.example; dmarc=pass (p=none) header.from=staff.example", Some("pass")),
            ("mx.example; dmarc=pass header.from=\"Staff.Example\"", Some("pass")),
            ("mx.example; spf=pass; dmarc=fail header.from=staff.example", Some("fail")),
            ("mx.example; dmarc=pass header.from=evil.example", None),
            ("mx.example; dmarc=pass header.from=staff.example; dmarc=pass header.from=evil.example", None),
            ("mx.example; dkim=pass", None),
            ("mx.example; dmarc=pass", None),
            (
                "mx.example; dmarc=fail header.from=staff.example; dmarc=pass header.from=staff.example",
                Some("fail"),
            ),
            (
                "mx.example; dmarc=pass header.from=staff.example; dmarc=fail header.from=staff.example",
                Some("fail"),
            ),
            // What a stranger puts into the address of the envelope.
            (
                "mx.example; spf=pass smtp.mailfrom=\"x; dmarc=pass header.from=staff.example; y\"@evil.example; \
                 dmarc=fail header.from=staff.example",
                Some("fail"),
            ),
            (
                "mx.example; spf=pass smtp.mailfrom=\"x\\\"; dmarc=pass header.from=staff.example; y\"@evil.example",
                None,
            ),
            ("mx.example; spf=pass (\\) ; dmarc=pass header.from=staff.example) smtp.mailfrom=x", None),
            ("evil.example; dmarc=pass", None),
        ] {
            let message = with(&[("Authentication-Results", field)], "mia@staff.example");
            assert_eq!(dmarc_word(&message, &trusted, &mia).as_deref(), word, "{field}");
        }
    }

    #[test]
    fn a_mail_with_two_authors_has_none() {
        let one = |fields: &[&str]| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|field| ("From", *field)).collect();
            only_author(&with(&fields, "mia@staff.example")).is_some()
        };
        assert!(
            one(&["Mia <Mia@staff.example>"]) && one(&["\"mia, x@y.example\" <mia@staff.example> (at work)"])
        );
        for odd in [
            &["mia@staff.example", "mia@staff.example"][..],
            &["mia@staff.example, eve@evil.example"],
            &["eve@evil.example"],
            &["staff: mia@staff.example;"],
            &["mia@staff.example <eve@evil.example>"],
        ] {
            assert!(!one(odd), "{odd:?}");
        }
    }
}
