-- baophat · how the store is laid out. This file is documentation first, and the program itself runs it on a new store.
--
-- A store is two SQLite files side by side, and a third where alerts or subscriptions are configured:
--   baophat.db         the inbox: every record that was acknowledged, as it came. synchronous=FULL; a 200 follows its commit.
--   baophat-state.db   what follows from it: messages, conversations, outcomes. Rebuilt from the inbox as far back as records are kept.
--   baophat-outbox.db  what waits to be sent on, and how far each receiver has followed the feed. synchronous=FULL.
-- Each file has one writer, and they never wait for each other. Each file carries its version in PRAGMA user_version.
-- Times are milliseconds since 1970 (UTC). Ids of providers are text, compared byte by byte.

-- ======== inbox ========

-- Accounts that ever wrote a record. Numbers are given once and never reused.
CREATE TABLE account (
  no        INTEGER PRIMARY KEY,           -- our number
  id        TEXT NOT NULL UNIQUE,          -- the slug in URLs and configuration
  provider  TEXT NOT NULL                  -- zalo, facebook, esms …
) STRICT;

-- One row per record: a provider's callback, or a call of our own API. Append-only; pruned from the old end by retention.
CREATE TABLE record (
  seq           INTEGER PRIMARY KEY,       -- 1, 2, 3 … in the order of durability
  account       INTEGER NOT NULL REFERENCES account(no),
  kind          INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),  -- 0 callback, 1 registrations, 2 send answer, 3 operator's mark
  received_at   INTEGER NOT NULL,          -- arrival by our clock
  source        TEXT,                      -- callbacks: the address it came from
  method        INTEGER CHECK (method IN (0, 1)),  -- callbacks: 0 GET, 1 POST
  query         TEXT,                      -- callbacks: the raw query
  content_type  TEXT,                      -- callbacks: as received
  headers       TEXT,                      -- callbacks: the kept headers, a JSON object
  body          BLOB NOT NULL,             -- callbacks: the raw bytes; own calls: JSON
  identity      BLOB                       -- callbacks: 16 bytes of SHA-256 over account and content; equal means repeat
) STRICT;

-- Callbacks that came more than once: how often again, and when last.
CREATE TABLE repeat (
  seq      INTEGER PRIMARY KEY,            -- the record that was stored
  count    INTEGER NOT NULL,               -- repeats after the first
  last_at  INTEGER NOT NULL
) STRICT;

-- Identities of full stretches of records, sorted, so that repeats are recognised after a restart without reading the records.
CREATE TABLE identity_run (
  first_seq  INTEGER PRIMARY KEY,          -- first record of the stretch
  last_seq   INTEGER NOT NULL,             -- last record of the stretch
  newest_at  INTEGER NOT NULL,             -- arrival of its newest record
  data       BLOB NOT NULL                 -- 8 bytes each: 4 of the identity, 4 of (seq - first_seq), little endian, sorted
) STRICT;

