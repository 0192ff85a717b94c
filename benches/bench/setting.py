"""What the rows of one size are measured on: corpus, mail server, desk, peers. Each is made when a row first needs it."""
import json, os, random, shutil, socket, subprocess, sys, time
from . import peers, processes
from .desk import Desk, Serving

HERE = os.path.dirname(os.path.abspath(__file__))


def free_port():
    """Gives a port that is free together with the next one."""
    for _ in range(100):
        port = random.randrange(20_000, 30_000, 2)
        try:
            for p in (port, port + 1):
                with socket.socket() as s:
                    s.bind(("127.0.0.1", p))
            return port
        except OSError:
            continue
    raise processes.Failed("no free port")


def maildir(path, mails, seed="1", offset=0, jobs=os.cpu_count()):
    """Makes a corpus, unless it is there."""
    if os.path.exists(f"{path}/made"):
        return path
    subprocess.run([sys.executable, f"{HERE}/corpus.py", "--out", path, "--messages", str(mails), "--seed", seed, "--offset", str(offset),
                    "--jobs", str(jobs)], check=True, stdout=subprocess.DEVNULL, timeout=7200)
    open(f"{path}/made", "w").close()
    return path


def said_by(script, *args):
    """Gives the JSON that a script of this folder prints."""
    said = subprocess.run([sys.executable, f"{HERE}/{script}", *args], check=True, capture_output=True, text=True, timeout=1800)
    return json.loads(said.stdout)


class Setting:
    def __init__(self, asked, mails, corpus=None):
        self.asked, self.mails = asked, mails
        self.home = f"{asked.work}/{mails}"
        self.given, self.fed = corpus, 0
        self.installed = asked.versions if mails <= asked.peers_up_to else {}
        self.port = free_port()
        self.running = None
        os.makedirs(self.home, exist_ok=True)

    def has(self, name):
        return name in self.installed

    def folder(self, name, empty=False):
        path = f"{self.home}/{name}"
        if empty:
            shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path, exist_ok=True)
        return path

    @property
    def corpus(self):
        return self.given or maildir(f"{self.home}/corpus", self.mails)

    # The mail server.

    def server(self, untouched=False):
        """Starts the mail server over a copy of the corpus, if it does not run. With `untouched` the copy has nothing else
        in it; a desk that knew the old one is thrown away, because all mails would be new to it."""
        mail = f"{self.home}/mail"
        if untouched and os.path.exists(f"{self.home}/fed"):
            self.close()
            for name in ("mail", "server", "desk", "fed"):
                path = f"{self.home}/{name}"
                shutil.rmtree(path) if os.path.isdir(path) else os.path.exists(path) and os.remove(path)
        if self.running:
            return
        if not os.path.isdir(f"{mail}/cur"):
            subprocess.run(["cp", "-al", self.corpus, mail], check=True)
        self.mail = mail
        subprocess.run([f"{HERE}/dovecot.sh", "start", f"{self.home}/server", str(self.port), mail], check=True, stdout=subprocess.DEVNULL, timeout=1800)
        self.running = True
        self.raw("fetch")

    @property
    def cert(self):
        return f"{self.home}/server/tls.pem"

    def raw(self, what, *args):
        """Speaks to the mail server straight on a socket."""
        return said_by("imap_raw.py", what, "--port", str(self.port), *args)

    def threads(self):
        """Gives what the corpus has of threads and issues, found by another program."""
        return said_by("threads.py", self.corpus)

    def feed(self, count=10):
        """Delivers further mails into the server's folder."""
        feed = maildir(f"{self.asked.work}/feed", 500, "2", 200_000)
        names = sorted(os.listdir(f"{feed}/cur"))
        open(f"{self.home}/fed", "w").close()
        for name in names[self.fed:self.fed + count]:
            self.deliver(open(f"{feed}/cur/{name}", "rb").read())
        self.fed += count

    def deliver(self, mail):
        """Puts one mail into the server's folder; gives the moment of it."""
        open(f"{self.home}/fed", "w").close()
        name = f"{time.time():.6f}.P{os.getpid()}.bench"
        owner = os.stat(self.mail)
        with open(f"{self.mail}/tmp/{name}", "wb") as f:
            f.write(mail)
        if os.getuid() == 0:
            os.chown(f"{self.mail}/tmp/{name}", owner.st_uid, owner.st_gid)
        began = processes.clock()
        os.rename(f"{self.mail}/tmp/{name}", f"{self.mail}/new/{name}")
        return began

    # Our side.

    def desk(self, name="desk", cert=None):
        return Desk(self.asked.binary, self.folder(name), self.port + 1 if cert else self.port, self.asked.names, cert)

    def filled(self):
        """Gives the desk that holds the corpus and the issues that are opened."""
        desk = self.desk()
        self.server()
        if not os.path.exists(f"{desk.home}/filled"):
            if not os.path.exists(f"{desk.home}/synced"):
                desk.empty()
                desk.run("sync", "--once", timeout=7200)
                open(f"{desk.home}/synced", "w").close()
            special(desk, 50 if self.asked.smoke else 1000)
            open(f"{desk.home}/filled", "w").close()
        return desk

    def serving(self):
        return Serving(self.filled())

    def indexed(self):
        return peers.Indexed(self.folder("indexed"), self.corpus)

    def reader(self, name):
        return peers.Reader(name, self.folder(f"reader-{name}"), self.corpus)

    def close(self):
        if self.running:
            subprocess.run([f"{HERE}/dovecot.sh", "stop", f"{self.home}/server"], timeout=60)
            self.running = None


def special(desk, many):
    """Delivers the issues that the rows open: of 20 notes, of `many` notes, and with a mail of 250 KB of HTML."""
    folder = f"{desk.home}/special"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for title, count in (("bench twenty", 20), ("bench thousand", many)):
        word = title.split()[1]
        for i in range(count):
            answer = f"In-Reply-To: <{word}-{i - 1}@acme.example>\nReferences: <{word}-0@acme.example> <{word}-{i - 1}@acme.example>\n" if i else ""
            text = "\n\n".join(f"Paragraph {k} of mail {i}: the printer on the second floor still prints only every other page since the update." for k in range(8))
            mail(f"{folder}/{word}-{i:04d}.eml", f"{word}-{i}", ("Re: " if i else "") + title, answer, "text/plain", text, i)
    rows = "".join(f"<tr><td style='padding:2px'>{i}</td><td><b>part {i * 7919}</b></td><td>in <i>stock</i>, <a href='https://shop.example/{i}'>order</a></td></tr>\n" for i in range(1850))
    mail(f"{folder}/html.eml", "html", "bench html", "", "text/html", f"<html><body><p>Our list:</p><table>{rows}</table></body></html>", 0)
    desk.run("deliver", "--silent", folder)


def mail(path, number, subject, answer, kind, text, minute):
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(time.time() - 90_000 + 60 * minute))
    with open(path, "w") as f:
        f.write(f"From: Bea Bench <bea@acme.example>\nTo: support@desk.example\nSubject: {subject}\nDate: {date}\nMessage-ID: <{number}@acme.example>\n"
                f"{answer}MIME-Version: 1.0\nContent-Type: {kind}; charset=utf-8\n\n{text}\n")
