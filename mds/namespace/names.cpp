#include "mds/namespace/names.hpp"

#include <cstdint>

#include "common/volume/types.hpp"

namespace pnfs::mds {

using nfs::fail;

namespace {
constexpr size_t kMaxLinkBytes = 4095;
}

// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<uint8_t>(text[i]);
    size_t more = 0;
    uint8_t low = 0x80, high = 0xbf;  // of the second byte
    if (lead < 0x80) {
      ++i;
      continue;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
      more = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (text.size() - i <= more) return false;
    for (size_t k = 1; k <= more; ++k) {
      const auto byte = static_cast<uint8_t>(text[i + k]);
      if (byte < low || byte > high) return false;
      low = 0x80;
      high = 0xbf;
    }
    i += more + 1;
  }
  return true;
}

nfs::Status check_name(std::string_view name) {
  if (name.empty()) return fail(nfs::NFS4ERR_INVAL, "15.1.1.4", "the name is empty");
  if (name.size() > volume::kMaxNameBytes) {
    return fail(nfs::NFS4ERR_NAMETOOLONG, "15.1.4.10", "the name has {} bytes, {} are allowed", name.size(),
                volume::kMaxNameBytes);
  }
  if (!is_utf8(name)) return fail(nfs::NFS4ERR_INVAL, "14.4", "the name is not UTF-8");
  if (name == "." || name == "..") return fail(nfs::NFS4ERR_BADNAME, "15.1.7.2", "\"{}\" is not a name", name);
  if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
    return fail(nfs::NFS4ERR_BADCHAR, "15.1.7.1", "the name holds a slash or NUL");
  }
  return {};
}

nfs::Status check_link_text(std::string_view text) {
  if (text.empty()) return fail(nfs::NFS4ERR_INVAL, "18.4.3", "the symbolic link's text is empty");
  if (text.size() > kMaxLinkBytes) {
    return fail(nfs::NFS4ERR_NAMETOOLONG, "15.1.4.10", "the symbolic link's text has {} bytes, {} are allowed",
                text.size(), kMaxLinkBytes);
  }
  if (text.find('\0') != std::string_view::npos) {
    return fail(nfs::NFS4ERR_INVAL, "18.4.3", "the symbolic link's text holds NUL");
  }
  return {};
}

}  // namespace pnfs::mds
