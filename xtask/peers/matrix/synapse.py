"""A Synapse of the PyPI package on loopback: configured, started, killed and started again by its process id.

By hand: `python synapse.py FOLDER PORT` in its virtual environment serves until Ctrl-C. Nothing else here is needed for that.
"""
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

SERVER = 'localhost'
# Bytes: small enough to be reached by a test.
LARGEST_UPLOAD = 12 << 20

CONFIG = '''server_name: "{server}"
public_baseurl: "{url}/"
pid_file: homeserver.pid
signing_key_path: signing.key
media_store_path: media
log_config: log.yaml
report_stats: false
trusted_key_servers: []
suppress_key_server_warning: true
federation_domain_whitelist: []
registration_shared_secret: "{secret}"
macaroon_secret_key: "{secret}-macaroon"
form_secret: "{secret}-form"
bcrypt_rounds: 4
max_upload_size: {largest}
enable_media_repo: true
url_preview_enabled: false
user_directory: {{ enabled: true, search_all_users: true }}
database: {{ name: sqlite3, args: {{ database: homeserver.db }} }}
listeners: [{{ port: {port}, type: http, bind_addresses: ["127.0.0.1"], resources: [{{ names: [client] }}] }}]
login_via_existing_session: {{ enabled: true, require_ui_auth: false }}
rc_message: &r {{ per_second: 10000, burst_count: 10000 }}
rc_registration: *r
rc_registration_token_validity: *r
rc_login: {{ address: *r, account: *r, failed_attempts: *r }}
rc_admin_redaction: *r
rc_joins: {{ local: *r, remote: *r }}
rc_joins_per_room: *r
rc_room_creation: *r
rc_invites: {{ per_room: *r, per_user: *r, per_issuer: *r }}
rc_third_party_invite: *r
rc_media_create: *r
rc_key_requests: *r
rc_reports: *r
rc_user_directory: *r
rc_presence: {{ per_user: *r }}
'''

LOG = '''version: 1
formatters: { f: { format: "%(asctime)s %(levelname)s %(name)s %(message)s" } }
handlers: { f: { class: logging.FileHandler, filename: homeserver.log, formatter: f } }
root: { level: WARNING, handlers: [f] }
disable_existing_loggers: false
'''

# It is killed here, and no machine loses its power: what is committed need not be on the disk, and a commit is a third of
# all its work.
START = '''import sys
from synapse.app.homeserver import main
from synapse.storage.engines.sqlite import Sqlite3Engine

prepare = Sqlite3Engine.on_new_connection

def on_new_connection(engine, connection):
    prepare(engine, connection)
    connection.execute('PRAGMA synchronous = OFF;')
    connection.commit()

Sqlite3Engine.on_new_connection = on_new_connection
sys.argv[0] = 'synapse'
main()
'''


class Synapse:
    """A homeserver with its folder; whoever makes one stops it."""

    def __init__(self, folder, port, secret='wechaty-test'):
        self.folder, self.port, self.secret = os.path.abspath(folder), port, secret
        self.url = f'http://127.0.0.1:{port}'
        self.process = None
        os.makedirs(os.path.join(self.folder, 'media'), exist_ok=True)
        config = CONFIG.format(server=SERVER, url=self.url, secret=secret, port=port, largest=LARGEST_UPLOAD)
        for name, text in (('homeserver.yaml', config), ('log.yaml', LOG)):
            with open(os.path.join(self.folder, name), 'w', encoding='utf-8') as file:
                file.write(text)
        if not os.path.exists(os.path.join(self.folder, 'signing.key')):
            self._synapse('--generate-keys').wait(180)

    def _synapse(self, *more):
        command = [sys.executable, '-c', START, '-c', 'homeserver.yaml', *more]
        # What it prints beside its log is for people.
        with open(os.path.join(self.folder, 'stdout.log'), 'ab') as log:
            return subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self, seconds=180):
        """Serves when this returns."""
        self.process = self._synapse()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f'Synapse ended with {self.process.returncode}: see {self.folder}')
            try:
                with urllib.request.urlopen(self.url + '/health', timeout=10) as answer:
                    if answer.status == 200:
                        return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.kill()
        raise RuntimeError(f'Synapse is not there after {seconds} s: see {self.folder}')

    def kill(self):
        """Without a word of warning."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    def register(self, user, password, admin=False):
        """Makes an account with the shared secret, without a device: `@user:localhost`."""
        address = self.url + '/_synapse/admin/v1/register'
        with urllib.request.urlopen(address, timeout=90) as answer:
            nonce = json.load(answer)['nonce']
        words = [nonce, user, password, 'admin' if admin else 'notadmin']
        mac = hmac.new(self.secret.encode(), '\0'.join(words).encode(), hashlib.sha1).hexdigest()
        body = {'nonce': nonce, 'username': user, 'password': password, 'admin': admin, 'mac': mac,
                'inhibit_login': True}
        request = urllib.request.Request(address, json.dumps(body).encode(), {'content-type': 'application/json'})
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)['user_id']


def main():
    """Serves by hand."""
    synapse = Synapse(sys.argv[1], int(sys.argv[2])).start()
    print(f'{synapse.url} serves; registration_shared_secret is {synapse.secret}', flush=True)
    try:
        synapse.process.wait()
    except KeyboardInterrupt:
        synapse.kill()


if __name__ == '__main__':
    main()
