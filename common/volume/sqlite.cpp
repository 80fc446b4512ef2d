#include "common/volume/sqlite.hpp"

namespace pnfs::volume {

Error sqlite_error(sqlite3* db, int code, std::string_view what) {
  const char* text = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return error(Errc::no_space, "{}: the catalog is full", what);
    case SQLITE_CONSTRAINT:
      return error(Errc::exists, "{}: {}", what, text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return error(Errc::corrupt, "{}: {}", what, text);
    case SQLITE_NOMEM:
      return error(Errc::too_large, "{}: out of memory", what);
    default:
      return error(Errc::io, "{}: {} (SQLite code {})", what, text, code);
  }
}

Result<Database> Database::open(const char* file, const char* vfs) {
  Database db;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(file, &db.handle_, flags, vfs);
  if (code != SQLITE_OK) return sqlite_error(db.handle_, code, "opening the catalog");
  // Statements that use quotes wrongly must fail, and closing must not checkpoint behind the writer's back.
  sqlite3_db_config(db.handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db.handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // The catalog comes from a shared LUN: a crafted schema must not run anything.
  sqlite3_db_config(db.handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db.handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  return db;
}

void Database::close() {
  sqlite3_close(handle_);
  handle_ = nullptr;
}

Result<void> Database::run(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(handle_, code, "catalog");
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &handle, nullptr);
  if (code != SQLITE_OK) return sqlite_error(handle_, code, "preparing a catalog statement");
  return Statement(handle);
}

Result<bool> Query::row() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_error(sqlite3_db_handle(handle_), code, "catalog");
}

Result<void> Query::done() {
  for (;;) {
    const Result<bool> more = row();
    if (!more) return more.error();
    if (!*more) return {};
  }
}

}  // namespace pnfs::volume
