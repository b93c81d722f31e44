-- When an event was committed and when its puppet was told so, of those that are not over in a moment.
ALTER TABLE event ADD COLUMN committed INTEGER;
ALTER TABLE event ADD COLUMN acked INTEGER;
ALTER TABLE archive ADD COLUMN committed INTEGER;
ALTER TABLE archive ADD COLUMN acked INTEGER;

-- An event by its number.
CREATE INDEX archive_seq ON archive (seq) WHERE book = 0;
