"""Whole processes: run with a limit of time and measured, their memory and their wake-ups."""
import os, re, signal, statistics, subprocess, threading, time

clock = time.perf_counter


class Failed(Exception):
    """A program did not do what was asked."""


def run(argv, home, timeout=600, cwd=None, check=True, out=None):
    """Runs a program to its end; gives wall and processor seconds, peak MiB, exit code. Its output goes to `home`/out.log,
    or to the file `out`."""
    env = dict(os.environ, HOME=home, LC_ALL="C.UTF-8", NOTMUCH_CONFIG=f"{home}/notmuch")
    path = out or f"{home}/out.log"
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if out else os.O_APPEND)
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, path, flags, 0o644),
               (os.POSIX_SPAWN_OPEN, 2, f"{home}/err.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)]
    began = clock()
    pid = os.posix_spawnp(argv[0], argv, env, file_actions=actions, setpgroup=0)
    late = threading.Timer(timeout, lambda: os.killpg(pid, signal.SIGKILL))
    late.daemon = True
    late.start()
    try:
        _, status, used = os.wait4(pid, 0)
    except BaseException:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    finally:
        wall = clock() - began
        late.cancel()
    code = os.waitstatus_to_exitcode(status)
    if check and code != 0:
        said = open(f"{home}/err.log", errors="replace").read()[-400:]
        raise Failed(f"{' '.join(argv)[:200]} ended with {code} after {wall:.1f} s: {said}")
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "rss": used.ru_maxrss / 1024, "code": code}


def kill_after(argv, home, seconds):
    """Starts a program and kills it after so many seconds, unless it ended; tells whether it was killed."""
    with open(f"{home}/out.log", "ab") as log:
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ, HOME=home))
        try:
            p.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            return True


def memory(pid):
    """Gives (now, peak) of a process in MiB."""
    text = open(f"/proc/{pid}/status").read()
    return tuple(int(re.search(rf"{word}:\s+(\d+)", text)[1]) / 1024 for word in ("VmRSS", "VmHWM"))


def activity(pids):
    """Gives the processor seconds and the wake-ups of processes so far."""
    seconds = wakes = 0
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                text = open(f"/proc/{pid}/task/{task}/status").read()
            except OSError:
                continue
            wakes += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", text)[1])
    return seconds, wakes


def size(folder):
    """Gives the bytes on disk below a folder."""
    return sum(os.lstat(os.path.join(d, f)).st_blocks * 512 for d, _, fs in os.walk(folder) for f in fs)


def p95(xs):
    xs = sorted(xs)
    return xs[min(len(xs) - 1, int(.95 * len(xs)))]


class Figure:
    """Some measurements of one thing: median, least, most."""

    def __init__(self, xs, unit="s"):
        self.xs, self.unit = sorted(xs), unit
        self.median = statistics.median(self.xs)

    def __str__(self):
        scale, unit = (1e3, "ms") if self.unit == "s" and self.xs[-1] < 1 else (1, self.unit)
        a, m, z = (self.xs[0] * scale, self.median * scale, self.xs[-1] * scale)
        digits = 0 if m >= 100 else 1 if m >= 10 else 2
        text = f"{m:.{digits}f}" if len(self.xs) == 1 else f"{m:.{digits}f} ({a:.{digits}f}-{z:.{digits}f})"
        return f"{text} {unit}"
