"""The SDK's dispatcher as a webhook: what the fake signs and encrypts, good and bad."""
import http.server
import threading

import lark_oapi as lark

from events import Heard, presses
from fake import acked, admin, equal, event, true, until

TOKEN, KEY = 'verify-0123456789', 'encrypt-key-测试'


class Receiver(http.server.BaseHTTPRequestHandler):
    """Hands what is posted to the SDK."""

    dispatcher = None
    statuses = []

    def log_message(self, *_):
        """Nothing is printed."""

    def do_POST(self):  # pylint: disable=invalid-name
        """One event."""
        request = lark.RawRequest()
        request.uri = self.path
        # As the SDK's own adapter does: by the names in which the platform writes them.
        request.headers = {name.title(): value for name, value in self.headers.items()}
        request.body = self.rfile.read(int(self.headers['content-length']))
        answer = Receiver.dispatcher.do(request)
        Receiver.statuses.append(answer.status_code)
        self.send_response(answer.status_code)
        self.send_header('content-length', str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)


def by_webhook(world):
    """Plain with a token, then encrypted and signed."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f'http://127.0.0.1:{server.server_port}/webhooks/lark'
    alice, group = world.alice['open_id'], world.group
    for key in ('', KEY):
        how = 'encrypted' if key else 'plain'
        heard = Heard()
        Receiver.dispatcher = heard.handler(key, TOKEN)
        wrong = admin('POST', 'webhook', {'url': url, 'token': 'wrong', 'encrypt_key': key}, good=False)
        true(f'{how}: a challenge with a wrong token', 'error' in wrong, wrong)
        admin('POST', 'webhook', {'url': url, 'token': TOKEN, 'encrypt_key': key})
        message = admin('POST', 'say', {'from': alice, 'chat': group, 'text': '你好'})['message_id']
        true(f'{how}: acknowledged', acked('im.message.receive_v1', message), event('im.message.receive_v1', message))
        equal(f'{how}: content', heard.last('im.message.receive_v1').message.content, '{"text":"你好"}')
        presses(world)
        for kind in ['bad_token'] + (['bad_signature', 'changed'] if key else []):
            Receiver.statuses.clear()
            before = len(heard.all)
            admin('POST', 'event-faults', {'kind': kind, 'event_type': 'im.message.receive_v1'})
            message = admin('POST', 'say', {'from': alice, 'chat': group, 'text': kind})['message_id']
            found = acked('im.message.receive_v1', message)
            equal(f'{how} {kind}: refused, then taken', Receiver.statuses, [500, 200])
            equal(f'{how} {kind}: the book', [one['outcome'] for one in found['attempts']], ['HTTP 500', 'acked'])
            equal(f'{how} {kind}: the handler saw one', len(heard.all) - before, 1)
    heard.fails = 9
    message = admin('POST', 'say', {'from': alice, 'chat': group, 'text': 'never'})['message_id']
    given_up = until(lambda: event('im.message.receive_v1', message)['state'] == 'given_up')
    true('four more tries, then it is given up', given_up)
    equal('five in all', len(event('im.message.receive_v1', message)['attempts']), 5)
    server.shutdown()
    admin('PATCH', 'settings', {'route': 'connection'})
