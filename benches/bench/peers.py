"""The programs that people would pick instead, and how each is told to do the same."""
import os, re, shutil, subprocess

USER, PASSWORD = "desk", "secret"
VERSION = {"mbsync": ["mbsync", "-v"], "notmuch": ["notmuch", "--version"], "mu": ["mu", "--version"],
           "neomutt": ["neomutt", "-v"], "aerc": ["aerc", "-v"], "dovecot": ["dovecot", "--version"]}


def versions():
    """Gives the version of each program that is installed."""
    found = {}
    for name, argv in VERSION.items():
        if shutil.which(argv[0]):
            said = subprocess.run(argv, capture_output=True, text=True, timeout=20).stdout
            number = re.search(r"\d+(\.\d+)+|\d{8}", said)
            found[name] = number[0] if number else "?"
    return found


def mbsync(home, port, fsync=True, cert=None):
    """Writes mbsync's configuration, and gives the command."""
    tls = f"SSLType IMAPS\nCertificateFile {cert}\n" if cert else "SSLType None\n"
    os.makedirs(f"{home}/mail", exist_ok=True)
    with open(f"{home}/mbsyncrc", "w") as f:
        f.write(("" if fsync else "FSync no\n\n") +
                f"IMAPStore far\nHost {'localhost' if cert else '127.0.0.1'}\nPort {port}\nUser {USER}\nPass {PASSWORD}\nAuthMechs LOGIN\n{tls}\n"
                f"MaildirStore near\nPath {home}/mail/\nInbox {home}/mail/INBOX\nSubFolders Verbatim\n\n"
                "Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nExpunge None\nSync All\nSyncState *\n")
    return ["mbsync", "-q", "-c", f"{home}/mbsyncrc", "c"]


class Indexed:
    """A Maildir that notmuch and mu have indexed."""

    def __init__(self, home, corpus):
        self.home = home
        os.makedirs(home, exist_ok=True)
        if not os.path.isdir(f"{home}/mail/INBOX"):
            os.makedirs(f"{home}/mail")
            subprocess.run(["cp", "-al", corpus, f"{home}/mail/INBOX"], check=True)
        with open(f"{home}/notmuch", "w") as f:
            f.write(f"[database]\npath={home}/mail\n[new]\ntags=inbox\n[user]\nprimary_email=support@desk.example\n")

    def index(self, tool):
        """Gives the commands that index, if that is still to be done."""
        if tool == "notmuch":
            return [] if os.path.isdir(f"{self.home}/mail/.notmuch") else [["notmuch", "new", "--quiet"]]
        if os.path.isdir(f"{self.home}/mu"):
            return []
        return [["mu", "init", f"--muhome={self.home}/mu", "-m", f"{self.home}/mail", "-q"], ["mu", "index", f"--muhome={self.home}/mu", "-q"]]

    def search(self, tool, query):
        if tool == "notmuch":
            return ["notmuch", "search", "--limit=50", query]
        return ["mu", "find", f"--muhome={self.home}/mu", "--maxnum=50", "--sortfield=date", "--reverse", query]

    def count(self, query):
        """Counts the threads that notmuch finds."""
        env = dict(os.environ, NOTMUCH_CONFIG=f"{self.home}/notmuch")
        return int(subprocess.run(["notmuch", "count", "--output=threads", query], env=env, capture_output=True, text=True, timeout=60).stdout)


# name, for notmuch, for mu, for us
QUERIES = [(name, notmuch, mu, mu.replace("subject:", "title:")) for name, notmuch, mu in [
    ("rare word", "zymurgy5000", "zymurgy5000"), ("common word", "printer", "printer"),
    ("two words", "printer and firmware", "printer firmware"),
    ("five words", "printer and firmware and vpn and invoice and battery", "printer firmware vpn invoice battery"),
    ("phrase", '"password reset"', '"password reset"'), ("sender", "from:tanaka", "from:tanaka"),
    ("prefix", "zymur*", "zymur*"), ("subject", "subject:refund", "subject:refund"), ("nothing found", "qqqqqqqq", "qqqqqqqq"),
]]


class Reader:
    """A terminal program on a Maildir: how it is started, what its first list looks like, which keys it knows."""

    def __init__(self, name, home, corpus):
        self.name, self.env, self.top = name, {}, b"\x1b[H"
        os.makedirs(home, exist_ok=True)
        if not os.path.isdir(f"{home}/mail/INBOX"):
            os.makedirs(f"{home}/mail")
            subprocess.run(["cp", "-al", corpus, f"{home}/mail/INBOX"], check=True)
        getattr(self, name)(home)

    def neomutt(self, home):
        with open(f"{home}/neomuttrc", "w") as f:
            f.write(f"set mbox_type=Maildir\nset folder={home}/mail\nset spoolfile={home}/mail/INBOX\nset sort=threads\n"
                    f"set sort_aux=last-date-received\nset mark_old=no\nset quit=yes\nset sleep_time=0\nset header_cache={home}/hcache\n")
        self.argv = ["neomutt", "-n", "-F", f"{home}/neomuttrc", "-f", f"{home}/mail/INBOX"]
        self.wait, self.quit, self.pages, self.top = r"Msgs:", b"x", [b"z", b"Z"], b"="

    def aerc(self, home):
        os.makedirs(f"{home}/aerc", exist_ok=True)
        with open(f"{home}/aerc/accounts.conf", "w") as f:
            f.write(f"[desk]\nsource = maildir://{home}/mail\ndefault = INBOX\nfrom = Desk <support@desk.example>\n")
        os.chmod(f"{home}/aerc/accounts.conf", 0o600)
        with open(f"{home}/aerc/aerc.conf", "w") as f:
            f.write("[general]\nunsafe-accounts-conf=true\n[ui]\nthreading-enabled=true\n")
        if os.path.exists("/usr/share/aerc/binds.conf"):
            shutil.copy("/usr/share/aerc/binds.conf", f"{home}/aerc/")
        self.env = {"XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": f"{home}/cache", "XDG_DATA_HOME": f"{home}/data"}
        self.argv, self.quit, self.pages, self.top = ["aerc"], b":quit\r", [b"\x06", b"\x02"], b"g"
        self.wait = r"20\d\d-\d\d-\d\d.*\n.*20\d\d-\d\d-\d\d"
