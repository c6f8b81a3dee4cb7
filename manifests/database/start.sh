#!/bin/bash
# Becomes the server, with the arguments given, on the volume $DATA. A new data directory is made aside, with the schemas, users and passwords
# of $FIRST_SQL, and is moved into place once it is whole and on disk: a pod that is killed meanwhile leaves nothing behind that the next
# one cannot finish or make anew. What lies on the volume otherwise is never touched.
set -euo pipefail
new=$DATA/.new ready=$DATA/.ready
if ! [[ -d $DATA/mysql || -d $ready ]]; then
  other=$(find "$DATA" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .new -print -quit)
  if [ -n "$other" ]; then
    echo "The volume holds no database, but something else: $other" >&2
    exit 1
  fi
  rm -rf "$new"
  mkdir "$new"
  # Nobody uses it yet, so nothing has to be on disk before all is.
  mariadb-install-db --datadir="$new" --rpm --cross-bootstrap --skip-test-db --extra-file="$FIRST_SQL" \
    --auth-root-authentication-method=socket --auth-root-socket-user=root --skip-log-bin --default-time-zone=SYSTEM \
    --loose-innodb-flush-log-at-trx-commit=0 --loose-innodb-flush-method=nosync --loose-innodb-doublewrite=0 --loose-sync-frm=0 >/dev/null
  sync --file-system "$new"
  mv "$new" "$ready"
fi
if [ -d "$ready" ]; then
  find "$ready" -mindepth 1 -maxdepth 1 ! -name mysql -exec mv -t "$DATA" {} +
  # By this one the database is there.
  [ ! -d "$ready/mysql" ] || mv "$ready/mysql" "$DATA"
  sync "$DATA"
  rmdir "$ready"
fi
exec docker-entrypoint.sh mariadbd "$@"
