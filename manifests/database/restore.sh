#!/bin/bash
# Puts the schemas back as they are in $BACKUP, a file of $BACKUPS or `latest`; then the users, whose passwords are the system's own.
# What was written since is gone, so nobody else may use the database from the first drop until all is whole: the users of $SCHEMAS and that of
# the backups are locked in the server itself, however often this dies and is run again meanwhile. A dump of half a database is never made.
# Which file it is was decided by the first run of $RESTORE, and is kept in the server until that one is done.
# Ends with 3, and leaves everything as it was, where there is no such backup, it is damaged, or somebody still uses the database.
set -euo pipefail
sql() { mariadb --defaults-file="$CLIENT_CNF" -N -B -e "$1"; }
deadline=$((SECONDS + ${WAIT_S:-300}))
until said=$(sql 'SELECT 1' 2>&1); do
  if [ "$SECONDS" -ge "$deadline" ]; then
    echo "The database did not answer: $said" >&2
    exit 1
  fi
  sleep 0.3
done
# Each schema's user is called as the schema is; the last one makes the backups (controlplane/systems/databases.py).
read -ra users <<<"$SCHEMAS clove-backup"
all() { for user in "${users[@]}"; do printf "ALTER USER IF EXISTS '%s'@'%%' ACCOUNT %s; " "$user" "$1"; done; }
# A new server may have none of them yet, and a user that is made later would not be locked. This unlocks nobody.
mariadb --defaults-file="$CLIENT_CNF" <"$SETUP_SQL"
sql "CREATE DATABASE IF NOT EXISTS clove_restore; CREATE TABLE IF NOT EXISTS clove_restore.running
  (one TINYINT PRIMARY KEY CHECK (one = 1), restore VARCHAR(63) NOT NULL, backup VARCHAR(63) NOT NULL, has_begun TINYINT NOT NULL) ENGINE=InnoDB"
refuse() {
  # Half a database stays locked, until another restore is whole. A server that does not say ends this here.
  local has_begun
  has_begun=$(sql 'SELECT COALESCE(MAX(has_begun), 0) FROM clove_restore.running')
  if [ "$has_begun" != 0 ]; then
    echo "The database is half restored, and stays locked. $1" >&2
    exit 1
  fi
  sql "$(all UNLOCK) DROP DATABASE clove_restore"
  echo "Nothing was restored: $1" >&2
  exit 3
}
there() { find "$BACKUPS" -maxdepth 1 -type f -printf '%f\n' | sed -nE '/^clove-[0-9]{8}T[0-9]{6}Z\.sql\.gz$/p' | sort; }
kept=$(sql "SELECT backup FROM clove_restore.running WHERE restore = '$RESTORE'")
if [ -n "$kept" ]; then
  BACKUP=$kept
elif [ "$BACKUP" = latest ]; then
  BACKUP=$(there | tail -n 1)
fi
if ! [[ $BACKUP =~ ^clove-[0-9]{8}T[0-9]{6}Z\.sql\.gz$ && -f $BACKUPS/$BACKUP ]]; then
  refuse "There is no backup ${BACKUP:-at all}. There are: $(there | paste -sd' ')"
fi
# Before anybody is locked out: another restore that died in the middle says that it did, still.
sql "INSERT INTO clove_restore.running VALUES (1, '$RESTORE', '$BACKUP', 0) ON DUPLICATE KEY UPDATE restore = '$RESTORE', backup = '$BACKUP'"
sql "$(all LOCK)"
# A lock turns away who comes; pods that are ending, and a backup that is being made, may take a moment.
names=$(printf "'%s'," "${users[@]}")
until connected=$(sql "SELECT GROUP_CONCAT(DISTINCT USER ORDER BY USER SEPARATOR ', ') FROM information_schema.PROCESSLIST
  WHERE USER IN (${names%,})") && [ "$connected" = NULL ]; do
  if [ "$SECONDS" -ge "$deadline" ] || [ "$SECONDS" -ge "${REST_S:-30}" ]; then
    refuse "${connected:-somebody} still uses the database. What does has to rest first; a backup that is being made ends by itself."
  fi
  sleep 0.5
done
# Open from here on: a backup that had just been made may still be clearing old ones away.
exec 3<"$BACKUPS/$BACKUP" || refuse "$BACKUP cannot be read."
(cd "$BACKUPS" && sha256sum --check --quiet "$BACKUP.sha256") || refuse "$BACKUP is damaged, or its checksum is missing."
# In one session, and so under one lock: a run whose node fell silent may still be at it, or be done.
{
  cat <<SQL
DELIMITER //
BEGIN NOT ATOMIC
  IF COALESCE(GET_LOCK('clove-restore', 60), 0) = 0 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Another run of it still restores.';
  END IF;
END//
DELIMITER ;
UPDATE clove_restore.running SET has_begun = 1;
SQL
  gzip -dc <&3
  cat "$SETUP_SQL"
  # It is whole. Whoever dies from here on restores the same file once more, or leaves it for another to unlock.
  echo "UPDATE clove_restore.running SET has_begun = 0;"
  echo "$(all UNLOCK) DROP DATABASE clove_restore;"
} | mariadb --defaults-file="$CLIENT_CNF"
echo "Restored $BACKUP."
