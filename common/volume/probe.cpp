#include "common/volume/volume.hpp"

namespace pnfs::volume {

io::Task<Result<Superblock>> probe(block::BlockStore& store) {
  const block::Geometry& geometry = store.geometry();
  const uint64_t bytes = geometry.bytes() / kMetaBlockBytes * kMetaBlockBytes;
  std::vector<std::byte> head(std::min<uint64_t>(bytes, kProbeBytes + kMetaBlockBytes));
  const block::Piece pieces[] = {head};
  if (auto ok = co_await store.read(0, pieces); !ok) co_return ok.error().with_context(store.name());

  std::optional<Superblock> best;
  std::optional<Error> worst;
  for (uint64_t offset : kSuperblockOffsets) {
    if (offset + kMetaBlockBytes > head.size()) continue;
    const auto copy = decode_superblock(std::span(head).subspan(offset, kMetaBlockBytes));
    if (copy && (!best || copy->generation > best->generation)) best = *copy;
    // "Another version" and "damaged" say more than "none here".
    if (!copy && (!worst || worst->code == Errc::not_found)) worst = copy.error();
  }
  if (!best) {
    if (!worst || worst->code == Errc::not_found) {
      co_return error(Errc::not_found, "{} is not a pnfslab volume: it holds {}; make one with pnfslab mkfs",
                      store.name(), describe_content(head));
    }
    co_return worst->with_context(store.name());
  }
  if (geometry.bytes() < best->volume_bytes) {
    co_return error(Errc::no_space, "{}: volume {}:{} needs {} bytes, but the LUN has only {}", store.name(),
                    best->cluster, best->name, best->volume_bytes, geometry.bytes());
  }
  if (geometry.block_bytes > kMetaBlockBytes) {
    co_return error(Errc::unsupported, "{}: blocks of {} bytes; at most {} are supported", store.name(),
                    geometry.block_bytes, kMetaBlockBytes);
  }
  co_return *best;
}

}  // namespace pnfs::volume
