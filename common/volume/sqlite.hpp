// Private to this folder: SQLite with Results. A Database owns its connection, a Statement its compiled SQL, a Query
// one use of a Statement (reset when it goes out of scope).
#pragma once

#include <sqlite3.h>

#include <span>
#include <string_view>
#include <utility>

#include "common/base/result.hpp"

namespace pnfs::volume {

class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(handle_); }
  sqlite3_stmt* handle() const { return handle_; }

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}
  sqlite3_stmt* handle_ = nullptr;
};

class Database {
 public:
  Database() = default;
  Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Database& operator=(Database&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Database() { close(); }

  static Result<Database> open(const char* file, const char* vfs);
  void close();
  Result<void> run(const char* sql);  // one or more statements without results
  Result<Statement> prepare(std::string_view sql);
  sqlite3* handle() const { return handle_; }
  int changes() const { return sqlite3_changes(handle_); }

 private:
  sqlite3* handle_ = nullptr;
};

// What the connection's last failure means: no_space, corrupt, exists (uniqueness), io.
Error sqlite_error(sqlite3* db, int code, std::string_view what);

// Text and blobs are bound without a copy: they must stay alive while the Query does.
class Query {
 public:
  explicit Query(Statement& statement) : handle_(statement.handle()) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query() { sqlite3_reset(handle_); }

  Query& integer(uint64_t v) {
    sqlite3_bind_int64(handle_, next_++, static_cast<sqlite3_int64>(v));
    return *this;
  }
  Query& blob(std::span<const std::byte> v) {
    static const char nothing = 0;  // a null pointer would bind NULL
    const void* data = v.empty() ? static_cast<const void*>(&nothing) : v.data();
    sqlite3_bind_blob64(handle_, next_++, data, v.size(), SQLITE_STATIC);
    return *this;
  }
  Query& blob(std::string_view v) { return blob(std::as_bytes(std::span(v.data(), v.size()))); }

  // True when there is a row to read.
  Result<bool> row();
  // Runs to the end, ignoring rows.
  Result<void> done();

  uint64_t u64(int column) const { return static_cast<uint64_t>(sqlite3_column_int64(handle_, column)); }
  uint32_t u32(int column) const { return static_cast<uint32_t>(sqlite3_column_int64(handle_, column)); }
  int64_t i64(int column) const { return sqlite3_column_int64(handle_, column); }
  // Valid until the next row().
  std::string_view text(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
    return {data, static_cast<size_t>(sqlite3_column_bytes(handle_, column))};
  }

 private:
  sqlite3_stmt* handle_;
  int next_ = 1;
};

}  // namespace pnfs::volume
