# SPDX-License-Identifier: GPL-3.0-or-later
"""A server for network block devices, as far as QEMU and the tools of nbd ask for it: fixed newstyle negotiation, several exports by name,
simple replies (https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md). What the disks are is not its business."""

import errno
import os
import socket
import struct
import threading

from .errors import LabError

MAGIC, OPTION_MAGIC, OPTION_REPLY = 0x4E42444D41474943, 0x49484156454F5054, 0x3E889045565A9
REQUEST_MAGIC, REPLY_MAGIC = 0x25609513, 0x67446698
FIXED_NEWSTYLE, NO_ZEROES = 1, 2
OPT_EXPORT_NAME, OPT_ABORT, OPT_LIST, OPT_INFO, OPT_GO = 1, 2, 3, 6, 7
REP_ACK, REP_SERVER, REP_INFO = 1, 2, 3
REP_ERR_UNSUP, REP_ERR_INVALID, REP_ERR_UNKNOWN = 2**31 + 1, 2**31 + 3, 2**31 + 6
INFO_EXPORT, INFO_BLOCK_SIZE = 0, 3
# has flags, FLUSH, FUA, TRIM, WRITE_ZEROES
TRANSMISSION = 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6
CMD_READ, CMD_WRITE, CMD_DISC, CMD_FLUSH, CMD_TRIM, CMD_WRITE_ZEROES = 0, 1, 2, 3, 4, 6
FLAG_FUA = 1
LONGEST = 32 << 20  # bytes of a read or a write
REQUEST = struct.Struct(">IHHQQI")
REPLY = struct.Struct(">IIQ")


class Gone(Exception):
    """The other side is gone, or the disks are: nothing more is answered."""


class Export:
    """A disk as the server knows it. Each call is one request; an OSError becomes its answer, Gone ends the connection without one."""

    size = 0
    sector = 512

    def read(self, offset, length):
        """Bytes."""
        raise NotImplementedError

    def write(self, offset, data, fua):
        """`fua`: on the disk before the answer."""
        raise NotImplementedError

    def zero(self, offset, length, fua):
        """Zeros."""
        raise NotImplementedError

    def trim(self, offset, length, fua):
        """Not needed any more."""
        raise NotImplementedError

    def flush(self):
        """All that was answered is on the disk."""
        raise NotImplementedError


