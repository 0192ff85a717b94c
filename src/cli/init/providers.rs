//! The providers that many addresses belong to: their servers and what is peculiar about them.

use crate::config::{Encryption, is_loopback};

/// Where a provider's server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub host: &'static str,
    pub port: u16,
    pub encryption: Encryption,
}

/// A provider.
#[derive(Debug)]
pub(super) struct Provider {
    pub name: &'static str,
    /// Domains of addresses; one that ends with a dot stands for every country, `yahoo.`.
    domains: &'static [&'static str],
    pub imap: Place,
    pub smtp: Place,
    /// Whether mail for `address+anything` reaches `address`.
    pub plus: bool,
    /// Whether it takes access tokens only.
    pub token: bool,
    /// Its word in `oauth = { provider = … }`, where it lets people sign in for us.
    pub oauth: Option<&'static str>,
    /// What one has to do there before a program may log in.
    pub advice: &'static str,
}

const fn tls(host: &'static str, port: u16) -> Place {
    Place { host, port, encryption: Encryption::Implicit }
}

const fn start_tls(host: &'static str, port: u16) -> Place {
    Place { host, port, encryption: Encryption::StartTls }
}

const PROVIDERS: &[Provider] = &[
    Provider {
        name: "Gmail",
        domains: &["gmail.com", "googlemail.com"],
        imap: tls("imap.gmail.com", 993),
        smtp: tls("smtp.gmail.com", 465),
        plus: true,
        token: false,
        oauth: Some("google"),
        advice: "Google wants an app password: https://myaccount.google.com/apppasswords (after 2-step \
                 verification is on), or that you sign in with an application of your own",
    },
    Provider {
        name: "Outlook.com",
        domains: &["outlook.", "hotmail.", "live.", "msn.com"],
        imap: tls("outlook.office365.com", 993),
        smtp: start_tls("smtp-mail.outlook.com", 587),
        plus: true,
        token: true,
        oauth: Some("microsoft"),
        advice: "Microsoft takes no passwords here: sign in with an application of your own, or have a command \
                 that prints an OAuth2 access token",
    },
    Provider {
        name: "Microsoft 365",
        domains: &["onmicrosoft.com"],
        imap: tls("outlook.office365.com", 993),
        smtp: start_tls("smtp.office365.com", 587),
        plus: true,
        token: true,
        oauth: Some("microsoft"),
        advice: "Microsoft takes no passwords here: sign in with an application of your own, or have a command \
                 that prints an OAuth2 access token; the administrator must allow SMTP AUTH for the mailbox",
    },
    Provider {
        name: "Fastmail",
        domains: &["fastmail.com", "fastmail.fm", "fastmail.net", "fastmail.org", "sent.com", "pobox.com"],
        imap: tls("imap.fastmail.com", 993),
        smtp: tls("smtp.fastmail.com", 465),
        plus: true,
        token: false,
        oauth: None,
        advice: "Fastmail wants an app password: Settings, Privacy & Security, app passwords",
    },
    Provider {
        name: "Yahoo",
        domains: &["yahoo.", "ymail.com", "rocketmail.com"],
        imap: tls("imap.mail.yahoo.com", 993),
        smtp: tls("smtp.mail.yahoo.com", 465),
        plus: false,
        token: false,
        oauth: None,
        advice: "Yahoo wants an app password: Account security, app password",
    },
    Provider {
        name: "AOL",
        domains: &["aol.com"],
        imap: tls("imap.aol.com", 993),
        smtp: tls("smtp.aol.com", 465),
        plus: false,
        token: false,
        oauth: None,
        advice: "AOL wants an app password: Account security, app password",
    },
    Provider {
        name: "iCloud",
        domains: &["icloud.com", "me.com", "mac.com"],
        imap: tls("imap.mail.me.com", 993),
        smtp: start_tls("smtp.mail.me.com", 587),
        plus: true,
        token: false,
        oauth: None,
        advice: "Apple wants an app-specific password: https://account.apple.com, Sign-In and Security",
    },
    Provider {
        name: "GMX",
        domains: &["gmx.de", "gmx.net", "gmx.at", "gmx.ch"],
        imap: tls("imap.gmx.net", 993),
        smtp: tls("mail.gmx.net", 465),
        plus: false,
        token: false,
        oauth: None,
        advice: "GMX must be told to allow IMAP: E-Mail settings, POP3/IMAP",
    },
    Provider {
        name: "GMX",
        domains: &["gmx."],
        imap: tls("imap.gmx.com", 993),
        smtp: tls("mail.gmx.com", 465),
        plus: false,
        token: false,
        oauth: None,
        advice: "GMX must be told to allow IMAP: E-Mail settings, POP3/IMAP",
    },
    Provider {
        name: "WEB.DE",
        domains: &["web.de"],
        imap: tls("imap.web.de", 993),
        smtp: start_tls("smtp.web.de", 587),
        plus: false,
        token: false,
        oauth: None,
        advice: "WEB.DE must be told to allow IMAP: E-Mail settings, POP3/IMAP",
    },
    Provider {
        name: "Zoho",
        domains: &["zoho.eu", "zohomail.eu"],
        imap: tls("imap.zoho.eu", 993),
        smtp: tls("smtp.zoho.eu", 465),
        plus: true,
        token: false,
        oauth: None,
        advice: "Zoho must be told to allow IMAP, and wants an app password where 2-factor login is on",
    },
    Provider {
        name: "Zoho",
        domains: &["zoho.com", "zohomail.com"],
        imap: tls("imap.zoho.com", 993),
        smtp: tls("smtp.zoho.com", 465),
        plus: true,
        token: false,
        oauth: None,
        advice: "Zoho must be told to allow IMAP, and wants an app password where 2-factor login is on",
    },
    Provider {
        name: "mailbox.org",
        domains: &["mailbox.org"],
        imap: tls("imap.mailbox.org", 993),
        smtp: tls("smtp.mailbox.org", 465),
        plus: true,
        token: false,
        oauth: None,
        advice: "mailbox.org wants an app password where 2-factor login is on",
    },
    Provider {
        name: "Posteo",
        domains: &["posteo.de", "posteo.net", "posteo."],
        imap: tls("posteo.de", 993),
        smtp: tls("posteo.de", 465),
        plus: true,
        token: false,
        oauth: None,
        advice: "Posteo takes the password of the account, unless extra mailbox protection is on",
    },
    Provider {
        name: "Proton Mail",
        domains: &["proton.me", "protonmail.com", "protonmail.ch", "pm.me"],
        imap: start_tls("127.0.0.1", 1143),
        smtp: start_tls("127.0.0.1", 1025),
        plus: true,
        token: false,
        oauth: None,
        advice: "Proton Mail is reached by its Bridge on this machine: take the password that the Bridge \
                 shows, and its certificate with --ca-file",
    },
    Provider {
        name: "T-Online",
        domains: &["t-online.de", "magenta.de"],
        imap: tls("secureimap.t-online.de", 993),
        smtp: tls("securesmtp.t-online.de", 465),
        plus: false,
        token: false,
        oauth: None,
        advice: "T-Online wants the password for mail programs, which is not that of the account",
    },
];

