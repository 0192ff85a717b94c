#!/usr/bin/env python3
"""Known answers for the threads of a corpus, found without the desk.

    threads.py MAILDIR        prints JSON: mails, threads, issues

`threads` is the number of conversations that Message-ID, In-Reply-To and References tie together in hindsight, subjects
left aside. `issues` is how many a desk must make of them as the mails come, one after the other: an answer without any of
these fields opens an issue, although a later mail may name both; what the desk's own address or a machine wrote opens none.
"""
import json, os, re, sys

OWN = b"support@desk.example"


def heads(folder):
    """Gives sender, others, own id, the ids that are answered in the order in which they count, and whether a machine wrote it."""
    names = sorted(os.path.join(folder, d, name) for d in ("cur", "new") for name in os.listdir(os.path.join(folder, d)))
    names.sort(key=lambda path: int(re.search(r"M(\d+)P", path)[1]))
    for name in names:
        with open(name, "rb") as f:
            head = re.sub(rb"\n[ \t]+", b" ", f.read(32768).replace(b"\r\n", b"\n").split(b"\n\n", 1)[0])
        field = lambda key: next(iter(re.findall(rb"(?im)^" + key + rb":(.*)$", head)), b"")
        ids = lambda key: re.findall(rb"<[^>]+>", field(key))
        people = lambda key: re.findall(rb"[^<\s,]+@[^>\s,]+", field(key).lower())
        yield (people(b"from")[-1], people(b"to") + people(b"cc"), ids(b"message-id")[0],
               ids(b"in-reply-to") + ids(b"references")[::-1], bool(field(b"auto-submitted")))


def main():
    parent, ids = {}, []
    place, part = {}, []  # id: (issue, whether the desk has the mail itself); issue: who takes part, and whether as a stranger

    def find(x):
        while parent.setdefault(x, x) != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    for sender, others, own, answered, machine in heads(sys.argv[1]):
        ids.append(own)
        for x in answered:
            parent[find(x)] = find(own)
        known = (place[x] for x in answered if x in place)
        issue = next((issue for issue, has in known if has or sender in part[issue]), None)
        if issue is None:
            if machine or sender == OWN:
                continue
            issue = len(part)
            part.append({sender: False})
        place[own] = (issue, sender != OWN)
        if sender == OWN:
            continue
        if not machine and not part[issue].setdefault(sender, True):
            for other in others:  # a stranger brings nobody
                part[issue].setdefault(other, False)
        for x in answered:
            place.setdefault(x, (issue, False))
    print(json.dumps({"mails": len(ids), "threads": len({find(x) for x in ids}), "issues": len(part)}))


if __name__ == "__main__":
    main()
