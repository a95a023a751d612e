# Gives each service of /etc/roles a database, and a role with the password in the file of its name; again when a file changes, so
# that a password is changed by changing its Secret. Connections that are open stay so. A changed one is waited with for GRACE
# seconds: who connects must have seen it first, and until then gets in with the one before.
set -eu
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin)
export PATH PGHOST=/run/postgres PGUSER=postgres PGDATABASE=postgres

role() {
  psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --set name="$1" >/dev/null <<'SQL'
\set password `cat "/etc/roles/$SERVICE"`
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
SELECT format('ALTER ROLE %I PASSWORD %L', :'name', :'password') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'name') \gexec
SQL
}

due() {
  [ -e "/tmp/$1" ] || return 0
  cmp -s "/etc/roles/$1" "/tmp/$1.next" || { cp "/etc/roles/$1" "/tmp/$1.next"; date +%s >"/tmp/$1.since"; }
  [ $(($(date +%s) - $(cat "/tmp/$1.since"))) -ge "$GRACE" ]
}

until pg_isready --quiet; do sleep 0.2; done
while :; do
  for file in /etc/roles/*; do
    [ -f "$file" ] || continue
    SERVICE=$(basename "$file")
    export SERVICE
    cmp -s "$file" "/tmp/$SERVICE" && continue
    due "$SERVICE" || continue
    role "$SERVICE" && cp "$file" "/tmp/$SERVICE" && echo "the role $SERVICE has its password"
  done
  touch /tmp/.ready
  sleep 2
done
