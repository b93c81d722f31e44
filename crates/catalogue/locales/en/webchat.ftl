# The texts of the web chat page, in English.

app-name = Wechaty chat
skip = Skip to the message field
sidebar = Conversations and rooms
conversations = Conversations
rooms-open = Rooms you can enter
rooms-none = No other rooms right now. Open one with the plus sign.
me-hint = This is you, in this tab
you = You
bot = Bot
bot-subtitle = Bot · answers here
back = Back to the list
close = Close
cancel = Cancel
save = Save
download = Download

# The door
join = Start chatting
join-title = Say hello
join-lead = Chat with the bot, or meet others in a room.
join-name = Your name
join-placeholder = For example Alice
join-hint = Leave it empty and you get a name. You can change it later.
join-token = Access token
join-token-hint = Whoever runs this bot has given you a link with a token, or the token itself.
name-change = Change your name
rejoined = The server had restarted. You are in again as { $name }.

# Switches and connection
theme-light = Switch to light colours
theme-dark = Switch to dark colours
connecting = Connecting…
connected = Connected
no-connection = The server cannot be reached. Please try again in a moment.

# Rooms
room-new = New room
room-topic = What is the room about?
room-topic-example = For example Weekend hike
room-create = Create room
room-enter = Enter room
room-leave = Leave room
room-leave-text = You leave “{ $name }”. You can enter again as long as the room is there.
members = Members
members-of = Members of { $name }
members-count = Members: { $count }

# Messages
messages = Messages
message-by = { $name }, { $time }
message-actions = What you can do with this message
new-messages = New messages
empty = No messages yet
unread = unread: { $count }
jump = To the newest message
jump-new = To the newest message, unread: { $count }
day-today = Today
day-yesterday = Yesterday
edited = edited
recalled-own = You recalled a message
recalled-other = { $name } recalled a message
quote-jump = Show the quoted message
quote-gone = The quoted message is no longer there.
quote-recalled = This message was recalled
choices = Choices
reactions = Reactions
reaction-of = { $reaction } from { $names }
names-more = { $names } and { $count } more
typing-short = typing…
typing-one = { $name } is typing…
typing-many = { $count } people are typing…
act-react = React
act-quote = Reply with quote
act-edit = Edit
act-recall = Recall
recall-title = Recall this message?
recall-text = Everybody will see a note in its place. This cannot be undone.

# The message field
compose = Write a message
message-field = Message
hint-keys = Enter sends, Shift+Enter starts a new line
hint-size = Files up to { $size }
send = Send
attach = Attach a file, up to { $size }
drop = Drop files here to send them, up to { $size } each
paste-title = Picture from the clipboard
editing = Edit message
quoting = Reply to { $name }
too-long = Too long by { $count } characters
file-too-large = “{ $name }” is { $size }. Files may be up to { $limit }.
mention = People to mention
mention-count = Suggestions: { $count }. Choose with the arrow keys and Enter.
upload-progress = Sending { $name }
delivery-sending = Sending
delivery-sent = Sent
delivery-failed = Not sent
send-failed = Not sent: the server cannot be reached.
retry = Retry
discard = Discard

# Kinds of messages, where the list has room for one line only
kind-text = Message
kind-markdown = Message
kind-image = Picture
kind-audio = Audio
kind-video = Video
kind-file = File
kind-url = Link
kind-location = Place
kind-contact = Contact
kind-card = Card
kind-menu = Menu
kind-note = Notice
image-open = Open the picture { $name } in large
