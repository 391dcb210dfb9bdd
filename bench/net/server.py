"""server.py NAME LOG: 7001 takes bytes and tells how many, 7002 gives bytes, 7003 gives one."""

import socket
import sys
import threading

BLOCK = bytes(1 << 20)


def take(connection):
    total = 0
    while data := connection.recv(1 << 20):
        total += len(data)
        # Not at the end of the stream: not every back end keeps a connection that is closed on one side.
        if data.endswith(b"end"):
            connection.sendall(str(total).encode())


def give(connection):
    while True:
        connection.sendall(BLOCK)


def handle(connection, action):
    try:
        action(connection)
    except OSError:
        pass
    connection.close()


def serve(server, action):
    while True:
        connection, _ = server.accept()
        threading.Thread(target=handle, args=(connection, action), daemon=True).start()


for port, action in ((7001, take), (7002, give), (7003, lambda connection: connection.sendall(b"x"))):
    threading.Thread(target=serve, args=(socket.create_server(("", port), backlog=2048), action)).start()
with open(sys.argv[2], "w") as log:
    log.write("ready\n")
