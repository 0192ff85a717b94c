//! Keys and certificates for the tests, made once by the real programs in folders of this process.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Everyone who signs something.
pub const ADA: &str = "Ada Byrne <ada@customer.test>";
const EVE: &str = "Eve <eve@elsewhere.test>";
const OLD: &str = "Old Key <old@customer.test>";
const STRANGER: &str = "Nobody Knows <stranger@customer.test>";

/// Homes of GnuPG.
pub struct Keys {
    /// The desk's: Ada and Eve are trusted, the old key has expired.
    pub pgp: PathBuf,
    /// One that only the stranger's key is in.
    pub strange: PathBuf,
    /// The desk's certificates.
    pub smime: PathBuf,
    /// Where openssl keeps Ada's certificate and the authority's.
    pub files: PathBuf,
}

/// Gives the keys of this process.
pub fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(make)
}

fn make() -> Keys {
    // A socket's path must be short, so the folder is not below a test's own.
    let base = tempfile::Builder::new().prefix("k").tempdir_in("/tmp").unwrap().keep();
    let keys = Keys {
        pgp: home(&base, "p"),
        strange: home(&base, "s"),
        smime: home(&base, "x"),
        files: home(&base, "f"),
    };
    for (home, name, when) in [
        (&keys.pgp, ADA, "never"),
        (&keys.pgp, EVE, "never"),
        (&keys.pgp, OLD, "20200601T000000"),
        (&keys.strange, STRANGER, "never"),
    ] {
        let mut arguments = vec!["--passphrase", "", "--pinentry-mode", "loopback"];
        if when != "never" {
            arguments.extend(["--faked-system-time", "20200101T000000"]);
        }
        arguments.extend(["--quick-gen-key", name, "rsa2048", "sign,encr", when]);
        gpg(home, &arguments, b"");
    }
    certificates(&keys);
    watch(&base);
    keys
}

fn home(base: &Path, name: &str) -> PathBuf {
    let home = base.join(name);
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    home
}

/// Ends the agents and removes the folder once this process is gone: it outlives us, so nobody waits for it.
#[allow(clippy::zombie_processes)]
fn watch(base: &Path) {
    let script = "while kill -0 $0 2>/dev/null; do sleep 1; done; \
                  for h in p s x; do gpgconf --homedir $1/$h --kill all; done; rm -rf $1";
    Command::new("sh")
        .args(["-c", script, &std::process::id().to_string()])
        .arg(base)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
}

/// Makes an authority and Ada's certificate, and tells gpgsm to trust it.
fn certificates(keys: &Keys) {
    let file = |name: &str| keys.files.join(name).display().to_string();
    let openssl = |arguments: &str| {
        let arguments: Vec<String> =
            arguments.split(' ').map(|a| a.strip_prefix('@').map_or(a.replace('_', " "), file)).collect();
        run(Command::new("openssl").args(arguments), b"")
    };
    fs::write(
        file("extensions"),
        "subjectAltName=email:ada@customer.test\nkeyUsage=digitalSignature,keyEncipherment\n",
    )
    .unwrap();
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout @ca.key -out @ca.pem -days 30 -subj /CN=Test_CA -addext \
         basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign",
    );
    openssl("req -newkey rsa:2048 -nodes -keyout @ada.key -out @ada.csr -subj /CN=Ada_Byrne");
    openssl(
        "x509 -req -in @ada.csr -CA @ca.pem -CAkey @ca.key -CAcreateserial -days 20 -extfile @extensions -out @ada.pem",
    );
    openssl(
        "pkcs12 -export -legacy -in @ada.pem -inkey @ada.key -certfile @ca.pem -out @ada.p12 -passout pass:",
    );
    let print = openssl("x509 -in @ca.pem -fingerprint -sha1 -noout");
    let print = String::from_utf8(print).unwrap();
    let print = print.trim().rsplit('=').next().unwrap();
    fs::write(keys.smime.join("trustlist.txt"), format!("{print} S relax\n")).unwrap();
    let gpgsm = |arguments: &[&str], input: &[u8]| {
        run(
            Command::new("gpgsm")
                .args(["--batch", "--quiet", "--disable-dirmngr", "--homedir"])
                .arg(&keys.smime)
                .args(arguments),
            input,
        )
    };
    gpgsm(&["--import", &file("ca.pem")], b"");
    gpgsm(&["--pinentry-mode", "loopback", "--passphrase-fd", "0", "--import", &file("ada.p12")], b"\n");
}

/// Runs `gpg` in a home; gives what it printed.
pub fn gpg(home: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("gpg");
    command.args(["--batch", "--quiet", "--no-tty", "--homedir"]).arg(home).args(arguments);
    run(&mut command, input)
}

/// Runs `openssl cms` with Ada's certificate.
pub fn cms(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let keys = keys();
    let mut command = Command::new("openssl");
    command.args(["cms", "-binary", "-outform", "DER"]).args(arguments).current_dir(&keys.files);
    run(&mut command, input)
}

fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
