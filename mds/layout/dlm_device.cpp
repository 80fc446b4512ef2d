#include "mds/layout/dlm_device.hpp"

#include <boost/asio/ip/address.hpp>

namespace pnfs::mds::layout {

namespace {

std::vector<std::string_view> split_commas(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t comma = text.find(',');
    out.push_back(text.substr(0, comma));
    if (comma == text.npos) return out;
    text.remove_prefix(comma + 1);
  }
}

// "/dev/sdb" and "sdb" name the same disk.
std::string_view base_name(std::string_view disk) {
  const size_t slash = disk.rfind('/');
  return slash == disk.npos ? disk : disk.substr(slash + 1);
}

}  // namespace

Result<void> DlmDevices::write(std::string_view line) {
  while (line.ends_with('\n')) line.remove_suffix(1);
  if (line.find_first_of(" \t\n") != line.npos)
    return error(Errc::invalid, "pnfs_dlm_device '{}': one word without blanks is expected, <disk>:<ip>[,<ip>...]", line);
  const size_t colon = line.find(':');
  if (colon == line.npos || colon == 0 || colon + 1 == line.size())
    return error(Errc::invalid, "pnfs_dlm_device '{}': expected <disk>:<ip>[,<ip>...]", line);
  const std::string_view disk = line.substr(0, colon);
  const std::string_view list = line.substr(colon + 1);
  if (list.size() > kMaxListBytes)
    return error(Errc::invalid, "pnfs_dlm_device: the server list of {} has {} bytes, at most {} are taken", disk,
                 list.size(), kMaxListBytes);
  for (const std::string_view ip : split_commas(list)) {
    boost::system::error_code ec;
    boost::asio::ip::make_address(std::string(ip), ec);
    if (ec)
      return error(Errc::invalid, "pnfs_dlm_device: '{}' in the server list of {} is no IP address", ip, disk);
  }
  std::string& held = lists_[std::string(base_name(disk))];
  if (quirks_.keeps_old_tail && held.size() > list.size()) {
    held.replace(0, list.size(), list);
  } else {
    held = list;
  }
  return {};
}

std::vector<std::string> DlmDevices::servers_of(std::string_view disk) const {
  disk = base_name(disk);
  auto found = lists_.find(disk);
  if (found == lists_.end() && quirks_.prefix_match) {
    found = std::find_if(lists_.begin(), lists_.end(), [&](const auto& entry) { return disk.starts_with(entry.first); });
  }
  std::vector<std::string> out;
  if (found == lists_.end()) return out;
  for (const std::string_view ip : split_commas(found->second)) out.emplace_back(ip);
  return out;
}

std::string DlmDevices::text() const {
  std::string out;
  for (const auto& [disk, list] : lists_) out += fmt::format("{}:{}\n", disk, list);
  return out;
}

}  // namespace pnfs::mds::layout
