"""Times a full-screen terminal program from outside, on a pseudo-terminal. Needs pyte.

Bytes are read off the terminal as fast as they come, each chunk stamped on arrival with a monotonic clock. Only
afterwards are the chunks fed, one by one, to a terminal emulator; the time of the first chunk after which the screen
satisfies the condition is the figure. So the emulator's own cost is in no figure.
"""
import fcntl, os, pty, re, select, signal, struct, subprocess, termios, time

try:
    import pyte
except ImportError:
    pyte = None

clock = time.perf_counter
COLUMNS, ROWS = 120, 40
ANSWERS = (  # what a terminal says when it is asked
    (b"\x1b[6n", b"\x1b[1;1R"), (b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[0c", b"\x1b[?62;22c"),
    (b"\x1b]11;?", b"\x1b]11;rgb:0000/0000/0000\x1b\\"), (b"\x1b[>c", b"\x1b[>41;370;0c"), (b"\x1b[>0c", b"\x1b[>41;370;0c"))


class NeverCame(Exception):
    """The screen never showed what was waited for."""


class Term:
    """A program on a terminal of its own; use it with `with`."""

    def __init__(self, argv, env=None, quit_keys=b"q", timeout=120):
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.quit_keys, self.timeout = quit_keys, timeout
        self.chunks, self.eof, self.bytes = [], False, 0
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        env = dict(os.environ, TERM="xterm-256color", COLUMNS=str(COLUMNS), LINES=str(ROWS), LC_ALL="C.UTF-8", **(env or {}))
        self.began = clock()
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), close_fds=True)
        os.close(slave)
        self.fd = master
        os.set_blocking(master, False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read(self, timeout):
        """Takes one chunk in, stamped; None at silence."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return None
        try:
            chunk = os.read(self.fd, 65536)
        except BlockingIOError:
            return None
        except OSError:
            chunk = b""
        at = clock()
        if not chunk:
            self.eof = True
            return None
        for asked, answer in ANSWERS if b"\x1b" in chunk else ():
            if asked in chunk:
                os.write(self.fd, answer)
        self.chunks.append((at, chunk))
        self.bytes += len(chunk)
        return chunk

    def send(self, keys):
        while keys:
            try:
                keys = keys[os.write(self.fd, keys):]
            except BlockingIOError:
                self.read(.001)

    def text(self):
        return "\n".join("".join(self.screen.buffer[y][x].data for x in range(COLUMNS)) for y in range(ROWS))

    def cells(self, rows=range(ROWS), columns=range(COLUMNS)):
        """What can be seen of a part of the screen, colours included."""
        b = self.screen.buffer
        return tuple((c.data, c.fg, c.bg, c.reverse, c.bold) for y in rows for x in columns for c in (b[y][x],))

    def feed(self):
        """Shows the emulator all that came."""
        for _, chunk in self.chunks:
            self.stream.feed(chunk)
        self.chunks.clear()

    def settle(self, quiet=.12, timeout=10):
        """Reads until there is silence."""
        end = clock() + timeout
        while clock() < end and not self.eof and self.read(quiet) is not None:
            pass

    def until(self, holds, began, timeout=None):
        """Gives the seconds from `began` to the chunk after which `holds(text)`; raises NeverCame."""
        end, hit = clock() + (timeout or self.timeout), 0 if not self.chunks and holds(self.text()) else None
        while hit is None and clock() < end:
            got = self.read(.02)
            if got is None or (self.chunks and clock() - self.chunks[0][0] > .25):
                for at, chunk in self.chunks:
                    self.stream.feed(chunk)
                    if hit is None and holds(self.text()):
                        hit = at - began
                self.chunks.clear()
                if self.eof:
                    break
        if hit is None:
            raise NeverCame(f"{self.process.args}: the screen never showed it:\n{self.text()}")
        return hit

    def type(self, *keys):
        """Sends keys one after the other, untimed."""
        for key in keys:
            self.send(key)
            self.settle()
        self.feed()

    def key(self, key, rows=range(ROWS), columns=range(COLUMNS), gap=.03, quiet=.12, patience=1):
        """Gives (changed, done) in seconds for one key: the first chunk after which that part of the screen differs, and
        the first after which it stays as it is until there is silence. (None, None): it changed nothing."""
        before = self.cells(rows, columns)
        time.sleep(gap)
        began = clock()
        self.send(key)
        while not self.chunks and clock() - began < patience and not self.eof:
            self.read(.25)
        self.settle(quiet)
        seen = []
        for at, chunk in self.chunks:
            self.stream.feed(chunk)
            seen.append((at - began, self.cells(rows, columns)))
        self.chunks.clear()
        changed = next((at for at, cells in seen if cells != before), None)
        if changed is None:
            return None, None
        done = seen[-1][0]
        for at, cells in reversed(seen):
            if cells != seen[-1][1]:
                break
            done = at
        return changed, done

    def flood(self, key, count):
        """Sends a key many times at once; gives the seconds to the last chunk."""
        began = clock()
        self.send(key * count)
        self.settle(.5, self.timeout)
        last = self.chunks[-1][0] - began if self.chunks else None
        self.feed()
        return last

    def close(self):
        if self.process.poll() is None and self.quit_keys:
            try:
                self.send(self.quit_keys)
            except OSError:
                pass
            end = clock() + 3
            while self.process.poll() is None and clock() < end and not self.eof:
                self.read(.05)
        for sig in (signal.SIGTERM, signal.SIGKILL):
            end = clock() + 1
            while self.process.poll() is None and clock() < end:
                time.sleep(.01)
            if self.process.poll() is None:
                self.process.send_signal(sig)
        self.process.wait()
        os.close(self.fd)


def opened(argv, wait, env=None, quit_keys=b"q", timeout=120, keep=False):
    """Starts a program; gives the seconds to its first list, or with `keep` also the terminal, settled."""
    term = Term(argv, env, quit_keys, timeout)
    try:
        rx = re.compile(wait, re.M)
        hit = term.until(rx.search, term.began)
        if keep:
            # While mail comes in there is no silence.
            term.settle(.5, 2)
            term.feed()
            return hit, term
    except BaseException:
        term.close()
        raise
    term.settle(.12, 2)
    term.close()
    return hit
