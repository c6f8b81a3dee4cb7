#!/bin/bash
# Runs the script $1 of manifests/database/ for the platform's own database, with what that needs made of the two passwords, in $MADE: the
# Secret of a platform stays the one that it was given once. Passwords have letters that need no quoting (rendering/platform.py).
set -euo pipefail
umask 077
own=$(<"$PASSWORD_FILE")
: "${MADE:=/tmp}"
client() { printf '[client]\nuser=%s\npassword=%s\nhost=%s\nport=%s\nprotocol=tcp\n' "$1" "$2" "${HOST:-mysql}" "${PORT:-3306}"; }
setup="CREATE DATABASE IF NOT EXISTS clove CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE USER IF NOT EXISTS 'clove'@'%' IDENTIFIED BY '$own';
ALTER USER 'clove'@'%' IDENTIFIED BY '$own';
GRANT ALL PRIVILEGES ON clove.* TO 'clove'@'%';"
case $1 in
  start.sh | restore.sh) root=$(<"$ROOT_PASSWORD_FILE") ;;
esac
case $1 in
  start.sh)
    # As MariaDB's image makes root; a server that makes its own tables knows no users until it is told to.
    export FIRST_SQL=$MADE/first.sql
    [[ -d $DATA/mysql ]] || cat >"$FIRST_SQL" <<SQL
FLUSH PRIVILEGES;
DROP USER IF EXISTS 'mysql'@'localhost';
CREATE OR REPLACE USER 'root'@'localhost' IDENTIFIED BY '$root';
CREATE OR REPLACE USER 'root'@'%' IDENTIFIED BY '$root';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION;
GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;
$setup
SQL
    ;;
  restore.sh)
    export CLIENT_CNF=$MADE/client.cnf SETUP_SQL=$MADE/setup.sql
    client root "$root" >"$CLIENT_CNF"
    echo "$setup" >"$SETUP_SQL"
    ;;
  backup.sh | daily.sh)
    export CLIENT_CNF=$MADE/client.cnf
    client clove "$own" >"$CLIENT_CNF"
    ;;
esac
# On Kubernetes all scripts are in one directory, in a checkout they are not.
here=$(dirname "$0")
[[ -f $here/$1 ]] || here=$here/../database
exec bash "$here/$1" "${@:2}"
