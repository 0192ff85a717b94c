//! What filters on the way wrote into a mail's header about spam.
//!
//! Whoever sends a mail can write such fields as well. So they can only say that it is spam, which nobody
//! forges for a mail of his own; a field that calls a mail wanted means nothing.

use crate::domain::{FILTER_FIELDS, Finding, Judge, Opinion};

/// Characters of a field that are shown.
const SHOWN_MAX: usize = 120;
/// From here Exchange takes a mail for spam (its levels go to 9).
const SCL_SPAM: i32 = 5;
/// What Exchange calls kinds of unwanted mail.
const CATEGORIES: &[&str] =
    &["spm", "hspm", "phsh", "hphsh", "hphish", "malw", "spoof", "uimp", "dimp", "gimp", "ospm"];
/// Why Exchange has filtered a mail: its contents, or a rule of its administrator.
const VERDICTS: &[&str] = &["spm", "skb", "sks", "blk"];

/// Gives what the filters say whose fields are trusted (names in lower case); `field` gives the topmost field of a
/// name. `None` where there is no such field.
pub fn headers<'a>(field: impl Fn(&str) -> Option<&'a str>, trusted: &[String]) -> Option<Opinion> {
    let known = FILTER_FIELDS.iter().filter(|name| trusted.iter().any(|trusted| trusted == *name));
    let found = known.filter_map(|name| Some((*name, field(name)?)));
    let found: Vec<(&str, &str)> = found.collect();
    let spam = found.iter().find(|(name, value)| is_spam(name, &value.to_lowercase()));
    let (finding, (name, value)) = match spam {
        Some(field) => (Finding::Spam, field),
        None => (Finding::Unsure, found.first()?),
    };
    let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    let value: String = value.chars().take(SHOWN_MAX).collect();
    Some(Opinion { by: Judge::Headers, finding, words: format!("{name}: {value}") })
}

/// Tells whether a field, in lower case, calls the mail spam.
fn is_spam(name: &str, value: &str) -> bool {
    let value = value.trim();
    let first = value.split([',', ';', ' ', '\t']).next().unwrap_or_default();
    match name {
        // `default: True [15.20 / 15.00]; …`
        "x-spamd-result" => {
            value.split_once(':').is_some_and(|(_, rest)| rest.trim_start().starts_with("true"))
        }
        "x-rspamd-action" => ["reject", "add header", "rewrite subject", "discard"].contains(&value),
        "x-spam" | "x-spam-flag" | "x-spam-status" | "x-barracuda-spam-flag" => {
            ["yes", "true"].contains(&first)
        }
        "x-gm-spam" | "x-gm-phishy" => first == "1",
        "x-ms-exchange-organization-scl" => level(first),
        "x-forefront-antispam-report" => {
            value.split(';').filter_map(|part| part.split_once(':')).any(exchange)
        }
        _ => false,
    }
}

/// Reads one part of Exchange's report: `SCL:9`, `SFV:SPM`, `CAT:PHSH`.
fn exchange((key, value): (&str, &str)) -> bool {
    let value = value.trim();
    match key.trim() {
        "scl" => level(value),
        "sfv" => VERDICTS.contains(&value),
        "cat" => CATEGORIES.contains(&value),
        _ => false,
    }
}

fn level(text: &str) -> bool {
    text.parse::<i32>().is_ok_and(|level| level >= SCL_SPAM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(fields: &[(&str, &str)], trusted: &[&str]) -> Option<(Finding, String)> {
        let field = |name: &str| fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| *v);
        let trusted: Vec<String> = trusted.iter().map(|name| (*name).to_owned()).collect();
        headers(field, &trusted).map(|opinion| (opinion.finding, opinion.words))
    }

    #[test]
    fn each_filter_is_understood() {
        let cases = [
            ("X-Spamd-Result", "default: True [15.20 / 15.00];\t BAYES_SPAM(5.10)[99.9%]", true),
            ("X-Spamd-Result", "default: False [-0.10 / 15.00]; True[x]", false),
            ("X-Rspamd-Action", "add header", true),
            ("X-Rspamd-Action", "no action", false),
            ("X-Spam", "Yes", true),
            ("X-Spam-Flag", "YES", true),
            ("X-Spam-Flag", "NO", false),
            ("X-Spam-Status", "Yes, score=12.3 required=5.0 tests=BAYES_99", true),
            ("X-Spam-Status", "No, score=-1.0 required=5.0 tests=YES", false),
            (
                "X-Forefront-Antispam-Report",
                "CIP:192.0.2.1;CTRY:;LANG:en;SCL:9;SRV:;IPV:NLI;SFV:SPM;CAT:HSPM",
                true,
            ),
            ("X-Forefront-Antispam-Report", "CIP:192.0.2.1;SCL:1;SFV:NSPM;CAT:NONE", false),
            ("X-Forefront-Antispam-Report", "SCL:-1;SFV:SKN;CAT:PHSH", true),
            ("X-MS-Exchange-Organization-SCL", "6", true),
            ("X-MS-Exchange-Organization-SCL", "-1", false),
            ("X-Gm-Spam", "1", true),
            ("X-Gm-Phishy", "0", false),
            ("X-Barracuda-Spam-Flag", "YES", true),
        ];
        for (name, value, spam) in cases {
            let (finding, words) = found(&[(name, value)], FILTER_FIELDS).unwrap();
            let expected = if spam { Finding::Spam } else { Finding::Unsure };
            assert_eq!(finding, expected, "{name}: {value}");
            assert!(words.starts_with(&name.to_lowercase()), "{words}");
        }
    }

    #[test]
    fn nothing_in_a_header_makes_a_mail_wanted_and_only_trusted_fields_count() {
        let headers = [("X-Spam-Status", "No, score=-9"), ("X-Spam-Flag", "YES"), ("X-Spam-Flag", "NO")];
        assert_eq!(found(&headers, &["x-spam-flag"]), Some((Finding::Spam, "x-spam-flag: YES".into())));
        assert_eq!(
            found(&headers, &["x-spam-status"]),
            Some((Finding::Unsure, "x-spam-status: No, score=-9".into()))
        );
        assert_eq!(found(&headers, &["x-spam"]), None);
        assert_eq!(found(&headers, &[]), None);
        // The topmost field is the nearest filter's.
        assert_eq!(found(&[("X-Spam", "no"), ("X-Spam", "yes")], FILTER_FIELDS).unwrap().0, Finding::Unsure);
    }
}
