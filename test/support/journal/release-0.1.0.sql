CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE instances (
  broker TEXT NOT NULL,
  offer_key TEXT NOT NULL,
  instance TEXT NOT NULL,
  PRIMARY KEY (broker, offer_key)
) STRICT, WITHOUT ROWID;
CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  broker TEXT NOT NULL,
  run TEXT NOT NULL,
  function_name TEXT NOT NULL,
  offer_key TEXT NOT NULL,
  instance TEXT NOT NULL,
  slot TEXT NOT NULL,
  gpu TEXT,
  ask_price REAL NOT NULL,
  image TEXT NOT NULL,
  timeout_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  detail TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, seq);
INSERT INTO meta VALUES
  ('agentId', '4d02c05f-df5c-4a2d-982e-3d494af76737'),
  ('lease https://broker.example/', '60');
INSERT INTO instances VALUES ('https://broker.example/', 'gpu:NVIDIA H100', 'instance-1');
INSERT INTO jobs
SELECT
  NULL, 'job-' || (value ->> 'name'), 'https://broker.example/', 'run-1', 'hello', 'gpu:NVIDIA H100', 'instance-1',
  'slot-1', 'GPU-1', 0.25, 'sha256:abc', 60000, value ->> 'name', value, 1000, 2000
FROM json_each('[
  {"name":"claiming"},
  {"name":"claimed"},
  {"name":"starting","container":"c1","since":{"boot":"boot-1","upMs":5000}},
  {"name":"running","container":"c1","startedAt":1000,"since":{"boot":"boot-1","upMs":5000}},
  {"name":"finished","report":{"status":3,"buildLogs":"","stdout":"Hello\n","stderr":"","result":"42"},"durationMs":1500},
  {"name":"reported","status":3,"durationMs":1500,"earned":0.01},
  {"name":"releasing","why":"the image is gone"},
  {"name":"released","why":"the image is gone"},
  {"name":"cancelling","why":"the run was deleted"},
  {"name":"dropped","why":"lost"}
]');
PRAGMA application_id = 1396916583;
PRAGMA user_version = 2;
