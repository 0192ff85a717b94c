//! What a trusted server found out about the sender (RFC 8601).

use super::message::Message;

/// Gives the results of the topmost `Authentication-Results` of a server that is trusted, as
/// `dmarc=pass spf=pass dkim=pass`; anybody can write such a field, so others mean nothing.
pub fn authentication(message: &Message, trusted: &[String]) -> Option<String> {
    let field = message.header_all("Authentication-Results").find(|field| {
        let id = field.split([';', ' ', '\t']).next().unwrap_or_default();
        trusted.iter().any(|trusted| trusted.eq_ignore_ascii_case(id))
    })?;
    let results = without_comments(field);
    let words = ["dmarc", "spf", "dkim"].iter().filter_map(|method| result(&results, method));
    let text = words.collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// Gives `method=result` for one method; of several, a pass wins, as one good signature is enough.
fn result(field: &str, method: &str) -> Option<String> {
    let results = field.split(';').skip(1).filter_map(|part| {
        let (name, rest) = part.trim().split_once('=')?;
        let name = name.split('/').next().unwrap_or(name).trim();
        let word = rest.split_whitespace().next()?;
        let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        name.eq_ignore_ascii_case(method).then(|| word.to_ascii_lowercase())
    });
    let results: Vec<String> = results.filter(|word| !word.is_empty()).collect();
    let best = results.iter().find(|word| *word == "pass").or_else(|| results.first())?;
    Some(format!("{method}={best}"))
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
        let headers = super::super::headers::Headers::new(&headers);
        let message = Message { headers, ..Message::default() };
        let trusted = |id: &str| authentication(&message, &[id.to_owned()]);
        assert_eq!(trusted("MX.example").as_deref(), Some("dmarc=none spf=fail dkim=pass"));
        assert_eq!(trusted("other.example"), None);
        assert_eq!(authentication(&message, &[]), None);
    }
}
