#include "mds/control/verdict_book.hpp"

#include <algorithm>

namespace pnfs::mds::cluster {

void VerdictBook::given(uint64_t fileid, const Other& other, uint64_t client, NodeId node) {
  Given& entry = files_[fileid][other];
  entry.client = client;
  if (entry.nodes.insert(node).second) ++size_;
}

uint64_t VerdictBook::begin_ending(uint64_t fileid, NodeId node) {
  ending_[++endings_] = {fileid, node};
  return endings_;
}

bool VerdictBook::ending(uint64_t fileid, NodeId node) const {
  return std::any_of(ending_.begin(), ending_.end(), [&](const auto& entry) {
    return entry.second.first == fileid && (entry.second.second == node || entry.second.second == kEveryNode);
  });
}

bool VerdictBook::ending_since(uint64_t number, uint64_t fileid) const {
  return std::any_of(ending_.begin(), ending_.upper_bound(number),
                     [&](const auto& entry) { return fileid == 0 || entry.second.first == fileid; });
}

std::vector<VerdictBook::Entry> VerdictBook::of_stateid(uint64_t fileid, const Other& other) const {
  std::vector<Entry> out;
  const auto file = files_.find(fileid);
  if (file == files_.end()) return out;
  const auto found = file->second.find(other);
  if (found == file->second.end()) return out;
  for (const NodeId node : found->second.nodes) out.push_back({fileid, other, node});
  return out;
}

std::vector<VerdictBook::Entry> VerdictBook::of_client(uint64_t fileid, uint64_t client) const {
  std::vector<Entry> out;
  const auto file = files_.find(fileid);
  if (file == files_.end()) return out;
  for (const auto& [other, given] : file->second) {
    if (given.client != client) continue;
    for (const NodeId node : given.nodes) out.push_back({fileid, other, node});
  }
  return out;
}

std::vector<VerdictBook::Entry> VerdictBook::of_file(uint64_t fileid) const {
  std::vector<Entry> out;
  const auto file = files_.find(fileid);
  if (file == files_.end()) return out;
  for (const auto& [other, given] : file->second)
    for (const NodeId node : given.nodes) out.push_back({fileid, other, node});
  return out;
}

std::vector<VerdictBook::Entry> VerdictBook::of_client_everywhere(uint64_t client) const {
  std::vector<Entry> out;
  for (const auto& [fileid, stateids] : files_)
    for (const auto& [other, given] : stateids)
      if (given.client == client)
        for (const NodeId node : given.nodes) out.push_back({fileid, other, node});
  return out;
}

void VerdictBook::confirmed(const Entry& entry) {
  const auto file = files_.find(entry.fileid);
  if (file == files_.end()) return;
  const auto found = file->second.find(entry.other);
  if (found == file->second.end()) return;
  size_ -= found->second.nodes.erase(entry.node);
  if (found->second.nodes.empty()) file->second.erase(found);
  if (file->second.empty()) files_.erase(file);
}

std::map<NodeId, uint32_t> VerdictBook::by_node() const {
  std::map<NodeId, uint32_t> out;
  for (const auto& [fileid, stateids] : files_)
    for (const auto& [other, given] : stateids)
      for (const NodeId node : given.nodes) ++out[node];
  return out;
}

void VerdictBook::forget_node(NodeId node) {
  std::vector<Entry> all;
  for (const auto& [fileid, stateids] : files_)
    for (const auto& [other, given] : stateids)
      if (given.nodes.contains(node)) all.push_back({fileid, other, node});
  for (const Entry& entry : all) confirmed(entry);
}

}  // namespace pnfs::mds::cluster
