//! Links whose text names one host and whose target is on another.

/// Longest host that is said, in characters.
const HOST_MAX: usize = 100;
/// Endings of files, which are no ends of a host where a text is a name alone.
const FILES: [&str; 16] = [
    "csv", "doc", "docx", "gif", "htm", "html", "jpeg", "jpg", "js", "md", "pdf", "png", "txt", "xls",
    "xlsx", "zip",
];

/// Gives the host that a link leads to, where its text looks like an address on another one.
pub(super) fn other_host(shown: &str, target: &str) -> Option<String> {
    let (leads, named) = (host_of(target)?, named_host(shown)?);
    let within = |inner: &str, outer: &str| inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.'));
    let same = leads == named || within(&leads, &named) || within(&named, &leads);
    (!same).then(|| leads.chars().take(HOST_MAX).map(|c| if is_of_host(c) { c } else { '?' }).collect())
}

fn is_of_host(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '[' | ']')
}

/// Gives the host of a URL as browsers read it, without `www.`.
fn host_of(url: &str) -> Option<String> {
    let lower = url.trim().to_lowercase();
    let (scheme, rest) = lower.split_once(':')?;
    let authority = match scheme {
        "mailto" => rest.split(['?', ',']).next().filter(|address| address.contains('@'))?,
        "http" | "https" | "ftp" => {
            rest.trim_start_matches(['/', '\\']).split(['/', '\\', '?', '#']).next()?
        }
        _ => return None,
    };
    let host = authority.rsplit('@').next()?;
    let host = if host.starts_with('[') { host.split(']').next()? } else { host.split(':').next()? };
    let host = host.trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    (!host.is_empty()).then(|| host.to_owned())
}

/// Gives the host that a text names: in an address that is written out, or as a name alone.
fn named_host(shown: &str) -> Option<String> {
    let text = shown.to_lowercase();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let written = |word: &str| {
        let word = bare(word);
        match word.starts_with("www.") {
            true => host_of(&format!("http://{word}")),
            false => host_of(&word).filter(|_| word.contains("://")),
        }
    };
    let alone = |text: &str| {
        let name = bare(text);
        let host = host_of(&format!("http://{name}"))?;
        let labels: Vec<&str> = host.split('.').collect();
        let last = labels.last()?;
        let fits = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
        let ends = last.chars().count() > 1 && last.chars().all(char::is_alphabetic) && !FILES.contains(last);
        (labels.len() > 1 && labels.iter().all(fits) && ends).then_some(host)
    };
    text.split_whitespace().find_map(written).or_else(|| alone(&text))
}

#[cfg(test)]
mod tests {
    use super::other_host;

    #[test]
    fn a_text_that_names_another_host_is_found() {
        for (shown, target, host) in [
            ("https://bank.example", "https://evil.example/login", "evil.example"),
            ("HTTPS://Bank.example/login", "http://evil.example", "evil.example"),
            ("www.bank.example", "https://evil.example/www.bank.example", "evil.example"),
            ("bank.example/login", "https://evil.example/", "evil.example"),
            ("**bank.example**", "https://evil.example/", "evil.example"),
            ("log in at https://bank.example now", "https://evil.example/", "evil.example"),
            ("https://bank.example", "https://bank.example@evil.example/", "evil.example"),
            ("https://bank.example", "https:\\\\evil.example\\@bank.example", "evil.example"),
            ("https://bank.example", "https://bank.example.evil.example/", "bank.example.evil.example"),
            ("https://bank.example", "https://mybank.example/", "mybank.example"),
            ("help@bank.example", "mailto:help@evil.example?subject=x", "evil.example"),
            ("https://bank.example", "https://192.0.2.7:8080/", "192.0.2.7"),
            ("https://bank.example", "https://ev<il.example/", "ev?il.example"),
        ] {
            assert_eq!(other_host(shown, target).as_deref(), Some(host), "{shown} {target}");
        }
    }

    #[test]
    fn words_and_the_same_host_are_left_alone() {
        for (shown, target) in [
            ("here", "https://evil.example/"),
            ("https://bank.example", "https://www.bank.example:443/login"),
            ("bank.example", "https://login.bank.example/"),
            ("www.bank.example", "http://bank.example"),
            ("report.pdf", "https://files.example/report.pdf"),
            ("version 1.2.3", "https://files.example/"),
            ("1.2.3", "https://files.example/"),
            ("e.g.", "https://files.example/"),
            ("Read more at once.", "https://files.example/"),
            ("+49 30 1234", "tel:+49301234"),
            ("help@bank.example", "mailto:help@bank.example"),
        ] {
            assert_eq!(other_host(shown, target), None, "{shown} {target}");
        }
    }
}
