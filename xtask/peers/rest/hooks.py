"""Ids that are in the world, for half of the requests: others get no further than "there is none"."""

import schemathesis

KNOWN = {
    "contacts": "pilot",
    "rooms": "deck@harbour",
    "message": "in-text",
    "friendship": "ask-castaway",
    "room-invitations": "invite-lagoon",
}
NAMED = {"contact_id": "pilot", "conversation_id": "pilot", "message_id": "in-text", "member_id": "mate"}


def plain(value):
    """Whether it is a value that may stand there: what is wrong on purpose stays wrong."""
    return isinstance(value, str) and 0 < len(value) < 64


def chosen(value):
    return sum(map(ord, value)) % 2 == 0


@schemathesis.hook
def map_path_parameters(ctx, path_parameters):
    if not path_parameters or ctx.operation is None:
        return path_parameters
    part = ctx.operation.path.split("/")[1]
    for name, value in list(path_parameters.items()):
        known = NAMED.get(name) or (KNOWN.get(part) if name == "id" else None)
        if known and plain(value) and chosen(value):
            path_parameters[name] = known
    return path_parameters


def receiver(to):
    if isinstance(to, dict) and len(to) == 1:
        for name, known in (("contact", "pilot"), ("room", "deck@harbour")):
            if plain(to.get(name)) and chosen(to[name]):
                to[name] = known


@schemathesis.hook
def map_body(ctx, body):
    if isinstance(body, dict):
        receiver(body.get("to"))
        for one in body["sends"] if isinstance(body.get("sends"), list) else []:
            if isinstance(one, dict):
                receiver(one.get("to"))
        if isinstance(body.get("contactIds"), list) and body["contactIds"] and all(map(plain, body["contactIds"])):
            body["contactIds"] = ["pilot", "mate"][: len(body["contactIds"])]
    return body
