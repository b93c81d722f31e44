"""The published Python SDK at our fake: its calls, its long connection, its webhooks, its registration of an app.

Called with the address of a fake that nobody has used yet.
"""
import events
import fake
import hooks
import rest
import store


def main():
    """Everything, one after the other."""
    fake.admin('PATCH', 'settings', {
        'limits': False, 'poll_seconds': 0, 'retries_ms': [100, 100, 100, 100], 'ack_ms': 30_000,
        'connection': {'ping': 1, 'reconnect': 0, 'nonce': 0, 'count': -1},
    })
    world = rest.World()
    for part in (rest.tokens, rest.sends, rest.changes, rest.reactions, rest.media, rest.errors):
        part(world)
    for part in (rest.chats, rest.contacts, rest.cards):
        part(world)
    store.registers()
    events.over_connection(world)
    hooks.by_webhook(world)
    store.tickets(world)
    fake.equal('frames that are none', fake.admin('GET', 'book')['bad_frames'], 0)
    fake.ended()


if __name__ == '__main__':
    main()
