#include "common/block/block_store.hpp"

namespace pnfs::block {

io::Task<Result<bool>> BlockStore::compare_and_write(uint64_t, ConstPiece, ConstPiece) {
  co_return error(Errc::unsupported, "{} has no COMPARE AND WRITE", name());
}

}  // namespace pnfs::block
