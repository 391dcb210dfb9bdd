"""client.py ADDRESS SECONDS CONNECTIONS: prints Gbit/s out, Gbit/s in, and ms for one connection of CONNECTIONS."""

import socket
import sys
import time

address, seconds, connections = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
BLOCK = bytes(1 << 20)


def send():
    connection = socket.create_connection((address, 7001))
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        connection.sendall(BLOCK)
    connection.sendall(b"end")
    # What is taken in and not only buffered on the way.
    total = int(connection.recv(100))
    return total * 8 / (time.perf_counter() - start) / 1e9


def receive():
    connection = socket.create_connection((address, 7002))
    start, total = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        total += len(connection.recv(1 << 20))
    return total * 8 / (time.perf_counter() - start) / 1e9


def connect():
    start = time.perf_counter()
    for _ in range(connections):
        with socket.create_connection((address, 7003)) as connection:
            connection.recv(1)
    return (time.perf_counter() - start) / connections * 1e3


send()
print(send(), receive(), connect())
