"""Our fake of Lark as a process, and the people on it: by its admin door, and by the platform's own calls as plain HTTP."""
import json
import subprocess

from people import http

# What nobody acknowledged waits for who comes back, and comes again soon.
SETTINGS = {'patient': True, 'retries_ms': [200, 500, 1000, 2000, 5000],
            'connection': {'ping': 120, 'reconnect': 1, 'nonce': 0, 'count': -1, 'most': 50}}


class Lark:
    """A server; whoever makes one stops it."""

    def __init__(self, program):
        command = [program, '--settings', json.dumps(SETTINGS)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = json.loads(self.process.stdout.readline())['url']
        settings = self.admin('GET', 'settings')
        self.app, self.secret = settings['app_id'], settings['app_secret']

    def kill(self):
        """It ends with us in any case."""
        self.process.kill()
        self.process.wait()

    def admin(self, method, path, body=None):
        """What people do, and what the book says."""
        return json.loads(http(method, f'{self.url}/admin/{path}', body=body)[0])

    def person(self, name):
        """Somebody's id."""
        return self.admin('POST', 'people', {'name': name})['open_id']

    def chat(self, name, *members):
        """The id of a group with the bot in it."""
        return self.admin('POST', 'chats', {'name': name, 'owner': members[0], 'members': members})['chat_id']

    def listening(self):
        """Whether a bot is connected."""
        return bool(self.admin('GET', 'connections'))

    def say(self, who, chat, text='', **more):
        """The id of what somebody says."""
        return self.admin('POST', 'say', {'from': who, 'chat': chat, 'text': text, **more})['message_id']

    def sent(self, chat):
        """All that the bot has put into a chat, also what it took back, oldest first."""
        return self.admin('GET', f'sent?chat={chat}')

    def file(self, message, key):
        """The bytes of a picture, as the platform gives them."""
        asked = {'app_id': self.app, 'app_secret': self.secret}
        token = json.loads(http('POST', f'{self.url}/open-apis/auth/v3/tenant_access_token/internal', body=asked)[0])
        address = f'{self.url}/open-apis/im/v1/messages/{message}/resources/{key}?type=image'
        return http('GET', address, token['tenant_access_token'])[0]


def text_of(message):
    """What it says now, where it is a text."""
    return json.loads(message['content']).get('text')
