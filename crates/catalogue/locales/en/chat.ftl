# What the web chat's server says in a conversation, in English. The page's own texts are in webchat.ftl.

# A visitor who gave no name.
guest = Guest { $number }

note-created = { $name } made this room
note-came = { $name } came in
note-left = { $name } left
note-removed = { $name } was removed
note-topic = { $name } renamed the room: { $topic }
