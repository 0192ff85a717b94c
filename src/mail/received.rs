//! Who handed a mail to us: what the Received field of our border host says (RFC 5321, section 4.4).

use super::message::Message;
use std::net::IpAddr;

/// The host that handed a mail to our border host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Border {
    pub client: IpAddr,
    /// What it called itself.
    pub helo: Option<String>,
}

/// Finds who handed a mail to the outermost of our hosts that wrote a Received field.
///
/// Fields are read from the top, as long as a trusted host wrote them: what stands below was written by
/// strangers. Hand-overs within a machine or a private network are passed by.
pub fn border(message: &Message, trusted: &[String]) -> Option<Border> {
    let ours = |field: &&str| {
        let by = word_after(field, "by").unwrap_or_default().trim_end_matches([';', '.']);
        trusted.iter().any(|host| host.eq_ignore_ascii_case(by))
    };
    let outside = message.header_all("Received").take_while(ours).filter_map(hand_over);
    outside.filter(|border| is_public(border.client)).last()
}

fn hand_over(field: &str) -> Option<Border> {
    let from = field.split(" by ").next()?;
    let client = from.split(['[', ']', '(', ')', ' ']).find_map(|word| {
        let word = word.strip_prefix("IPv6:").unwrap_or(word);
        word.parse::<IpAddr>().ok()
    })?;
    let helo = word_after(field, "from").map(|word| word.trim_matches(['[', ']']).to_owned());
    Some(Border { client, helo })
}

fn word_after<'a>(field: &'a str, name: &str) -> Option<&'a str> {
    let mut words = field.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case(name))?;
    words.next()
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_private() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unique_local() && !ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[&str]) -> Option<(String, Option<String>)> {
        let headers = fields.iter().map(|field| ("Received".to_owned(), (*field).to_owned())).collect();
        let message = Message { headers, ..Message::default() };
        let trusted = ["mx.example.com".to_owned(), "imap.example.com".to_owned()];
        border(&message, &trusted).map(|b| (b.client.to_string(), b.helo))
    }

    #[test]
    fn the_outermost_of_our_hosts_is_believed_and_no_host_behind_it() {
        let inner = "from mx.example.com (mx.example.com [10.0.0.2]) by imap.example.com with LMTP; x";
        let outer = "from mail.a.example (unknown [198.51.100.7]) by mx.example.com (Postfix) with ESMTP; x";
        let forged = "from trusted.example ([203.0.113.9]) by mail.a.example; x";
        let found = Some(("198.51.100.7".to_owned(), Some("mail.a.example".to_owned())));
        assert_eq!(of(&[inner, outer, forged]), found);
        assert_eq!(of(&[outer]), found);
        assert_eq!(of(&[forged, outer]), None, "a stranger's field stands on top");
        assert_eq!(of(&[inner]), None, "it never left our network");
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn odd_fields_are_read_as_far_as_they_go() {
        let six = "from [IPv6:2001:db8::1] (x [IPv6:2001:db8::1]) by mx.example.com; x";
        assert_eq!(of(&[six]).map(|(ip, _)| ip).as_deref(), Some("2001:db8::1"));
        for odd in ["", "by", "from", "from x by mx.example.com", "((((", "from [1.2.3] by mx.example.com"] {
            assert_eq!(of(&[odd]), None, "{odd}");
        }
    }
}
