"""The rows of the table: what is measured, against whom, and what it must and may be."""
import contextlib, os, re, shutil, time
from . import peers, processes, screen
from .desk import Serving
from .processes import Failed, Figure, p95

ROWS = {}  # name: (function, what it needs)
MIB = 1024 * 1024


class Skipped(Exception):
    """A row that cannot be measured here, and why."""


def row(name, *needs):
    """Names a row and the programs without which it is skipped."""
    def keep(function):
        ROWS[name] = (function, needs)
        return function
    return keep


def cell(what, ours, value, must, aim, unit, against="", higher=False, note=""):
    """One line of the table: the figure that is judged is `value`, in `unit`; with `higher` more is better."""
    keeps = lambda bar: None if bar is None else bool(value >= bar if higher else value <= bar)
    return {"what": what, "ours": str(ours), "against": str(against), "value": value, "unit": unit, "must": must, "aim": aim,
            "meets_must": keeps(must), "meets_aim": keeps(aim), "higher": higher, "note": note}


def ratio(what, ours, name, rival, must, aim, note=""):
    """A line that is judged by ours over the rival's, medians."""
    return cell(what, ours, ours.median / rival.median, must, aim, "x", f"{name} {rival}", note=note)


def alone(what, ours, name, must, aim, why):
    """A line whose rival was not measured at this size."""
    return cell(what, ours, ours.median, None, None, "s", f"{name}: {why}")


# Mail in.

def first_syncs(s):
    """Takes turns at syncing everything into nothing; keeps what came of it."""
    if hasattr(s, "syncs"):
        return s.syncs
    s.server(untouched=True)
    desk, tls = s.desk(), s.desk("desk-tls", s.cert)
    walls, rss, mails, raws = {}, [], s.mails, []
    for _ in range(s.asked.runs if s.mails < 500_000 else 1):
        raws.append(s.raw("fetch")["s"])
        for name in ("mbsync", "mbsync without fsync", "ours over TLS", "ours"):
            if name.startswith("mbsync") and not s.has("mbsync") or name == "ours over TLS" and s.mails >= 500_000:
                continue
            if name.startswith("mbsync"):
                home = s.folder("mbsync" if name == "mbsync" else "mbsync-nofsync", empty=True)
                argv = peers.mbsync(home, s.port, name == "mbsync")
            else:
                one = desk if name == "ours" else tls
                with contextlib.suppress(FileNotFoundError):
                    os.remove(f"{one.home}/filled")
                one.empty()
                home, argv = one.home, one.argv("sync", "--once")
            os.sync()
            did = processes.run(argv, home, 7200)
            walls.setdefault(name, []).append(did["wall"])
            if name == "ours":
                rss.append(did["rss"])
    open(f"{desk.home}/synced", "w").close()
    shutil.rmtree(tls.data, ignore_errors=True)
    shutil.rmtree(f"{s.home}/mbsync-nofsync", ignore_errors=True)
    s.syncs = {"walls": {name: Figure(xs) for name, xs in walls.items()}, "rss": Figure(rss, "MiB"), "raw": Figure(raws), "issues": desk.issues(),
               "found": len(desk.json("issue", "list", rare(s)))}
    return s.syncs


@row("sync", "dovecot")
def sync(s):
    did = first_syncs(s)
    walls, issues = did["walls"], did["issues"]
    ours, rate = walls["ours"], s.mails / walls["ours"].median
    note = f"{rate:.0f} mails/s; raw FETCH {did['raw']}; {issues} issues"
    if "mbsync" in walls:
        note += f"; mbsync without fsync {walls['mbsync without fsync']}"
        yield ratio("first sync", ours, "mbsync", walls["mbsync"], .35, .15, note)
    else:
        yield alone("first sync", ours, "mbsync", .35, .15, note)
    yield answers(s)
    yield cell("first sync, peak memory", did["rss"], did["rss"].median, most_memory(s), 96, "MiB")
    if "ours over TLS" in walls:
        yield ratio("first sync over TLS", walls["ours over TLS"], "plain", ours, 1.4, 1.15)


