"""Apps that are registered by QR code, and apps of the store, whose tokens are made of tickets."""
import json

import lark_oapi as lark
from lark_oapi.core.token import TokenManager
from lark_oapi.scene import registration

from fake import APP, SECRET, URL, admin, equal, true
from rest import forget_token, refused


def registers():
    """Approved, denied, expired."""
    seen = []

    def with_decision(**decision):
        def show(info):
            seen.append(info['url'])
            admin('POST', 'registration', decision)
        try:
            return registration.register_app(on_qr_code=show, domain=URL, lark_domain=URL)
        except registration.RegisterAppError as error:
            return type(error).__name__
    done = with_decision(approve=True, by='ou_me')
    equal('registered', (done['client_id'], done['client_secret']), (APP, SECRET))
    equal('registered by', done['user_info'], {'open_id': 'ou_me', 'tenant_brand': 'feishu'})
    true('the code to scan', 'user_code=' in seen[0] and 'from=sdk' in seen[0], seen)
    equal('denied', with_decision(approve=False), 'AppAccessDeniedError')
    equal('expired', with_decision(expire=True), 'AppExpiredError')


def tickets(world):
    """A store app cannot do without a ticket."""
    admin('PATCH', 'settings', {'store_app': True})
    admin('POST', 'tokens/expire')
    forget_token()
    try:
        world.sent('x')
        true('a store app has no token of its own', False)
    except Exception as error:  # pylint: disable=broad-except
        equal('a store app has no token of its own', getattr(error, 'code', None), 10013)
    ticket = admin('POST', 'ticket')['app_ticket']
    told = [one for one in admin('GET', 'events') if one['event_type'] == 'app_ticket'][-1]
    equal('the ticket is told in the old shape', (told['body']['type'], told['body']['event']['app_ticket']),
          ('event_callback', ticket))
    tenant = admin('GET', 'settings')['tenant_key']
    client = lark.Client.builder().app_id(APP).app_secret(SECRET).domain(URL).app_type(lark.AppType.ISV).build()
    option = lark.RequestOption.builder().tenant_key(tenant).app_ticket(ticket).build()
    request = lark.BaseRequest.builder().http_method(lark.HttpMethod.GET).uri('/open-apis/bot/v3/info') \
        .token_types({lark.AccessTokenType.TENANT}).build()
    answer = client.request(request, option)
    true('with a ticket', answer.success() and json.loads(answer.raw.content)['bot'], answer.msg)
    TokenManager.cache.set(f'isv_app_token:{APP}', '', 0)
    admin('POST', 'tokens/expire')
    refused('its tokens expire, too', client.request(request, option), 99991663)
    admin('PATCH', 'settings', {'store_app': False})
