/** A service's own database: SQLite, by libsql, whose binaries come with its packages. */

import { readdirSync, readFileSync } from "node:fs";
import Sqlite from "libsql";

const URL_OF_SQLITE = /^sqlite(?:\+\w+)?:\/\/\/(.+)$/;
/** Errors of the database that a later try may not meet; others are mistakes in queries. */
const AWAY = /^SQLITE_(BUSY|LOCKED|READONLY|IOERR|FULL|CANTOPEN)/;
export type Row = Readonly<Record<string, unknown>>;

export function isAway(error: unknown): boolean {
  return error instanceof Error && "code" in error && AWAY.test(String(error.code));
}

export class Database {
  private constructor(private readonly sqlite: Sqlite.Database) {}

  /**
   * Opens the one of a DATABASE_URL (sqlite:////data/x.db, or sqlite:///x.db for one where the process runs) and brings its
   * tables up to date: migrations are .sql files, done once each, in the order of their names.
   */
  static open(address: string, migrations: URL): Database {
    const file = URL_OF_SQLITE.exec(address)?.[1];
    if (!file) throw new Error(`DATABASE_URL is ${JSON.stringify(address)}: give sqlite:///PATH`);
    const sqlite = new Sqlite(file);
    for (const pragma of ["journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 2000", "foreign_keys = ON"]) {
      sqlite.pragma(pragma);
    }
    const database = new Database(sqlite);
    database.write(() => database.migrate(migrations));
    return database;
  }

  all(query: string, ...values: readonly unknown[]): Row[] {
    return this.sqlite.prepare(query).all(...values) as Row[];
  }

  first(query: string, ...values: readonly unknown[]): Row | undefined {
    return this.all(query, ...values)[0];
  }

  /** How many rows changed. */
  run(query: string, ...values: readonly unknown[]): number {
    return this.sqlite.prepare(query).run(...values).changes;
  }

  /** Does work in one transaction: all of it is kept, or nothing. */
  write<T>(work: () => T): T {
    this.sqlite.exec("BEGIN IMMEDIATE");
    try {
      const done = work();
      this.sqlite.exec("COMMIT");
      return done;
    } catch (error) {
      this.sqlite.exec("ROLLBACK");
      throw error;
    }
  }

  /** Whether a query gets through. */
  get answers(): boolean {
    try {
      return this.all("SELECT count(*) FROM migrations").length === 1;
    } catch {
      return false;
    }
  }

  close(): void {
    this.sqlite.close();
  }

  private migrate(folder: URL): void {
    this.sqlite.exec("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)");
    const files = readdirSync(folder).filter((file) => file.endsWith(".sql"));
    for (const file of files.sort()) {
      const fresh = this.run(
        "INSERT INTO migrations (name) VALUES (?) ON CONFLICT DO NOTHING",
        file.replace(/\.sql$/, ""),
      );
      if (fresh > 0) this.sqlite.exec(readFileSync(new URL(file, folder), "utf8"));
    }
  }
}
