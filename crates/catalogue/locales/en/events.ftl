# What is wrong with a request about events and webhooks, in English.

events-id = { $id } is no id of an event that was told.
events-streams = { $most } are open, and more may not be.
events-type = There is no event of type { $type }.
events-socket = Ask for the protocol `websocket`, version 13.
webhook-is-paused = { $id } is told nothing at the moment.
