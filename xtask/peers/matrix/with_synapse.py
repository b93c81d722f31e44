"""Runs a command beside a Synapse, told of it by `SYNAPSE_URL` and `SYNAPSE_SECRET`; its exit code is ours.

`-2 COMMAND…`: beside two, whose addresses have a space between. One uses one processor.
"""
import os
import subprocess
import sys

from checks import free_port
from synapse import Synapse


def main():
    """In the folder where it is called."""
    command = sys.argv[1:]
    names = ['synapse']
    if command[0] == '-2':
        command, names = command[1:], ['synapse', 'second']
    homes = []
    try:
        for name in names:
            homes.append(Synapse(name, free_port()))
            homes[-1].start()
        env = dict(os.environ, SYNAPSE_URL=' '.join(home.url for home in homes), SYNAPSE_SECRET=homes[0].secret)
        return subprocess.run(command, env=env, check=False, stdin=subprocess.DEVNULL).returncode
    finally:
        for home in homes:
            home.kill()


sys.exit(main())
