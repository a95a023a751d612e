# Starts PostgreSQL, in a data folder that is made first where there is none. Nobody but this pod's own containers gets in without a
# password, and the superuser has none.
set -eu
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin)
export PATH PGDATA=/data/postgres
if [ ! -s $PGDATA/ready ]; then
  rm -rf $PGDATA
  initdb --username=postgres --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --no-locale >/dev/null
  echo 'host all all all scram-sha-256' >>$PGDATA/pg_hba.conf
  echo yes >$PGDATA/ready
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/run/postgres "$@"
