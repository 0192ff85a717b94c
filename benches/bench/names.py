"""A name server on loopback that knows no name, and says for how long.

What the desk checks with the DNS then costs what it costs beside a resolver that is near, whatever network the machine
has."""
import multiprocessing, socket, struct

# The negative answer (RFC 2308) holds for an hour.
SOA = b"\0" + struct.pack(">HHIH", 6, 1, 3600, 22) + b"\0\0" + struct.pack(">5I", 1, 3600, 3600, 3600, 3600)


def answer(asked):
    """Gives the answer to one question, NXDOMAIN."""
    end = asked.index(b"\0", 12) + 5
    return asked[:2] + struct.pack(">HHHHH", 0x8183, 1, 0, 1, 0) + asked[12:end] + SOA


def serve(ours):
    while True:
        asked, whom = ours.recvfrom(4096)
        try:
            ours.sendto(answer(asked), whom)
        except ValueError:
            pass


def start():
    """Begins to serve for as long as this process is there; gives address and port."""
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ours.bind(("127.0.0.1", 0))
    multiprocessing.get_context("fork").Process(target=serve, args=(ours,), daemon=True).start()
    return "%s:%d" % ours.getsockname()
