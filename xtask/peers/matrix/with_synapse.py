"""Runs a command beside a Synapse, told of it by `SYNAPSE_URL` and `SYNAPSE_SECRET`; its exit code is ours."""
import os
import subprocess
import sys

from checks import free_port
from synapse import Synapse


def main():
    """In the folder where it is called."""
    synapse = Synapse('synapse', free_port()).start()
    try:
        env = dict(os.environ, SYNAPSE_URL=synapse.url, SYNAPSE_SECRET=synapse.secret)
        return subprocess.run(sys.argv[1:], env=env, check=False, stdin=subprocess.DEVNULL).returncode
    finally:
        synapse.kill()


sys.exit(main())
