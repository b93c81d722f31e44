"""A way to a server that can go dead: what is open stays open, and not a byte comes through any more."""
import socket
import threading


class Proxy:
    """From a port of its own to another of loopback."""

    def __init__(self, port):
        self.target, self.open, self.lock = port, [], threading.Lock()
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            try:
                far = socket.create_connection(('127.0.0.1', self.target))
            except OSError:
                near.close()
                continue
            way = {'dead': False, 'sockets': (near, far)}
            with self.lock:
                self.open.append(way)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(way, one, other), daemon=True).start()

    def _carry(self, way, one, other):
        try:
            while data := one.recv(65536):
                if way['dead']:
                    return  # neither end hears of it
                other.sendall(data)
        except OSError:
            pass
        if not way['dead']:
            for end in (one, other):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def freeze(self):
        """All connections there are; new ones are well. How many there were."""
        with self.lock:
            frozen, self.open = self.open, []
        for way in frozen:
            way['dead'] = True
        return len(frozen)
