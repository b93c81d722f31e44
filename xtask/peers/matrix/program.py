"""One of our programs as a process: nothing that was set for other bots, and all that it prints in one file."""
import os
import subprocess


class Program:
    """Lives one after the other, in a folder."""

    def __init__(self, command, folder='.', **settings):
        self.command, self.folder, self.process = command, os.path.abspath(folder), None
        self.settings = {'RUST_LOG': 'info', 'HOME': self.folder, **settings}
        self.path = os.path.join(self.folder, os.path.basename(command[0]) + '.log')
        os.makedirs(self.folder, exist_ok=True)

    def start(self):
        """Begins a life; it may not be there yet when this returns."""
        env = {name: value for name, value in os.environ.items() if not name.startswith('WECHATY')}
        env.update(self.settings)
        with open(self.path, 'ab') as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def kill(self):
        """Without a word of warning."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def lines(self):
        """All that its lives have printed."""
        with open(self.path, encoding='utf-8', errors='replace') as log:
            return log.read().splitlines()

    def log(self, last=25):
        """The end of that."""
        return '\n'.join(self.lines()[-last:])