-- Hashes of the API keys that the program made itself (SHA-256; the key is shown once).
CREATE TABLE api_key (
  hash        BLOB PRIMARY KEY,
  name        TEXT NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;

-- Small values: store_id, sealed_seq, probe …
CREATE TABLE meta (
  key    TEXT PRIMARY KEY,
  value  TEXT NOT NULL
) STRICT;

-- ======== state ========

-- One row per message. What is shown follows from `dossier`; the columns are for finding, listing and counting.
CREATE TABLE message (
  row              INTEGER PRIMARY KEY,    -- 1, 2, 3 … in the order of becoming known; part of the public id
  account          INTEGER NOT NULL,       -- inbox account.no
  provider         TEXT NOT NULL,
  created_at       INTEGER NOT NULL,       -- when it became known; part of the public id
  listed_at        INTEGER,                -- = created_at while it is shown; null while hidden (hearsay only, lent, merged away)
  state            INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),  -- 0 queued, 1 sent, 2 delivered, 3 read, 4 failed
  message_id       TEXT,                   -- the provider's id
  ref              TEXT,                   -- the sender's id
  sender           TEXT,
  recipient        TEXT,
  kind             TEXT,
  template_id      TEXT,
  failure_class    TEXT,
  failure_code     TEXT,
  failure_subcode  TEXT,
  partial          INTEGER,                -- 1 or null
  conflict         INTEGER,                -- 1 or null
  stuck_cause      TEXT,                   -- null unless stuck
  stuck_since      INTEGER,
  stuck_deadline   INTEGER,
  due_at           INTEGER,                -- when the sweeper looks again; null when it need not
  thread           INTEGER,                -- conversation, where the provider has watermarks
  server_time      INTEGER,                -- the time by which watermarks reach it
  dossier          BLOB NOT NULL,          -- facts, timeline and ties (postcard, first byte: version)
  CHECK (listed_at IS NULL OR listed_at = created_at),
  CHECK ((stuck_cause IS NULL) = (stuck_deadline IS NULL))
) STRICT;

