#include "testbed/target/pdu.hpp"

namespace pnfs::target {

uint32_t parse_lun(uint64_t wire) {
  if (wire & 0x0000ffffffffffffULL) return kNoLun;  // a second level: we have one
  const uint32_t first = static_cast<uint32_t>(wire >> 48);
  const uint32_t method = first >> 14;
  if (method == 0 && first < 0x100) return first;
  if (method == 1) return first & 0x3fff;
  return kNoLun;
}

uint64_t format_lun(uint32_t lun) {
  const uint64_t first = lun < 0x100 ? lun : (0x4000u | lun);
  return first << 48;
}

}  // namespace pnfs::target