/// Finds the provider of an address by its domain.
pub(super) fn of(domain: &str) -> Option<&'static Provider> {
    let domain = domain.to_lowercase();
    let is_of = |known: &&str| match known.strip_suffix('.') {
        Some(_) => domain.strip_prefix(*known).is_some_and(is_country),
        None => domain == **known || domain.ends_with(&format!(".{known}")),
    };
    PROVIDERS.iter().find(|provider| provider.domains.iter().any(is_of))
}

/// Tells whether what stands behind a name is a country or the like: `fr`, `co.uk`, `com`.
fn is_country(rest: &str) -> bool {
    let letters = |word: &str| (2..=3).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase());
    rest.split('.').count() <= 2 && rest.split('.').all(letters)
}

/// Finds the provider of a server that somebody names.
pub(super) fn of_server(host: &str) -> Option<&'static Provider> {
    let host = host.to_lowercase();
    let remote = !is_loopback(&host);
    PROVIDERS.iter().find(|p| remote && (p.imap.host == host || p.smtp.host == host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_known_by_its_domains_and_by_no_other() {
        for (domain, name) in [
            ("gmail.com", "Gmail"),
            ("GoogleMail.com", "Gmail"),
            ("hotmail.co.uk", "Outlook.com"),
            ("live.nl", "Outlook.com"),
            ("acme.onmicrosoft.com", "Microsoft 365"),
            ("yahoo.com.br", "Yahoo"),
            ("me.com", "iCloud"),
            ("gmx.de", "GMX"),
            ("gmx.fr", "GMX"),
            ("zoho.eu", "Zoho"),
            ("mailbox.org", "mailbox.org"),
        ] {
            assert_eq!(of(domain).map(|p| p.name), Some(name), "{domain}");
        }
        for domain in
            ["example.com", "notgmail.com", "live.example.com", "yahoo.evil.example", "gmail.com.x", ""]
        {
            assert!(of(domain).is_none(), "{domain}");
        }
        assert_eq!(of("gmx.at").unwrap().imap.host, "imap.gmx.net");
    }

    #[test]
    fn a_provider_is_known_by_its_servers_unless_they_are_this_machine() {
        assert_eq!(of_server("SMTP.office365.com").unwrap().name, "Microsoft 365");
        assert!(of_server("127.0.0.1").is_none() && of_server("imap.example.com").is_none());
    }
}
