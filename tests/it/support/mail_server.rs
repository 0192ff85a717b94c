//! A throw-away Dovecot and Postfix on loopback ports, shared by all tests of one process.
//!
//! Postfix delivers `name@…`, `name+anything@…` of the domains below into the Maildir of `name`, which
//! Dovecot serves; every name has one and the password `secret`. Each test uses names of its own.
//! Watched from outside: when the test process ends, however it ends, the servers are stopped and the
//! folder is removed.

use std::{
    fs,
    io::{self, Seek},
    net::{TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Domains whose mail is delivered here.
pub const DOMAINS: &str = "desk.test customer.test staff.test";
/// `…@refused.test` is refused for good at RCPT, `…@later.test` for now.
const REFUSED: &str = "refused.test later.test";

static SERVER: OnceLock<MailServer> = OnceLock::new();
static MAILS: AtomicU64 = AtomicU64::new(0);

/// The servers, with their ports and folders.
pub struct MailServer {
    folder: PathBuf,
    imap: u16,
    imaps: u16,
    smtp: u16,
    smtps: u16,
    submission: u16,
    /// Postfix takes two seconds to start, so only those wait who need it.
    postfix: OnceLock<()>,
    /// Ends the servers when its input ends, which is when this process does.
    _watchdog: Child,
}

/// A mail account: what a client needs, and where its mail lies.
pub struct Account {
    pub user: String,
    pub password: &'static str,
    pub maildir: PathBuf,
}

impl MailServer {
    /// Gives the servers of this process; the first call starts them.
    pub fn get() -> &'static Self {
        SERVER.get_or_init(Self::start)
    }

    /// IMAP without TLS, and with STARTTLS.
    pub fn imap_port(&self) -> u16 {
        self.imap
    }

    /// IMAP with TLS from the start.
    pub fn imaps_port(&self) -> u16 {
        self.imaps
    }

    /// SMTP without login, as an MX; STARTTLS is offered.
    pub fn smtp_port(&self) -> u16 {
        self.postfix.get_or_init(|| self.start_postfix());
        self.smtp
    }

    /// SMTP with TLS from the start; wants a login.
    pub fn smtps_port(&self) -> u16 {
        self.postfix.get_or_init(|| self.start_postfix());
        self.smtps
    }

    /// SMTP with STARTTLS; wants a login, and TLS before it.
    pub fn submission_port(&self) -> u16 {
        self.postfix.get_or_init(|| self.start_postfix());
        self.submission
    }

    /// The program that takes mail on its standard input, with its arguments.
    pub fn sendmail(&self) -> Vec<String> {
        self.postfix.get_or_init(|| self.start_postfix());
        ["/usr/sbin/sendmail", "-C", &self.path("postfix"), "-i"].map(str::to_owned).to_vec()
    }

    /// The certificate of both servers, for `ca_file`.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("tls.pem")
    }

    /// Gives the account of a name, with an empty Maildir when it is new.
    pub fn user(&self, name: &str) -> Account {
        let maildir = self.folder.join("mail").join(name);
        for part in ["", "new", "cur", "tmp"] {
            let part = maildir.join(part);
            fs::create_dir_all(&part).unwrap();
            owned_by_mail(&part);
        }
        Account { user: name.to_owned(), password: "secret", maildir }
    }

    /// Puts a mail into a user's Maildir, as an MTA does.
    pub fn deliver(&self, name: &str, bytes: &[u8]) {
        let maildir = self.user(name).maildir;
        let count = MAILS.fetch_add(1, Ordering::Relaxed);
        let file = format!("{}.M{count}P{}.test", 1_700_000_000 + count, std::process::id());
        let tmp = maildir.join("tmp").join(&file);
        fs::write(&tmp, bytes).unwrap();
        owned_by_mail(&tmp);
        fs::rename(tmp, maildir.join("new").join(file)).unwrap();
    }

    /// Gives the mails that lie in a user's INBOX, read or not, oldest first.
    pub fn mails(&self, name: &str) -> Vec<Vec<u8>> {
        let maildir = self.user(name).maildir;
        let parts = ["new", "cur"].map(|part| fs::read_dir(maildir.join(part)).unwrap());
        let mut paths: Vec<_> = parts.into_iter().flatten().map(|e| e.unwrap().path()).collect();
        paths.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
        paths.iter().filter_map(|path| fs::read(path).ok()).collect()
    }

    /// Gives what Postfix wrote down of a user's mail, and what it still has.
    pub fn log_of(&self, name: &str) -> String {
        let log = fs::read_to_string(self.folder.join("postfix.log")).unwrap_or_default();
        let lines = log.lines().filter(|line| line.contains(name) || line.contains("warning"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Waits until a user has `count` mails, and gives them.
    pub async fn wait_for_mails(&self, name: &str, count: usize) -> Vec<Vec<u8>> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let mails = self.mails(name);
            if mails.len() >= count {
                return mails;
            }
            assert!(Instant::now() < until, "{name} has {} of {count} mails\n{}", mails.len(), self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the servers wrote down, for the message of a failing test.
    pub fn log(&self) -> String {
        let read = |name: &str| {
            let text = fs::read_to_string(self.folder.join(name)).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            lines[lines.len().saturating_sub(20)..].join("\n")
        };
        format!("dovecot:\n{}\npostfix:\n{}", read("dovecot.log"), read("postfix.log"))
    }

    fn start() -> Self {
        for program in ["/usr/sbin/dovecot", "/usr/sbin/postfix", "/usr/bin/openssl"] {
            let hint = "install dovecot-imapd and postfix (tests/run does), and run the tests as root";
            assert!(Path::new(program).exists(), "{program} is missing: {hint}");
        }
        assert_eq!(system("id", &["-u"]).trim(), "0", "the mail servers of the tests need root");
        let folder = tempfile::Builder::new().prefix("deskbell-mail").tempdir().unwrap().keep();
        let [imap, imaps, smtp, smtps, submission] = free_ports();
        let watchdog = watchdog(&folder);
        let postfix = OnceLock::new();
        let server = Self { folder, imap, imaps, smtp, smtps, submission, postfix, _watchdog: watchdog };
        server.prepare();
        server.start_dovecot();
        server
    }

    fn prepare(&self) {
        for part in ["", "run", "state", "index", "mail", "spool", "lib", "postfix"] {
            let part = self.folder.join(part);
            fs::create_dir_all(&part).unwrap();
            fs::set_permissions(&part, fs::Permissions::from_mode(0o755)).unwrap();
        }
        owned_by_mail(&self.folder.join("mail"));
        owned_by_mail(&self.folder.join("index"));
        let (key, cert) = (self.path("tls.key"), self.path("tls.pem"));
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
        let kind = "basicConstraints=critical,CA:FALSE";
        let curve = "ec_paramgen_curve:prime256v1";
        let request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", curve, "-nodes", "-days", "30"];
        let rest =
            ["-subj", "/CN=localhost", "-addext", names, "-addext", kind, "-keyout", &key, "-out", &cert];
        system("openssl", &[&request[..], &rest[..]].concat());
    }

    fn start_dovecot(&self) {
        let conf = include_str!("dovecot.conf")
            .replace("@DIR@", &self.path(""))
            .replace("@IMAP@", &self.imap.to_string())
            .replace("@IMAPS@", &self.imaps.to_string());
        let oauth2 = format!(
            "introspection_mode = post\nintrospection_url = http://{}/introspect\nactive_attribute = active\n\
             active_value = true\nusername_attribute = username\n",
            super::provider::introspection()
        );
        fs::write(self.folder.join("dovecot-oauth2.conf"), oauth2).unwrap();
        // Dovecot's socket for logins lies where Postfix looks for it.
        fs::create_dir_all(self.folder.join("spool/private")).unwrap();
        fs::write(self.folder.join("dovecot.conf"), conf).unwrap();
        system("/usr/sbin/dovecot", &["-c", &self.path("dovecot.conf")]);
        self.wait_for_port(self.imap);
        self.wait_for_port(self.imaps);
    }

    fn start_postfix(&self) {
        let main = include_str!("postfix-main.cf")
            .replace("@DIR@", self.path("").trim_end_matches('/'))
            .replace("@DOMAINS@", &format!("{DOMAINS} {REFUSED}"));
        let master = include_str!("postfix-master.cf")
            .replace("@DIR@", &self.path(""))
            .replace("@SMTP@", &self.smtp.to_string())
            .replace("@SMTPS@", &self.smtps.to_string())
            .replace("@SUBMISSION@", &self.submission.to_string());
        fs::write(self.folder.join("postfix/main.cf"), main).unwrap();
        fs::write(self.folder.join("postfix/master.cf"), master).unwrap();
        fs::write(self.folder.join("deliver"), include_str!("deliver.sh")).unwrap();
        let verdicts =
            "/@refused\\.test$/ 550 5.1.1 No such user here\n/@later\\.test$/ 451 4.3.0 Try later\n";
        fs::write(self.folder.join("postfix/verdicts"), verdicts).unwrap();
        let postfix: u32 = system("id", &["-u", "postfix"]).trim().parse().unwrap();
        for part in ["lib", "spool/private"] {
            chown(self.folder.join(part), Some(postfix), None).unwrap();
        }
        system("/usr/sbin/postfix", &["-c", &self.path("postfix"), "start"]);
        for port in [self.smtp, self.smtps, self.submission] {
            self.wait_for_port(port);
        }
    }

    fn wait_for_port(&self, port: u16) {
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "nobody listens on port {port}\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

/// Waits beside this process, and cleans up behind it.
fn watchdog(folder: &Path) -> Child {
    let script = r#"cat >/dev/null
        kill "$(cat "$0/run/master.pid")"
        postfix -c "$0/postfix" stop
        rm -rf "$0""#;
    keeper(script, folder)
}

/// Starts a script that ends what stands in a folder once this process is gone, however it went.
pub(super) fn keeper(script: &str, folder: &Path) -> Child {
    Command::new("setsid")
        .args(["sh", "-c", script])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs a command that must go well, and gives what it printed.
///
/// By way of a file: a daemon that it starts would hold a pipe open for ever.
fn system(program: &str, arguments: &[&str]) -> String {
    let printed = tempfile::tempfile().unwrap();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(printed.try_clone().unwrap())
        .stderr(printed.try_clone().unwrap())
        .status()
        .unwrap();
    let mut printed = printed;
    printed.rewind().unwrap();
    let text = io::read_to_string(printed).unwrap();
    assert!(status.success(), "{program} {arguments:?}: {text}");
    text
}

/// Finds free ports by holding them all at once.
fn free_ports<const N: usize>() -> [u16; N] {
    let held: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// The servers' mail processes run as the user `mail`, number 8 on Debian.
fn owned_by_mail(path: &Path) {
    chown(path, Some(8), Some(8)).unwrap();
}