def answers(s):
    """The known answers, straight after the first sync: its issues, and the last mail that has a word of its own."""
    known = s.threads()
    issues, found, word = first_syncs(s)["issues"], first_syncs(s)["found"], rare(s)
    line = cell("known answers", f"{issues} issues, {found} with {word}", issues, None, None, "issues", f"{known['issues']} issues, 1 with it",
                note=f"{known['threads']} threads in hindsight, where a later mail joins what came apart and a machine may begin one")
    line["must"], line["meets_must"] = "the same", issues == known["issues"] and found == 1
    return line


def rare(s):
    return f"zymurgy{(s.mails - 1) // 1000 * 1000}"


def most_memory(s):
    """256 MiB up to 50,000 mails; beyond them 1.5 times what these took."""
    small = s.asked.done.get("sync/50000", {"lines": []})["lines"]
    peaks = [line["value"] for line in small if line["what"] == "first sync, peak memory"]
    return 1.5 * peaks[0] if s.mails > 50_000 and peaks else 256


@row("again", "dovecot")
def again(s):
    """Nothing new, and ten new."""
    s.server()
    desk, mbsync = s.filled(), None
    if s.has("mbsync"):
        home = s.folder("mbsync")
        mbsync = peers.mbsync(home, s.port)
        processes.run(mbsync, home, 7200)
    for what, must, aim, count in (("nothing new", .5, .02, 0), ("ten new", .1, .04, 10)):
        ours, theirs = [], []
        desk.run("sync", "--once", timeout=7200)
        for _ in range(1 if s.asked.smoke else max(3, s.asked.runs)):
            s.feed(count) if count else None
            ours.append(desk.run("sync", "--once")["wall"])
            if mbsync:
                theirs.append(processes.run(mbsync, s.folder("mbsync"))["wall"])
        ours = Figure(ours)
        if not theirs:
            yield alone(what, ours, "mbsync", must, aim, "not measured")
            continue
        line = ratio(what, ours, "mbsync", Figure(theirs), must, None)
        line.update(aim=f"{aim * 1e3:.0f} ms", meets_aim=ours.median <= aim)
        yield line


@row("kills", "dovecot")
def kills(s):
    """Kills the first sync ten times, then lets it end."""
    if s.mails > 100_000:
        raise Skipped("the check reads the whole intake, which is too much here")
    import random
    did = first_syncs(s)
    whole, random = did["walls"]["ours"].median, random.Random(s.mails)
    desk = s.desk("desk-killed")
    desk.empty()
    began = processes.clock()
    for _ in range(3 if s.asked.smoke else 10):
        processes.kill_after(desk.argv("sync", "--once"), desk.home, whole / 10 * random.uniform(.5, 1.4))
    desk.run("sync", "--once", timeout=7200)
    total = processes.clock() - began
    mails, issues = desk.mails(), desk.issues()
    same = len(mails) == len(set(mails)) == s.mails and issues == did["issues"]
    shutil.rmtree(desk.home)
    line = cell("ten kills in the first sync, then to the end", f"{total:.2f} s", total / whole - 1, .10, .02, "more time", f"uninterrupted {whole:.2f} s",
                note=f"{len(mails)} mails, {len(set(mails))} different, {issues} issues, of {s.mails} and {did['issues']}")
    line["meets_must"] = line["meets_must"] and same
    yield line


@row("disk")
def disk(s):
    desk = s.filled()
    ours, theirs = processes.size(desk.data), sum(e.stat().st_size for d in ("cur", "new") for e in os.scandir(f"{s.corpus}/{d}"))
    parts = ", ".join(f"{name} {processes.size(f'{desk.data}/{name}') / theirs:.2f}" for name in sorted(os.listdir(desk.data)) if os.path.isdir(f"{desk.data}/{name}"))
    yield cell("disk for everything", f"{ours / MIB:.0f} MiB", ours / theirs, 1.0, .6, "x", f"mails {theirs / MIB:.0f} MiB", note=parts)