class Connection:
    """One client."""

    def __init__(self, client, exports):
        self._client = client
        self._exports = exports

    def serve(self):
        """Until it goes."""
        try:
            export = self._negotiate()
            while export:
                self._request(export)
        except (Gone, OSError):
            pass
        finally:
            self._client.close()

    def _receive(self, length):
        data = bytearray(length)
        view = memoryview(data)
        while view:
            count = self._client.recv_into(view)
            if not count:
                raise Gone
            view = view[count:]
        return data

    def _unpack(self, form):
        return struct.unpack(form, self._receive(struct.calcsize(form)))

    # --- negotiation

    def _negotiate(self):
        """The export that the client wants, or None where it wants none."""
        self._client.sendall(struct.pack(">QQH", MAGIC, OPTION_MAGIC, FIXED_NEWSTYLE | NO_ZEROES))
        no_zeroes = self._unpack(">I")[0] & NO_ZEROES
        while True:
            magic, option, length = self._unpack(">QII")
            if magic != OPTION_MAGIC or length > 65536:
                raise Gone
            data = bytes(self._receive(length))
            if option == OPT_ABORT:
                self._say(option, REP_ACK)
                return None
            if option == OPT_EXPORT_NAME:
                return self._old_answer(data, no_zeroes)
            export = self._option(option, data)
            if export:
                return export

    def _say(self, option, kind, data=b""):
        self._client.sendall(struct.pack(">QIII", OPTION_REPLY, option, kind, len(data)) + data)

    def _old_answer(self, data, no_zeroes):
        """There is no way to say no."""
        export = self._exports.get(data.decode("utf-8", "replace"))
        if not export:
            raise Gone
        self._client.sendall(struct.pack(">QH", export.size, TRANSMISSION) + bytes(0 if no_zeroes else 124))
        return export

    def _option(self, option, data):
        """The export where the client goes on to it."""
        if option == OPT_LIST:
            for name in self._exports:
                self._say(option, REP_SERVER, struct.pack(">I", len(name.encode())) + name.encode())
            self._say(option, REP_ACK)
        elif option in (OPT_INFO, OPT_GO):
            return self._info(option, data)
        else:
            self._say(option, REP_ERR_UNSUP)
        return None

    def _info(self, option, data):
        length = struct.unpack_from(">I", data)[0] if len(data) >= 6 else len(data)
        if 4 + length + 2 > len(data):
            self._say(option, REP_ERR_INVALID)
            return None
        export = self._exports.get(data[4:4 + length].decode("utf-8", "replace"))
        if not export:
            self._say(option, REP_ERR_UNKNOWN)
            return None
        self._say(option, REP_INFO, struct.pack(">HQH", INFO_EXPORT, export.size, TRANSMISSION))
        self._say(option, REP_INFO, struct.pack(">HIII", INFO_BLOCK_SIZE, export.sector, 4096, LONGEST))
        self._say(option, REP_ACK)
        return export if option == OPT_GO else None

    # --- transmission

    def _request(self, export):
        magic, flags, kind, cookie, offset, length = REQUEST.unpack(self._receive(REQUEST.size))
        if magic != REQUEST_MAGIC or kind == CMD_DISC or (kind == CMD_WRITE and length > LONGEST):
            raise Gone
        data = self._receive(length) if kind == CMD_WRITE else b""
        code, answer = 0, b""
        try:
            answer = carry_out(export, kind, flags, offset, length, data)
        except OSError as error:
            code = error.errno or errno.EIO
        self._client.sendall(REPLY.pack(REPLY_MAGIC, code, cookie) + answer)


def carry_out(export, kind, flags, offset, length, data):
    """A request; what a read gives."""
    if kind == CMD_FLUSH:
        export.flush()
        return b""
    if offset + length > export.size or (kind == CMD_READ and length > LONGEST):
        raise OSError(errno.EINVAL if kind == CMD_READ else errno.ENOSPC, "behind the end")
    if kind == CMD_READ:
        return export.read(offset, length)
    fua = bool(flags & FLAG_FUA)
    if kind == CMD_WRITE:
        export.write(offset, data, fua)
    elif kind == CMD_WRITE_ZEROES:
        export.zero(offset, length, fua)
    elif kind == CMD_TRIM:
        export.trim(offset, length, fua)
    else:
        raise OSError(errno.EINVAL, "no such command")
    return b""


def bind_unix(path):
    """A listening socket. A folder's descriptor stands in for its name: an address holds 107 bytes only."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_PATH | os.O_DIRECTORY)
    try:
        if os.path.exists(path):
            os.unlink(path)
        listener.bind(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
        listener.listen(16)
    except OSError as error:
        listener.close()
        raise LabError(f"{path}: {error}") from None
    finally:
        os.close(folder)
    return listener


class Server:
    """`with Server(path, {"d0": export}):`, a thread for each connection."""

    def __init__(self, path, exports):
        self.path = path
        self._exports = exports
        self._listener = None
        self._clients = []

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Listens."""
        self._listener = bind_unix(self.path)
        threading.Thread(target=self._accept, args=(self._listener,), name="nbd", daemon=True).start()
        return self

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # stopped
            thread = threading.Thread(target=Connection(client, self._exports).serve, name="nbd-client", daemon=True)
            self._clients = [entry for entry in self._clients if entry[1].is_alive()] + [(client, thread)]
            thread.start()

    def hang_up(self):
        """On everybody; and waits until nobody touches a disk any more. What was sent and not read is forgotten. New clients are welcome."""
        clients, self._clients = self._clients, []
        for client, thread in clients:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has gone by itself
            thread.join(10)

    def stop(self):
        """Nobody listens any more."""
        if not self._listener:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None
        self.hang_up()
        os.unlink(self.path)
