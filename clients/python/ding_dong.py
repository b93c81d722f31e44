"""A ding-dong bot of the published Python SDK. Who serves it, it reads from the environment."""
import asyncio
import os

from wechaty_puppet import PuppetOptions

# Since Python 3.11 a default of a data class must be hashable, and one in the SDK is not. Python 3.10 needs no such line.
PuppetOptions.__hash__ = object.__hash__

from wechaty import Message, Wechaty, WechatyOptions  # noqa: E402


class DingDong(Wechaty):
    async def on_scan(self, qr_code, status, data=None):
        print(f'scan to log in ({status}): {qr_code}', flush=True)

    async def on_login(self, contact):
        print(f'{contact.name} logged in', flush=True)

    async def on_message(self, msg: Message):
        print(f'{msg.talker().name}: {msg.text()}', flush=True)
        if not msg.is_self() and msg.text() == 'ding':
            await msg.say('dong')


# The SDK also opens a web page for plugins, on all addresses unless told otherwise.
asyncio.run(DingDong(WechatyOptions(host='127.0.0.1', port=int(os.environ.get('PORT', 5000)))).start())