@row("churn")
def churn(s):
    """A year of work: ten times half of the issues are changed, each in a commit of 500; then space is given back."""
    if s.mails > 100_000:
        raise Skipped("what it shows does not depend on the size")
    desk, mails = s.filled(), sum(e.stat().st_size for d in ("cur", "new") for e in os.scandir(f"{s.corpus}/{d}"))
    rounds = 2 if s.asked.smoke else 10
    with Serving(desk):
        refs = [issue["ref"] for issue in desk.json("issue", "list", "--limit", str(s.mails))][::2]
        for turn in range(rounds):
            for at in range(0, len(refs), 500):
                desk.run("issue", "edit", *refs[at:at + 500], "--label", f"turn-{turn}", "--priority", ("low", "high")[turn % 2], timeout=600)
        before = processes.size(desk.data)
        took = desk.run("maintenance", "compact", timeout=3600)["wall"]
        after = processes.size(desk.data)
    yield cell(f"disk after {rounds} rounds of changing half of the issues", f"{after / MIB:.0f} MiB", after / mails, 1.0, .6, "x", f"mails {mails / MIB:.0f} MiB",
               note=f"{before / MIB:.0f} MiB before `maintenance compact`, which took {took:.1f} s beside a running desk")


# Commands and search, attached.

@row("commands")
def commands(s):
    desk = s.filled()
    with Serving(desk):
        reference = desk.json("issue", "list", "sort:created-asc", "--limit", "1")[0]["ref"]
        floor = Figure([processes.run(["true"], desk.home)["wall"] for _ in range(20)])
        for args in (("issue", "list"), ("issue", "note", reference, "--internal", "-m", "seen")):
            ours = Figure([desk.run(*args)["wall"] for _ in range(s.asked.times)])
            yield cell(f"`{args[0]} {args[1]}`, whole process", ours, ours.median * 1e3, 20, 8, "ms", f"`true` {floor}")


