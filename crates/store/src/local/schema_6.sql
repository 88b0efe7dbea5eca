CREATE TABLE actors (
    actor TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO actors (actor) SELECT actor FROM identity;