-- Every list is newest first by (listed_at, row); each filter has its index.
CREATE INDEX message_listed    ON message (listed_at, row) WHERE listed_at IS NOT NULL;
CREATE INDEX message_state     ON message (state, listed_at, row) WHERE listed_at IS NOT NULL;
CREATE INDEX message_account   ON message (account, listed_at, row) WHERE listed_at IS NOT NULL;
CREATE INDEX message_provider  ON message (provider, listed_at, row) WHERE listed_at IS NOT NULL;
CREATE INDEX message_sender    ON message (sender, listed_at, row) WHERE listed_at IS NOT NULL AND sender IS NOT NULL;
CREATE INDEX message_kind      ON message (kind, listed_at, row) WHERE listed_at IS NOT NULL AND kind IS NOT NULL;
CREATE INDEX message_template  ON message (template_id, listed_at, row) WHERE listed_at IS NOT NULL AND template_id IS NOT NULL;
CREATE INDEX message_class     ON message (failure_class, listed_at, row) WHERE listed_at IS NOT NULL AND failure_class IS NOT NULL;
CREATE INDEX message_code      ON message (failure_code, listed_at, row) WHERE listed_at IS NOT NULL AND failure_code IS NOT NULL;
CREATE INDEX message_partial   ON message (listed_at, row) WHERE partial IS NOT NULL;
CREATE INDEX message_conflict  ON message (listed_at, row) WHERE conflict IS NOT NULL;
CREATE INDEX message_stuck     ON message (listed_at, row) WHERE stuck_cause IS NOT NULL;
-- Groups of stuck messages, and the oldest of each.
CREATE INDEX message_stuck_group ON message (account, kind, state, stuck_cause, stuck_since) WHERE stuck_cause IS NOT NULL;
-- The stuck messages of an account, to look at them again when it stands differently.
CREATE INDEX message_stuck_row ON message (account, row) WHERE stuck_cause IS NOT NULL;
-- How many there are in each group, kept with every change: counting would cost by what is stuck.
CREATE TABLE stuck_group (
  account  INTEGER NOT NULL,
  kind     TEXT NOT NULL,                  -- empty where the kind is not known
  state    INTEGER NOT NULL,
  cause    TEXT NOT NULL,
  count    INTEGER NOT NULL,
  PRIMARY KEY (account, kind, state, cause)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER stuck_group_added AFTER INSERT ON message WHEN new.stuck_cause IS NOT NULL BEGIN
  INSERT INTO stuck_group (account, kind, state, cause, count) VALUES (new.account, coalesce(new.kind, ''), new.state, new.stuck_cause, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER stuck_group_left AFTER UPDATE OF stuck_cause, state, kind ON message WHEN old.stuck_cause IS NOT NULL BEGIN
  UPDATE stuck_group SET count = count - 1
    WHERE account = old.account AND kind = coalesce(old.kind, '') AND state = old.state AND cause = old.stuck_cause;
END;
CREATE TRIGGER stuck_group_joined AFTER UPDATE OF stuck_cause, state, kind ON message WHEN new.stuck_cause IS NOT NULL BEGIN
  INSERT INTO stuck_group (account, kind, state, cause, count) VALUES (new.account, coalesce(new.kind, ''), new.state, new.stuck_cause, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER stuck_group_gone AFTER DELETE ON message WHEN old.stuck_cause IS NOT NULL BEGIN
  UPDATE stuck_group SET count = count - 1
    WHERE account = old.account AND kind = coalesce(old.kind, '') AND state = old.state AND cause = old.stuck_cause;
END;
-- What falls due; only open messages are in it.
CREATE INDEX message_due       ON message (due_at) WHERE due_at IS NOT NULL;
-- What a watermark may reach.
CREATE INDEX message_thread    ON message (thread, server_time) WHERE thread IS NOT NULL;

-- Finding a message by a provider's id, a reference or a recipient: 64-bit hashes (projection::Key), checked against the message.
-- The youngest keys by which the fold finds messages (ids, references); some 131,000 of them are sealed into a run at a time.
CREATE TABLE message_key (
  hash  INTEGER NOT NULL,
  row   INTEGER NOT NULL,
  PRIMARY KEY (hash, row)
) STRICT, WITHOUT ROWID;
-- The youngest keys that only lists ask for (recipients).
CREATE TABLE recipient_key (
  hash  INTEGER NOT NULL,
  row   INTEGER NOT NULL,
  PRIMARY KEY (hash, row)
) STRICT, WITHOUT ROWID;
-- Sealed keys: immutable hash tables of pages; eight runs of a level are merged into one of the next. Keys of pruned messages stay
-- until then. Pages of a run that is not listed here are left from a merge and are deleted.
CREATE TABLE key_run (
  run      INTEGER PRIMARY KEY,            -- 1, 2, 3 … in the order in which they were begun
  side     INTEGER NOT NULL CHECK (side IN (0, 1)),  -- 0 keys of the fold, 1 keys of lists
  level    INTEGER NOT NULL,               -- 0 sealed young keys, 1 eight of those, …
  buckets  INTEGER NOT NULL,               -- pages; a hash stands in page (its upper 32 bits * buckets) >> 32
  keys     INTEGER NOT NULL,               -- keys in it
  bloom    BLOB                            -- what answers "not here" without reading a page (side 0)
) STRICT;
CREATE TABLE key_page (
  page  INTEGER PRIMARY KEY,               -- (run << 24) + number of the page in its run; empty pages have no row
  data  BLOB NOT NULL                      -- 13 bytes each, sorted: hash (8, big-endian), message row (5, big-endian)
) STRICT;

-- Conversations: their watermarks, who holds them, and when the customer wrote.
CREATE TABLE thread (
  row        INTEGER PRIMARY KEY,
  account    INTEGER NOT NULL,
  sender     TEXT NOT NULL,                -- the Page
  recipient  TEXT NOT NULL,                -- the customer
  marks      BLOB NOT NULL,                -- watermarks and signs of who holds it (postcard, first byte: version)
  UNIQUE (account, sender, recipient)
) STRICT;

-- What became of each record.
CREATE TABLE outcome (
  seq          INTEGER PRIMARY KEY,        -- inbox record.seq
  account      INTEGER NOT NULL,
  callback     INTEGER NOT NULL,           -- 1 for a provider's callback, 0 for a call of our own API
  received_at  INTEGER NOT NULL,
  status       INTEGER NOT NULL CHECK (status BETWEEN 1 AND 3),  -- 1 processed, 2 error, 3 ignored (0, received, has no row yet)
  reason       TEXT                        -- why error or ignored
) STRICT;
CREATE INDEX outcome_time    ON outcome (received_at, seq) WHERE callback = 1;
CREATE INDEX outcome_status  ON outcome (status, received_at, seq) WHERE callback = 1;
CREATE INDEX outcome_account ON outcome (account, received_at, seq) WHERE callback = 1;

-- What the watch over accounts remembers: named values that change with the records they come from, in the same commit.
CREATE TABLE sheet (
  name  TEXT PRIMARY KEY,                  -- parts with '/' between them: the kind of sheet, mostly the account, then what it is of
  data  BLOB NOT NULL                      -- postcard, first byte: version
) STRICT;

-- What happened, as it happened: streams, subscriptions and alerts follow it. One row a commit, holding its entries.
CREATE TABLE feed (
  last  INTEGER PRIMARY KEY,               -- number of the row's last entry; entries are numbered 1, 2, 3 … without a gap
  size  INTEGER NOT NULL,                  -- entries in it
  at    INTEGER NOT NULL,                  -- time of its newest entry
  data  BLOB NOT NULL                      -- the entries (postcard, first byte: version)
) STRICT;

-- Small values: cursor (the last record folded) …
CREATE TABLE meta (
  key    TEXT PRIMARY KEY,
  value  TEXT NOT NULL
) STRICT;

-- ======== outbox ========

-- Who is told: the alerts and subscriptions of the configuration, and how far each has followed the feed.
CREATE TABLE target (
  id            TEXT PRIMARY KEY,          -- as configured
  address       TEXT NOT NULL,             -- hash of where it goes: another address is another start
  cursor        INTEGER NOT NULL,          -- the last entry of the feed that was looked at
  mark          INTEGER,                   -- hash of that entry: numbers can be given anew after a power cut or to a restored state
  disabled_at   INTEGER,                   -- it answered that it is gone for good
  succeeded_at  INTEGER,
  failed_at     INTEGER,
  error         TEXT                       -- why the last failed attempt failed
) STRICT;

-- What waits, and what was given up. What was delivered has no row any more.
CREATE TABLE delivery (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  target      TEXT NOT NULL,
  event       INTEGER NOT NULL,            -- number of the feed's entry
  mark        INTEGER NOT NULL,            -- hash of that entry: the webhook-id is evt_, the number and this
  name        TEXT NOT NULL,               -- message.delivered …
  queue       INTEGER,                     -- of which one delivery after the other goes out: row of the message, or negative:
                                           -- odd of an incident, even of an account
  dead        INTEGER NOT NULL CHECK (dead IN (0, 1)),
  created_at  INTEGER NOT NULL,
  since       INTEGER NOT NULL,            -- when it began to wait, or when it died
  due_at      INTEGER,                     -- when it is tried; NULL while an earlier one of its queue waits, or when dead
  held        INTEGER NOT NULL CHECK (held IN (0, 1)),  -- kept back by quiet hours or the cap: told together with the others
  attempts    INTEGER NOT NULL,
  first_at    INTEGER,                     -- first attempt
  error       TEXT,                        -- why the last attempt failed
  payload     BLOB NOT NULL                -- the body as it goes out; of alerts the text
) STRICT;
CREATE INDEX delivery_due     ON delivery (target, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_queue   ON delivery (target, queue, id) WHERE dead = 0 AND queue IS NOT NULL;
CREATE INDEX delivery_target  ON delivery (target, dead, since);
CREATE INDEX delivery_dead    ON delivery (dead, id);

-- Where the feed was followed, one place for each minute: from the last that still is what it was, receivers go on when the feed has
-- become another one.
CREATE TABLE followed (
  minute  INTEGER PRIMARY KEY,             -- since 1970
  event   INTEGER NOT NULL,                -- number of the feed's entry
  mark    INTEGER NOT NULL                 -- its hash
) STRICT;

-- When alerts went out, for the cap of messages an hour.
CREATE TABLE told (
  target  TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
CREATE INDEX told_at ON told (target, at);