@row("search")
def search(s):
    desk = s.filled()
    tools = [tool for tool in ("notmuch", "mu") if s.has(tool)]
    indexed = s.indexed() if tools else None
    for tool in tools:
        for argv in indexed.index(tool):
            processes.run(argv, indexed.home, 3600)
    with Serving(desk):
        for name, of_notmuch, of_mu, of_us in peers.QUERIES:
            walls = {}
            for i in range(2 if s.asked.smoke else max(4, s.asked.times // 3)):
                for tool in ["ours"] + tools:
                    argv = desk.argv("issue", "list", of_us) if tool == "ours" else indexed.search(tool, of_notmuch if tool == "notmuch" else of_mu)
                    wall = processes.run(argv, desk.home if tool == "ours" else indexed.home, 60, check=tool == "ours")["wall"]
                    walls.setdefault(tool, []).extend([wall] if i else [])
            ours = Figure(walls["ours"])
            if not tools:
                yield cell(f"search, {name}", ours, ours.median * 1e3, None, None, "ms")
                continue
            best = min(tools, key=lambda tool: Figure(walls[tool]).median)
            rival = Figure(walls[best])
            line = ratio(f"search, {name}", ours, best, rival, None, .3)
            line.update(must="1.0 or 10 ms", meets_must=ours.median <= max(rival.median, .010))
            yield line


# The screens, attached.

CLEAR = b"\x7f" * 100
LIST = {"rows": range(3, 37), "columns": range(0, 72)}


@contextlib.contextmanager
def attached(s, *keys):
    """Gives our screens at the first list, after some keys."""
    with Serving(s.filled()) as serving:
        _, term = serving.desk.open(keep=True)
        with term:
            term.type(*keys)
            yield term, serving


@contextlib.contextmanager
def reading(s, name):
    reader = s.reader(name)
    _, term = screen.opened(reader.argv, reader.wait, reader.env, reader.quit, keep=True)
    with term:
        yield term, reader


@row("open", "pyte")
def first_list(s):
    rivals = {name: s.reader(name) for name in ("neomutt", "aerc") if s.has(name)}
    ours, theirs = [], {name: [] for name in rivals}
    for name, r in rivals.items():  # once, so that its caches are made
        screen.opened(r.argv, r.wait, r.env, r.quit)
    with Serving(s.filled()) as serving:
        for i in range(2 if s.asked.smoke else 7):
            ours.append(serving.desk.open())
            for name, r in rivals.items() if i < s.asked.runs else ():
                theirs[name].append(screen.opened(r.argv, r.wait, r.env, r.quit))
    ours = Figure(ours)
    if not rivals:
        yield cell("start to first list", ours, ours.median * 1e3, None, 30, "ms", "neomutt, aerc: not measured")
        return
    best = min(theirs, key=lambda name: Figure(theirs[name]).median)
    line = ratio("start to first list", ours, best, Figure(theirs[best]), .02, None)
    line.update(aim="30 ms", meets_aim=ours.median <= .030)
    yield line


def strokes(term, keys, times, **region):
    """Presses keys in turn; gives (changed, done, dead)."""
    changed, done, dead = [], [], 0
    for i in range(times):
        a, z = term.key(keys[i % len(keys)], **region)
        if a is None:
            dead += 1
        else:
            changed.append(a)
            done.append(z)
    if not changed:
        raise Failed(f"no key changed anything:\n{term.text()}")
    return Figure(changed), Figure(done), dead


@row("keys", "pyte")
def key_to_screen(s):
    """`j`, and pages at three places of the list, in turn with the rival."""
    down, up = b"\x06", b"\x02"
    with contextlib.ExitStack() as open_ones:
        term, _ = open_ones.enter_context(attached(s, b"3"))
        rival, reader = open_ones.enter_context(reading(s, "neomutt")) if s.has("neomutt") else (None, None)
        yield from in_turn(s, "`j` to screen", term, [b"j", b"k"], rival, [b"j", b"k"], s.asked.times, p95_too=True)
        for place, start, keys in (("start", b"gg", [down, up]), ("middle", None, [down, up]), ("end", b"G", [up, down])):
            if start:
                term.type(start)
            else:
                term.flood(b"j", min(int(re.search(r"of (\d+)", term.text())[1]) // 2, 10_000))
            yield from in_turn(s, f"page, settled, {place}", term, keys, rival, reader and reader.pages, 2 * (s.asked.times // 8 + 1), **LIST)


def in_turn(s, what, term, keys, rival, their_keys, times, p95_too=False, **region):
    """Presses keys here and there by turns, five times over."""
    ours, theirs, whole, dead = [], [], [], 0
    for _ in range(1 if s.asked.smoke else 5):
        changed, done, gone = strokes(term, keys, times, **region)
        ours += done.xs if region else changed.xs
        whole += strokes(term, keys, times)[1].xs if region else done.xs
        dead += gone
        if rival:
            changed, done, _ = strokes(rival, their_keys, times)
            theirs += done.xs if region else changed.xs
    note = f"with the preview {Figure(whole)}; dead keys {dead}"
    if not rival:
        yield cell(what, Figure(ours), Figure(ours).median * 1e3, None, None, "ms", note=note)
        return
    aim = .6 if p95_too else 1.0
    yield ratio(what + (", median" if p95_too else ""), Figure(ours), "neomutt", Figure(theirs), 1.0, aim, note)
    if p95_too:
        yield ratio(f"{what}, p95", Figure([p95(ours)]), "neomutt", Figure([p95(theirs)]), 1.0, aim)


@row("flood", "pyte")
def flood(s):
    count, ours, theirs, right = 1000, [], [], True
    with contextlib.ExitStack() as open_ones:
        term, _ = open_ones.enter_context(attached(s, b"3"))
        rival, reader = open_ones.enter_context(reading(s, "neomutt")) if s.has("neomutt") else (None, None)
        total = int(re.search(r"of (\d+)", term.text())[1])
        for _ in range(s.asked.runs):
            ours.append(count / term.flood(b"j", count))
            right &= f"{min(count + 1, total)} of " in term.text()
            term.type(b"gg")
            if rival:
                theirs.append(count / rival.flood(b"j", count))
                rival.type(reader.top)
    ours = Figure(ours, "keys/s")
    note = "the right row at the end" if right else "THE WRONG ROW AT THE END"
    if theirs:
        theirs = Figure(theirs, "keys/s")
        line = cell("1,000 `j` at once", ours, ours.median / theirs.median, 3, None, "x", f"neomutt {theirs}", higher=True, note=note)
        line["meets_must"] &= right
        line.update(aim="30,000 keys/s", meets_aim=ours.median >= 30_000 and right)
    else:
        line = cell("1,000 `j` at once", ours, ours.median, None, 30_000, "keys/s", higher=True, note=note)
    yield line


@row("typing", "pyte")
def typing(s):
    with attached(s, b"3") as (term, _):
        done, dead = [], 0
        for word in ("printer",) if s.asked.smoke else ("printer", "invoice", "vpn client", "tanaka"):
            term.type(b"/", CLEAR)
            for letter in word:
                _, z = term.key(letter.encode(), **LIST)
                dead += z is None
                done += [z] if z is not None else []
            term.type(b"\x1b")
    ours = Figure(done)
    yield cell("search as you type, p95", ours, p95(done) * 1e3, *((30, 10) if s.mails < 500_000 else (None, 30)), "ms", note=f"{len(done)} keys; {dead} changed no row")


@row("issues", "pyte")
def issues(s):
    """Opens the issues that were made for it."""
    with attached(s, b"3") as (term, _):
        for title, what, must, aim in (("bench twenty", "20 notes", 5, 3), ("bench thousand", "1,000 notes", 30, 10), ("bench html", "a 250 KB HTML mail", 30, 15)):
            term.type(b"/", CLEAR, f'title:"{title}"'.encode(), b"\r")
            term.until(lambda text: "1 of 1 " in text, screen.clock(), 10)
            term.settle(.5)
            term.feed()
            changed, done = [], []
            for _ in range(1 if s.asked.smoke else max(5, s.asked.times // 2)):
                a, z = term.key(b"\r", quiet=.25)
                if a is None:
                    raise Failed(f"it did not open:\n{term.text()}")
                changed.append(a)
                done.append(z)
                term.type(b"q")
            ours = Figure(done)
            yield cell(f"open an issue with {what}", ours, ours.median * 1e3, must, aim, "ms", note=f"first change {Figure(changed)}")


def selected(text):
    """Gives the number of the issue that the cursor is on."""
    found = re.search(r"^▌ *(\S+)", text, re.M)
    return found and found[1]


@row("sync-keys", "pyte", "dovecot")
def keys_while_syncing(s):
    s.server()
    desk = s.desk("desk-first")
    desk.empty()
    with Serving(desk) as serving:
        _, term = desk.open(keep=True, wait=r"\d+ of \d\d+")
        with term:
            xs, times = [], s.asked.times * 5
            end = time.monotonic() + (5 if s.asked.smoke else 60)
            while len(xs) < times and time.monotonic() < end:
                term.feed()
                at, issue = re.search(r"(\d+) of (\d+)", term.text()), selected(term.text())
                if not at or not issue or int(at[1]) >= int(at[2]):
                    term.type(b"gg")
                    continue
                time.sleep(.01)
                began = screen.clock()
                term.send(b"j")
                try:
                    # Rows come in above, so its place says nothing.
                    xs.append(term.until(lambda text: selected(text) not in (None, issue), began, 2))
                except screen.NeverCame:
                    pass
                if "syncing" not in term.text() and int(at[2]) * 6 > s.mails:
                    break
    shutil.rmtree(desk.home)
    if len(xs) < 5:
        raise Skipped("the sync was over too soon")
    yield cell("`j` while the first sync runs, p95", Figure(xs), p95(xs) * 1e3, 16, None, "ms", note=f"{len(xs)} keys")


@row("memory", "pyte")
def memory(s):
    with attached(s, b"3", b"\x06", b"\x06", b"G", b"gg", b"\r", b"q") as (term, serving):
        peak = processes.memory(term.process.pid)[1]
        time.sleep(1 if s.asked.smoke else 5)
        now, high = processes.memory(serving.pid)
    million = s.mails >= 500_000
    yield cell("memory of the attached TUI, peak", f"{peak:.0f} MiB", peak, 64, 32 if million else 24, "MiB")
    yield cell("memory of the server at rest", f"{now:.0f} MiB", now, None if million else 160, 256 if million else 64, "MiB", note=f"peak {high:.0f} MiB")


@row("cold")
def cold(s):
    desk, xs, starts = s.filled(), [], []
    for _ in range(1 if s.asked.smoke else max(3, s.asked.runs)):
        began = processes.clock()
        with Serving(desk) as serving:
            desk.run("issue", "list")
            xs.append(processes.clock() - began)
            starts.append(serving.started)
    million = s.mails >= 500_000
    ours = Figure(xs)
    yield cell("cold start of the server to its first answered list", ours, ours.median * 1e3, 1500 if million else 300, 150 if million else 60, "ms",
               note=f"to its socket {Figure(starts)}; the rest is a command")


@row("idle", "pyte", "dovecot")
def idle(s):
    s.server()
    with attached(s) as (term, serving):
        time.sleep(1 if s.asked.smoke else 5)
        term.settle(1.5, 5)
        pids, seconds = (term.process.pid, serving.pid), 2 if s.asked.smoke else 60
        before, heard = [processes.activity([pid]) for pid in pids], term.bytes
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            term.read(max(.001, end - time.monotonic()))
        after = [processes.activity([pid]) for pid in pids]
        heard = term.bytes - heard
    cpu = [(z[0] - a[0]) / seconds * 100 for a, z in zip(before, after)]
    wakes = [(z[1] - a[1]) / seconds for a, z in zip(before, after)]
    each = f"screens {wakes[0]:.2f}, server {wakes[1]:.2f}; {heard} bytes to the terminal"
    yield cell("idle, processor", f"{sum(cpu):.3f} %", sum(cpu), .1, 0, "%", note=f"{seconds} s, both processes")
    yield cell("idle, wake-ups", f"{sum(wakes):.2f}/s", sum(wakes), 1, .1, "/s", note=each)


# What changes the desk comes last.

@row("push", "pyte", "dovecot")
def push(s):
    s.server()
    runs, xs = 1 if s.asked.smoke else s.asked.runs + 2, []
    floor = push_floor(s, runs)
    with attached(s, b"3") as (term, _):
        term.type(b"/", CLEAR, b"title:push", b"\r")
        for i in range(runs):
            end = time.monotonic() + 2
            while time.monotonic() < end:
                term.read(.05)
            term.feed()
            word = f"push-{os.getpid()}-{i}"
            began = s.deliver(push_mail(word))
            xs.append(term.until(lambda text: word in text, began, 30))
    whole = Figure(xs)
    over = (whole.median - floor) * 1e3
    yield cell("delivery to row on the screen, over the server's own push", f"{over:.0f} ms", over, 50, 15,
               "ms", f"raw IDLE {floor * 1e3:.0f} ms", note=f"whole {whole}")


def push_mail(word):
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    return (f"From: Push <push@acme.example>\nTo: support@desk.example\nSubject: {word}\nDate: {date}\nMessage-ID: <{word}@acme.example>\n"
            f"MIME-Version: 1.0\nContent-Type: text/plain\n\nhello\n").encode()


def push_floor(s, runs):
    """Gives the seconds from a delivery to EXISTS on a bare connection, the median of as many as ours and as far apart.

    All on one connection which fetches each mail, as ours does: Dovecot reads its list of a Maildir before it gives the
    first mail, and from then on before each EXISTS."""
    path = f"{s.home}/floor.eml"
    with open(path, "wb") as f:
        f.write(push_mail(f"floor-{os.getpid()}"))
    return s.raw("idle", "--maildir", s.mail, "--message", path, "--times", str(runs))["exists_ms"]["median"] / 1e3


@row("bulk", "pyte")
def bulk(s):
    with attached(s, b"3") as (term, _):
        began = screen.clock()
        term.send(b"*")
        term.until(lambda text: re.search(r"marked", text), began, 60)
        term.settle(.5)
        term.feed()
        marked = int(re.search(r"(\d+) marked", term.text())[1])
        began = screen.clock()
        term.send(b"x")
        closed = term.until(lambda text: f"closed {marked}" in text, began, 120)
        term.settle(1, 10)
        term.feed()
        began = screen.clock()
        term.send(b"z")
        undone = term.until(lambda text: re.search(r"undid|took back|undone", text), began, 120)
    full = 10_000
    yield cell(f"close {marked:,} marked issues", f"{closed:.2f} s", closed * 1e3, 1000 if marked <= full else None, 200, "ms", note=f"undo {undone:.2f} s")
