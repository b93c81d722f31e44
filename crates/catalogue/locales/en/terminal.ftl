# What the terminal puppet itself says.

terminal-help = Write a line, and the bot reads it. Commands:
    { "  " }/as NAME      speak as NAME
    { "  " }/room TOPIC   speak in the room TOPIC; /room alone: one to one again
    { "  " }/image FILE   send a picture
    { "  " }/who          who is there
    { "  " }/help         this text
    A line that begins with // is a message that begins with /. In a message ⏎ is a line break. End with Ctrl-D or Ctrl-C.
terminal-unprinted = what the bot says cannot be printed: { $why }. It is tried again until the bot ends.
terminal-line = line { $number }: { $why }
terminal-too-long = { $length } bytes, at most { $most } are read: it was skipped
terminal-not-utf8 = byte { $at } is no UTF-8: the line was skipped
terminal-as-whom = /as needs a name: /as Alice
terminal-which-image = /image needs a file: /image cat.png
terminal-no-command = there is no command /{ $name }; /help lists them (a message may begin with //)
terminal-not-the-bot = the bot speaks for itself: choose another name
terminal-you-are = you are { $name } now
terminal-in-room = you are in { $topic } now
terminal-alone-now = you are alone with the bot now
terminal-alone = alone with the bot
terminal-with = in { $topic } with { $members }
terminal-who = you are { $name }, { $place }; known: { $names }
terminal-long-name = { $length } bytes are too long for a name, at most { $most } are taken
terminal-many-people = there are { $count } people already, no more are taken
terminal-many-rooms = there are { $count } rooms already, no more are taken
terminal-no-image = { $path } cannot be sent: { $why }
terminal-to = bot to { $place }
