#include "common/volume/extents.hpp"

#include "common/volume/extents_impl.hpp"

namespace pnfs::volume {

Extents::Extents(std::unique_ptr<ExtentsImpl> impl) : impl_(std::move(impl)) {}
Extents::~Extents() = default;

Result<std::vector<Extent>> Extents::allocate(FileId file, uint64_t offset, uint64_t length) {
  return impl_->allocate(file, offset, length);
}
Result<std::vector<Extent>> Extents::get(FileId file, uint64_t offset, uint64_t length) {
  return impl_->get(file, offset, length);
}
Result<std::vector<Extent>> Extents::remove(FileId file, uint64_t offset, uint64_t length,
                                            std::optional<uint32_t> quarantine_for_slot) {
  return impl_->remove(file, offset, length, quarantine_for_slot);
}
Result<uint64_t> Extents::end_quarantine(uint32_t slot) {
  return impl_->end_quarantine(slot);
}
Result<uint64_t> Extents::mapped_bytes(FileId file) {
  return impl_->mapped_bytes(file);
}
SpaceReport Extents::space() const {
  return impl_->space();
}

}  // namespace pnfs::volume
