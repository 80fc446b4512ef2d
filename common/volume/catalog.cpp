#include "common/volume/catalog.hpp"

#include "common/volume/catalog_impl.hpp"

namespace pnfs::volume {

Catalog::Catalog(std::unique_ptr<CatalogImpl> impl) : impl_(std::move(impl)) {}
Catalog::~Catalog() = default;
std::unique_ptr<CatalogImpl> Catalog::take_impl() {
  return std::move(impl_);
}

Result<Catalog::Savepoint> Catalog::begin() {
  auto depth = impl_->begin();
  if (!depth) return depth.error();
  return Savepoint(this, *depth);
}

Catalog::Savepoint::~Savepoint() {
  if (catalog_ != nullptr) catalog_->impl_->roll_back(depth_);
}

Result<Ticket> Catalog::Savepoint::release() {
  return std::exchange(catalog_, nullptr)->impl_->release(depth_);
}

Ticket Catalog::ticket() const {
  return impl_->ticket();
}
Ticket Catalog::durable_ticket() const {
  return impl_->durable_ticket();
}

io::Task<Result<void>> Catalog::durable(Ticket ticket) {
  if (ticket > impl_->ticket()) co_return error(Errc::invalid, "ticket {} was never given out", ticket);
  // The writer bounds this wait: it either ships or fails the catalog.
  while (impl_->durable_ticket() < ticket) {
    if (impl_->failure()) co_return *impl_->failure();
    co_await impl_->shipped().wait();
  }
  co_return Result<void>();
}

// --- settings ---

Result<std::optional<std::string>> Catalog::setting(std::string_view key) {
  Query query(impl_->sql("SELECT value FROM settings WHERE key = ?"));
  query.blob(key);
  auto row = query.row();
  if (!row) return row.error();
  if (!*row) return std::optional<std::string>();
  return std::optional<std::string>(query.text(0));
}

Result<void> Catalog::set_setting(std::string_view key, std::string_view value) {
  auto savepoint = begin();
  if (!savepoint) return savepoint.error();
  {
    Query query(impl_->sql("INSERT INTO settings VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value"));
    if (auto ok = query.blob(key).blob(value).done(); !ok) return ok.error();
  }
  if (auto kept = savepoint->release(); !kept) return kept.error();
  return {};
}

}  // namespace pnfs::volume
