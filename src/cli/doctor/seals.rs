//! Whether `gpg` and `gpgsm` run where the config names them, and whether the key for signing works.

use super::Findings;
use crate::crypt::Crypt;
use crate::domain::SealKind;

/// Looks at each program that is switched on, and makes a trial signature where mail is to be signed.
pub async fn look(crypt: &Crypt, findings: &mut Findings) {
    for kind in [SealKind::Pgp, SealKind::Smime].into_iter().filter(|kind| crypt.reads(*kind)) {
        let section = match kind {
            SealKind::Pgp => "pgp",
            SealKind::Smime => "smime",
        };
        match crypt.check(kind).await {
            Ok(version) => findings.ok(kind.name(), version),
            Err(error) => {
                let cure = format!("install GnuPG, or correct `command` in [{section}]");
                findings.fail(kind.name(), error.to_string(), Some(cure));
                continue;
            }
        }
        if crypt.signs() == Some(kind) {
            let step = format!("{}: signing", kind.name());
            match crypt.sign(b"a trial\r\n").await {
                Ok(made) => findings.ok(step, format!("a trial signature was made ({})", made.micalg)),
                Err(error) => {
                    let cure = format!(
                        "`key` and `home` in [{section}] must lead to a secret key without a passphrase, or \
                         with one that gpg-agent holds; until then outgoing mail is held"
                    );
                    findings.fail(step, error.to_string(), Some(cure));
                }
            }
        }
    }
}
