"""Knocks on a sidecar's inbound port as somebody outside the mesh: alone with the standard library, so that it runs in any pod.

A line in is {"host", "port", "certificate", "key"}, the last two in PEM or null for plaintext. A line out is ``answered``, when an
HTTP/2 server talks back, or ``refused``.
"""

import json
import socket
import ssl
import sys
import tempfile

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # and empty SETTINGS
SETTINGS = 4


def context(certificate: str, key: str) -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE  # who answers is not the question
    made.set_alpn_protocols(["istio", "h2"])
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(key + certificate)
        file.flush()
        made.load_cert_chain(file.name)
    return made


def knock(host: str, port: int, certificate: str | None, key: str | None) -> str:
    try:
        with socket.create_connection((host, port), timeout=5) as raw:
            if not certificate or not key:
                return talk(raw)
            with context(certificate, key).wrap_socket(raw) as secured:
                return talk(secured)
    except OSError:  # which a refused handshake is, too
        return "refused"


def talk(connection: socket.socket) -> str:
    connection.sendall(PREFACE)
    frame = b""
    while len(frame) < 9:
        if not (more := connection.recv(9 - len(frame))):
            return "refused"
        frame += more
    return "answered" if frame[3] == SETTINGS else "refused"


if __name__ == "__main__":
    for line in sys.stdin:
        print(knock(**json.loads(line)), flush=True)
