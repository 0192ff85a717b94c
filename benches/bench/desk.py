"""Our own program: its config, its commands, its server, its screens."""
import json, os, shutil, signal, subprocess, time
from . import processes, screen
from .peers import PASSWORD, USER

CONFIG = """[me]
user = "bench"
[mailbox.support]
address = "support@desk.example"
project = "acme/support"
host = "{host}"
port = {port}
ssl = {tls}
start_tls = false
user = "{user}"
password = "{password}"
{ca}
[smtp]
method = "maildir"
from = "support@desk.example"
path = "out"
[spam]
name_server = "{names}"
"""


class Desk:
    """A desk in a folder of its own, with one mailbox."""

    def __init__(self, binary, home, port, names, cert=None):
        self.binary, self.home, self.data = binary, home, f"{home}/data"
        os.makedirs(home, exist_ok=True)
        with open(f"{home}/config.toml", "w") as f:
            ca = f'ca_file = "{cert}"' if cert else ""
            f.write(CONFIG.format(host="localhost" if cert else "127.0.0.1", port=port, tls="true" if cert else "false", user=USER, password=PASSWORD, ca=ca, names=names))

    def argv(self, *args):
        return [self.binary, "--config", f"{self.home}/config.toml", "--data-dir", self.data, *args]

    def run(self, *args, timeout=900, check=True):
        return processes.run(self.argv(*args), self.home, timeout, check=check)

    def json(self, *args, timeout=120):
        """Gives what a command prints as JSON."""
        self_out = f"{self.home}/json"
        processes.run(self.argv(*args, "--json"), self.home, timeout, out=self_out)
        with open(self_out) as f:
            return json.load(f)

    def empty(self):
        """Throws the desk away and begins one that knows its project."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.run("project", "add", "acme/support")

    def issues(self):
        """Counts the issues, page by page."""
        count = 0
        while True:
            page = len(self.json("issue", "list", "--limit", "10000", "--offset", str(count)))
            count += page
            if page < 10000:
                return count

    def mails(self, mailbox="support"):
        """Gives the Message-ID of every mail that came in through the mailbox, sorted."""
        intake = self.json("intake", "list", "--limit", "10000000", timeout=600)
        return sorted(entry["message_id"] or "" for entry in intake if entry["mailbox"] == mailbox)

    def open(self, keep=False, wait=r"1 of \d+", timeout=60):
        """Opens the screens; gives the seconds to the first list."""
        return screen.opened(self.argv(), wait, timeout=timeout, keep=keep)


class Serving:
    """A running `sync` of a desk; use it with `with`."""

    def __init__(self, desk, patience=120):
        self.desk, self.patience = desk, patience

    def __enter__(self):
        began = time.perf_counter()
        self.log = open(f"{self.desk.home}/serve.log", "ab")
        self.process = subprocess.Popen(self.desk.argv("sync"), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=dict(os.environ, HOME=self.desk.home), start_new_session=True)
        lock = f"{self.desk.data}/lock"
        while not self.answers(lock):
            if self.process.poll() is not None or time.perf_counter() - began > self.patience:
                self.__exit__()
                raise processes.Failed(f"the desk does not start: {open(self.desk.home + '/serve.log').read()[-400:]}")
            time.sleep(.002)
        self.started = time.perf_counter() - began
        return self

    def answers(self, lock):
        try:
            with open(lock) as f:
                text = f.read()
        except OSError:
            return False
        return str(self.process.pid) in text and "/" in text

    @property
    def pid(self):
        return self.process.pid

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
