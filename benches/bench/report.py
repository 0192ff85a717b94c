"""The table as text and as Markdown."""
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def short(number):
    for factor, sign in ((1_000_000, "M"), (1_000, "k")):
        if number >= factor and number % factor == 0:
            return f"{number // factor}{sign}"
    return str(number)


def bar(line, name):
    """Gives a bar as it is written: with its unit, and `at least` where more is better."""
    value = line[name]
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return f"{'>= ' if line['higher'] else ''}{amount(value, line['unit'])}"


def amount(value, unit):
    if unit == "more time":
        return f"{value * 100:.0f} %"
    if unit == "x":
        return f"{value:.2f}x" if value >= .095 or value == 0 else f"{value:.3f}x"
    if unit == "s":
        return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.1f} ms"
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}{'' if unit in ('/s', '%') else ' '}{unit}"


def verdict(line):
    if line["meets_must"] is None and line["meets_aim"] is None:
        return ""
    if line["meets_must"] is False:
        return "**no**"
    return "aim" if line["meets_aim"] else "must" if line["meets_must"] else "under the aim"


def plain(size, line):
    parts = [f"{size:>9}", f"{line['what']:<52}", f"{amount(line['value'], line['unit']):>10}", f"{line['ours']:<28}", line["against"],
             f"must {bar(line, 'must') or '-'} aim {bar(line, 'aim') or '-'}: {verdict(line).strip('*') or '-'}", line["note"]]
    return "  ".join(parts)


def markdown(done, asked, machine):
    """Writes the whole table, sizes side by side under each row."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    builds = sorted({f"{row['version']}, commit {row['commit']}, {row['date']}" for row in done.values()})
    versions = ", ".join(f"{name} {version}" for name, version in sorted(asked.versions.items()))
    lines = ["# Results", "", "Made by `benches/table`; what each row is and how it is taken stands in `benches/bench/rows.py`.", "",
             f"- Machine: {os.cpu_count()} cores, {memory:.0f} GiB, {machine}, Linux, load {os.getloadavg()[2]:.1f} in the last quarter of an hour; only ratios within one line count.",
             f"- Build: {'; '.join(builds)}.", f"- Beside it: {versions}.",
             "- Figures: median (least-most). Screens and commands are attached to a running `sync`.", "",
             "| what | mails | ours | against | judged | must | aim | met | |", "|---|---|---|---|---|---|---|---|---|"]
    ordered = {}
    for key, row in done.items():
        size = int(key.split("/")[1])
        for line in row["lines"]:
            ordered.setdefault((list(ROW_ORDER).index(key.split("/")[0]), row["lines"].index(line)), []).append((size, line))
    for _, of_row in sorted(ordered.items()):
        for size, line in sorted(of_row, key=lambda x: x[0]):
            cells = [line["what"], short(size), line["ours"], line["against"], amount(line["value"], line["unit"]), bar(line, "must"), bar(line, "aim"), verdict(line), line["note"]]
            lines.append("| " + " | ".join(cells) + " |")
    took = {}
    for key, row in done.items():
        took[int(key.split("/")[1])] = took.get(int(key.split("/")[1]), 0) + row["seconds"]
    lines += ["", "Taken: " + ", ".join(f"{short(size)} in {seconds / 60:.0f} minutes" for size, seconds in sorted(took.items())) + "."]
    with open(os.path.join(HERE, "..", "misses.md")) as f:
        lines += ["", f.read().rstrip()]
    return "\n".join(lines) + "\n"


from .rows import ROWS as ROW_ORDER  # noqa: E402
